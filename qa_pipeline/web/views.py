"""Templates, with what they all need: the person, the menu, tokens, Chinese forms of numbers and times."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from qa_pipeline.casework.stats import Rate
from qa_pipeline.casework.values import Post
from qa_pipeline.web.reading.words import logged

if TYPE_CHECKING:
    from jinja2 import Environment

    from qa_pipeline.web.guard import Ask

HERE = Path(__file__).parent
STATIC = HERE / "static"
FLASH = "qa_flash"

# title, route name, who sees it in the menu
_MENU: tuple[tuple[str, str, tuple[Post, ...]], ...] = (
    ("复核工作台", "desk", (Post.QA, Post.QA_LEAD)),
    ("今日概况", "manage", (Post.QA_LEAD, Post.MANAGER)),
    ("工单", "cases", (Post.QA_LEAD, Post.MANAGER)),
    ("标记通话", "manage.calls", (Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)),
    ("班组", "manage.teams", (Post.QA_LEAD, Post.MANAGER)),
    ("本组", "manage.team", (Post.TEAM_LEADER,)),
    ("条款热图", "manage.clauses", (Post.QA_LEAD, Post.MANAGER)),
    ("申诉", "appeals", (Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)),
    ("台账", "manage.money", (Post.QA_LEAD, Post.MANAGER)),
    ("校准", "manage.calibration", (Post.QA_LEAD, Post.MANAGER)),
    ("跟进", "manage.followup", (Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)),
    ("报表", "reports", (Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)),
    ("规则", "studio", (Post.QA, Post.QA_LEAD, Post.MANAGER)),
    ("我的质检", "me", (Post.AGENT,)),
    ("人员", "admin.people", (Post.ADMIN,)),
    ("政策金额", "admin.policy", (Post.ADMIN, Post.MANAGER)),
    ("设置", "admin.settings", (Post.ADMIN, Post.MANAGER)),
    ("日志", "admin.log", (Post.ADMIN, Post.MANAGER)),
)


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str
    here: bool


@dataclass(frozen=True, slots=True)
class Flash:
    """What an action left for the next page: its message, shown once, and which kept form has arrived."""

    kind: str
    message: str
    kept: str


@cache
def asset(name: str) -> str:
    """The address of a static file, with its content's hash: cacheable for ever."""
    return f"/static/{_digest(static_file(name))}/{name}"


def static_file(name: str) -> Path:
    if name == "plotly.min.js":
        import importlib.util

        spec = importlib.util.find_spec("plotly")
        assert spec is not None and spec.origin is not None
        return Path(spec.origin).parent / "package_data" / name
    return STATIC / name


@cache
def chart_style_ids() -> tuple[str, ...]:
    """Style elements that the chart library would add itself, without the nonce that our policy asks for: pages carry them."""
    text = static_file("plotly.min.js").read_text(encoding="utf-8")
    return "plotly.js-style-global", *sorted(set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', text)))


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "clock": clock,
        "yuan": yuan,
        "pct": percent,
        "rate": rate,
        "day": day,
        "seconds": seconds,
        "when": when,
        "count": count,
        "length": lambda items: len(items),
        "dataset": dataset,
        "plain_json": logged,
        "query": lambda text: f"?{text}",
        "month": lambda text: f"{text[:4]} 年 {int(text[5:7])} 月",
    }
    env.globals |= {"asset": asset, "Post": Post, "chart_style_ids": chart_style_ids}
    return env


