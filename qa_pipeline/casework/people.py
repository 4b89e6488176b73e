"""People, their posts and passwords. A change is a new row; nobody is ever removed, only made inactive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    import duckdb

    from qa_pipeline.casework.desk import Tx

SHORTEST_PASSWORD = 10  # characters
_COLUMNS = "person_id, name, roles, team, agent_id, active"


def find_person(connection: duckdb.DuckDBPyConnection, person_id: str) -> Person:
    """Raises CaseworkError when there is no such person."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM people WHERE person_id = ?", [person_id]).fetchone()
    if row is None:
        raise CaseworkError(
            f"没有编号为“{person_id}”的人员。请检查编号，或请管理员添加。", command="查看用 qa people list，添加用 qa people add。"
        )
    return _person(row)


def all_people(connection: duckdb.DuckDBPyConnection, *, active: bool = True) -> list[Person]:
    """By person_id."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM people WHERE active OR NOT ? ORDER BY person_id", [active]).fetchall()
    return [_person(row) for row in rows]


def save_person(tx: Tx, person: Person) -> None:
    """Adds or changes a person; an administrator's action. The last active administrator cannot be taken away."""
    tx.need(Post.ADMIN)
    if not person.person_id.strip() or not person.name.strip() or not person.posts:
        raise CaseworkError("人员要有编号、姓名和至少一个岗位。")
    if person.has(Post.AGENT) and not person.agent_id:
        raise CaseworkError(f"{person.name} 的岗位有坐席，请写明工号。", command="用 --agent-id 写。")
    others = [other for other in all_people(tx.connection) if other.person_id != person.person_id]
    if not (person.active and person.has(Post.ADMIN)) and others and not any(other.has(Post.ADMIN) for other in others):
        raise CaseworkError("这样就没有在岗的管理员了。请先指定另一位管理员。")
    clash = next((other for other in others if person.agent_id and other.agent_id == person.agent_id), None)
    if clash is not None:
        raise CaseworkError(f"工号 {person.agent_id} 已经属于 {clash.name}（{clash.person_id}）。")
    tx.append(
        "people_log",
        at_time=tx.at,
        by_person=tx.actor.person_id,
        person_id=person.person_id,
        name=person.name,
        roles=[post.value for post in person.posts],
        team=person.team,
        agent_id=person.agent_id,
        active=person.active,
    )
    posts = [post.value for post in person.posts]
    tx.log("people.save", person.person_id, {"name": person.name, "posts": posts, "team": person.team, "active": person.active})


def may_set_password(tx: Tx, person_id: str) -> None:
    """A person sets his own, an administrator anybody's; raises CaseworkError for others and for an unknown person."""
    if tx.actor.person_id != person_id:
        tx.need(Post.ADMIN)
    find_person(tx.connection, person_id)


def set_password(tx: Tx, person_id: str, password: str) -> None:
    """Sets what :func:`may_set_password` allows. Only the argon2 hash is kept."""
    from argon2 import PasswordHasher

    may_set_password(tx, person_id)
    if len(password) < SHORTEST_PASSWORD:
        raise CaseworkError(f"密码至少 {SHORTEST_PASSWORD} 个字符。")
    tx.append("credentials", at_time=tx.at, person_id=person_id, password_hash=PasswordHasher().hash(password))
    tx.log("people.password", person_id)


def password_right(connection: duckdb.DuckDBPyConnection, person_id: str, password: str) -> bool:
    """Whether an active person has this password. Takes the same time for unknown people, so that names cannot be probed."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    query = """SELECT password_hash FROM credentials JOIN people USING (person_id)
               WHERE person_id = ? AND active ORDER BY seq DESC LIMIT 1"""
    row = connection.execute(query, [person_id]).fetchone()
    hasher = PasswordHasher()
    if row is None:
        hasher.hash(password)
        return False
    try:
        return bool(hasher.verify(row[0], password))
    except (VerificationError, InvalidHashError):
        return False


def posts_from(names: list[str]) -> tuple[Post, ...]:
    """Posts by their code or their Chinese title, without doubles, in the order of the enumeration."""
    by_name = {post.value: post for post in Post} | {post.label: post for post in Post}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise CaseworkError(f"没有“{'、'.join(unknown)}”这个岗位。可用：{'、'.join(post.label for post in Post)}。")
    chosen = {by_name[name] for name in names}
    return tuple(post for post in Post if post in chosen)


def _person(row: tuple[Any, ...]) -> Person:
    person_id, name, posts, team, agent_id, active = row
    return Person(
        person_id=person_id,
        name=name,
        posts=tuple(Post(post) for post in posts),
        team=team or "",
        agent_id=agent_id or "",
        active=bool(active),
    )
