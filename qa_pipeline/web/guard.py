"""Every request passes here: who asks, whether he may ask for this route, whether a change really comes from our pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.datastructures import FormData

from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import QaError
from qa_pipeline.web import roles, sessions
from qa_pipeline.web.sessions import Session

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site

T = TypeVar("T")
_READING = ("GET", "HEAD")
OWN_FIELDS = ("csrf", "back", "kept")  # of every form, beside what it is about
_KEPT = re.compile(r"[0-9a-f-]{8,40}")
MOST_FIELDS = 400
MOST_FILES = 4


class Refused(QaError):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class StalePage(Refused):
    """A form or key of a page that an earlier session made: the person may, this page may not."""

    def __init__(self) -> None:
        super().__init__(403, "页面已过期或不是从本系统提交的，没有保存。请回到刚才的页面再做一次。")


class NotHere(Refused):
    """The same answer for what does not exist and for what this person may not see."""

    def __init__(self, what: str = "没有这个页面，或您无权查看。") -> None:
        super().__init__(404, what)


class SignIn(QaError):
    """Nobody is signed in."""


NOBODY = Person(person_id="", name="", posts=())


@dataclass(slots=True)
class Ask:
    """One request: the site, the person, the session."""

    request: Request
    site: Site
    person: Person
    session: Session | None
    form: FormData

    @contextmanager
    def look(self) -> Iterator[Tx]:
        with self.site.look(self.person) as tx:
            yield tx

    def act(self, work: Callable[[Tx], T]) -> T:
        return self.site.act(self.person, work)

    def has(self, *posts: Post) -> bool:
        return self.person.has(*posts)

    def text(self, name: str, default: str = "") -> str:
        """A field of the form or, for pages, of the address."""
        value = self.form.get(name) if name in self.form else self.request.query_params.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def number(self, name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        text = self.text(name)
        return min(max(int(text), least), most) if text.isdigit() and len(text) < 10 else default

    def flag(self, name: str) -> bool:
        return self.text(name) in ("1", "on", "true", "yes")

    @property
    def kept(self) -> str:
        """The number under which the browser keeps what this form says until it is told that the form arrived."""
        value = self.form.get("kept", "")
        return value if isinstance(value, str) and _KEPT.fullmatch(value) else ""

    @property
    def session_id(self) -> str:
        return self.session.session_id if self.session is not None else ""


async def ask(request: Request) -> Ask:
    """The dependency of every route."""
    site: Site = request.app.state.site
    session = site.sessions.read(request.cookies.get(sessions.COOKIE))
    found = site.person(session.person_id) if session is not None else None
    if session is not None and (found is None or found[1] != session.password):
        session, found = None, None  # left the centre, or the password was changed
    posts = roles.allowed(request.scope["route"].name)
    if posts is not None:
        if found is None:
            raise SignIn
        if not found[0].has(*posts):
            raise Refused(403, "您的岗位不能使用这个功能。需要权限请联系管理员。")
    form = FormData()
    if request.method not in _READING:
        form = await _checked_form(request, site, session)
    return Ask(request=request, site=site, person=found[0] if found else NOBODY, session=session, form=form)


async def _checked_form(request: Request, site: Site, session: Session | None) -> FormData:
    """The fields of a change, if it carries the token of this session and does not come from another site."""
    origin = request.headers.get("sec-fetch-site", "same-origin")
    if origin not in ("same-origin", "none"):
        raise Refused(403, "这个请求来自别的网站，已拒绝。")
    form = FormData()
    token = request.headers.get("x-csrf-token", "")
    if not request.headers.get("content-type", "").startswith("application/json"):
        form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=300_000)
        field = form.get("csrf")
        token = token or (field if isinstance(field, str) else "")
    owner = session.session_id if session is not None else request.cookies.get("qa_visit", "")
    if not owner or not site.sessions.token_right(owner, token):
        raise StalePage
    return form


Asked = Annotated[Ask, Depends(ask)]


def plain(value: Any) -> Any:
    """Values of casework as JSON-ready ones."""
    import dataclasses
    from datetime import date
    from decimal import Decimal
    from enum import Enum

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