def render(ask: Ask, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. The message that an action left is shown once, and so is what was typed into a form that was not accepted."""
    from qa_pipeline.web.sessions import SESSION_S

    request = ask.request
    visit = ask.session_id or request.cookies.get("qa_visit", "") or _visit()
    flash = _flash(request.cookies.get(FLASH, ""))
    arrived = flash.kept if flash else ask.kept if status == 200 else ""
    page = (
        environment()
        .get_template(template)
        .render(
            ask=ask,
            me=ask.person,
            menu=menu(ask),
            csrf=ask.site.sessions.token(visit),
            nonce=request.scope["state"]["nonce"],
            flash=flash,
            arrived=arrived,
            now=ask.site.now(),
            who=ask.site.who,
            agent=ask.site.agent,
            path=request.url.path,
            **values,
        )
    )
    answer = HTMLResponse(page, status_code=status)
    if flash:
        answer.delete_cookie(FLASH)
    if not ask.session_id and visit != request.cookies.get("qa_visit"):
        answer.set_cookie("qa_visit", visit, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure(ask))
    return answer


def back(ask: Ask, url: str, message: str = "", *, kind: str = "ok") -> Response:
    """To a page of this site, with a message that it shows. A form that was not refused has arrived: the page tells the browser."""
    answer = RedirectResponse(local(url), status_code=303)
    kept = ask.kept if kind == "ok" else ""
    if message or kept:
        body = _packed([kind, message[:800], kept])  # browsers drop a cookie above 4,096 bytes
        answer.set_cookie(FLASH, body, max_age=60, httponly=True, samesite="lax", secure=secure(ask))
    return answer


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, ensure_ascii=False).encode()).decode()


def _unpacked(cookie: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(cookie)) if cookie else None
    except ValueError:
        return None


def local(url: str) -> str:
    """An address within this site; anything else leads home."""
    good = url.startswith("/") and not url.startswith(("//", "/\\")) and "\n" not in url and "\r" not in url
    return url if good else "/"


def secure(ask: Ask) -> bool:
    return ask.request.url.scheme == "https"


def _visit() -> str:
    import secrets

    return secrets.token_urlsafe(16)


def _flash(cookie: str) -> Flash | None:
    match _unpacked(cookie):
        case ["ok" | "bad" as kind, str(message), str(kept)]:
            return Flash(kind=kind, message=message, kept=kept)
    return None


def menu(ask: Ask) -> list[Link]:
    if ask.session is None:
        return []
    here = ask.request.scope["route"].name if "route" in ask.request.scope else ""
    links = []
    for title, name, posts in _MENU:
        if ask.person.has(*posts):
            links.append(Link(title, address(name, ask), here == name or _parent(here) == name))
    return links


def address(name: str, ask: Ask) -> str:
    paths = {
        "desk": "/desk",
        "me": "/me",
        "manage": "/manage",
        "cases": "/cases",
        "appeals": "/appeals",
        "studio": "/studio",
        "manage.team": f"/manage/team?name={ask.person.team}",
    }
    return paths.get(name, "/" + name.replace(".", "/"))


def _parent(name: str) -> str:
    return {
        "case": "desk",
        "call": "manage.calls",
        "appeal": "appeals",
        "me.call": "me",
        "manage.agent": "manage.teams",
        "manage.complaints": "manage.followup",
        "studio.rule": "studio",
        "studio.draft": "studio",
        "studio.draft.again": "studio",
        "studio.publish": "studio",
        "studio.publish.check": "studio",
        "studio.versions": "studio",
        "studio.backtest": "studio",
        "admin.person": "admin.people",
        "admin.retention": "admin.settings",
    }.get(name, "")


# Chinese forms


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def seconds(place: str) -> int:
    """A place in a recording as it is shown, in seconds: 01:23 → 83."""
    minutes, rest = place.rsplit(":", 1)
    return 60 * int(minutes) + int(rest)


def yuan(amount: Decimal | int | float | None) -> str:
    if amount is None:
        return "—"
    text = f"{Decimal(str(amount)):,.2f}"
    return text.removesuffix(".00")


def percent(share: float | None, digits: int = 1) -> str:
    return "—" if share is None else f"{100 * share:.{digits}f}%"


def rate(value: Rate | None) -> str:
    """A share with its interval."""
    return "还没有数据" if value is None else f"{percent(value.share)}（{percent(value.low)}–{percent(value.high)}）"


def day(value: date | datetime | None) -> str:
    return "—" if value is None else f"{value.month} 月 {value.day} 日"


def when(value: datetime | None) -> str:
    return "—" if value is None else f"{value.month} 月 {value.day} 日 {value:%H:%M}"


def count(value: float) -> str:
    return f"{value:,.0f}"


def dataset(value: Any) -> Markup:
    """JSON for a data block of a page; cannot end the block."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
