"""Administration: people, settings, retention."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from qa_pipeline.casework import (
    people,
    retention,
)
from qa_pipeline.casework import settings as casework_settings
from qa_pipeline.casework.values import Person
from qa_pipeline.errors import CaseworkError
from qa_pipeline.web.actions.base import Done, Model

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site


class SavePerson(Model):
    name: str = Field(max_length=40)
    posts: list[str]
    team: str = Field("", max_length=40)
    agent_id: str = Field("", max_length=40)
    active: bool = True


def save_person(site: Site, tx: Tx, ids: dict[str, str], said: SavePerson) -> Done:
    person = Person(
        person_id=ids["person_id"],
        name=said.name,
        posts=people.posts_from(said.posts),
        team=said.team,
        agent_id=said.agent_id,
        active=said.active,
    )
    people.save_person(tx, person)
    return Done(f"{person.name}（{person.person_id}）已保存。", {"person_id": person.person_id})


class Password(Model):
    model_config = ConfigDict(extra="forbid", str_max_length=200)
    password: str


def set_password(site: Site, tx: Tx, ids: dict[str, str], said: Password) -> Done:
    people.set_password(tx, ids["person_id"], said.password)
    return Done(f"{ids['person_id']} 的密码已设定，原来的登录都已失效。", {"person_id": ids["person_id"]})


class Setting(Model):
    value: str


def change_setting(site: Site, tx: Tx, ids: dict[str, str], said: Setting) -> Done:
    casework_settings.change(tx, ids["name"], said.value)
    return Done("设置已更改，从现在起生效。", {"name": ids["name"], "value": said.value})


class Purge(Model):
    before: date
    calls: int = Field(description="预览里看到的通数；不一致就拒绝")


def purge(site: Site, tx: Tx, ids: dict[str, str], said: Purge) -> Done:
    if said.before > retention.before_day(tx, tx.at.date()):
        raise CaseworkError("只能清理保存期以前的通话。要缩短保存期，请先改设置。")
    planned = retention.plan(tx, said.before)
    if len(planned.calls) != said.calls:
        raise CaseworkError("要清理的内容和预览时不同了，请重新预览。")
    done = retention.carry_out(tx, planned)
    return Done(f"已清理 {len(done.calls)} 通，回执 {done.receipt_id}。", {"receipt_id": done.receipt_id})
