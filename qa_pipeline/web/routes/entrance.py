"""Signing in and out, one's own password, static files, the way to everybody's first page."""

from __future__ import annotations

import gzip
from functools import cache
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from qa_pipeline.casework import people
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.web import sessions
from qa_pipeline.web.guard import Ask, Asked, NotHere, Refused
from qa_pipeline.web.views import STATIC, asset, back, local, render, secure, static_file

router = APIRouter()
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/login", name="login")
def login(ask: Asked) -> Response:
    if ask.session is not None:
        return back(ask, ask.text("next") or "/")
    return _login(ask)


def _login(ask: Ask, problem: str = "", *, status: int = 200) -> Response:
    """The page to sign in at; with a problem, what was typed but for the password."""
    person_id = ask.text("person_id") if problem else ""
    wanted, unsaved = ask.text("next"), ask.flag("unsaved")
    return render(ask, "login.html", status=status, wanted=wanted, unsaved=unsaved, person_id=person_id, problem=problem)


@router.post("/login", name="login.try")
def try_login(ask: Asked) -> Response:
    person_id, password = ask.text("person_id"), str(ask.form.get("password", ""))
    client = ask.request.client.host if ask.request.client else ""
    names = (f"person:{person_id}", f"address:{client}")
    wait_s = ask.site.attempts.wait_s(*names)
    if wait_s:
        return _login(ask, f"输错次数太多，请 {-(-wait_s // 60)} 分钟后再试，或请管理员重设密码。", status=429)
    with ask.site.mirror.store.read() as connection:
        right = bool(person_id) and len(password) <= 200 and people.password_right(connection, person_id, password)
    found = ask.site.person(person_id)
    if not right or found is None:
        ask.site.attempts.failed(*names)
        return _login(ask, "编号或密码不对。", status=401)
    ask.site.attempts.succeeded(names[0])
    answer = back(ask, ask.text("next") or "/")
    cookie = ask.site.sessions.begin(person_id, found[1])
    answer.set_cookie(
        sessions.COOKIE, cookie, max_age=sessions.SESSION_S, httponly=True, samesite="lax", secure=secure(ask), path="/"
    )
    answer.delete_cookie("qa_visit")
    return answer


@router.post("/logout", name="logout")
def logout(ask: Asked) -> Response:
    if ask.session is not None:
        ask.site.sessions.end(ask.session)
    answer = back(ask, "/login")
    answer.delete_cookie(sessions.COOKIE)
    return answer


_FIRST = (
    (Post.QA, "/desk"),
    (Post.MANAGER, "/manage"),
    (Post.QA_LEAD, "/manage"),
    (Post.TEAM_LEADER, "/manage/team?name={team}"),
    (Post.AGENT, "/me"),
    (Post.ADMIN, "/admin/people"),
)


@router.get("/", name="home")
def home(ask: Asked) -> Response:
    return back(ask, first_page(ask.person))


def first_page(person: Person) -> str:
    return next((url.format(team=quote(person.team)) for post, url in _FIRST if person.has(post)), "/account")


@router.get("/account", name="account")
def account(ask: Asked) -> Response:
    return render(ask, "account.html", shortest=people.SHORTEST_PASSWORD, problem="")


@router.post("/account/password", name="account.password")
def change_password(ask: Asked) -> Response:
    old, new = str(ask.form.get("old", "")), str(ask.form.get("new", ""))
    name = f"person:{ask.person.person_id}"
    if ask.site.attempts.wait_s(name):
        raise Refused(429, "输错次数太多，请过几分钟再试。")
    with ask.site.mirror.store.read() as connection:
        right = len(old) <= 200 and people.password_right(connection, ask.person.person_id, old)
    if not right:
        ask.site.attempts.failed(name)
        return _account_again(ask, "原来的密码不对。")
    if new != str(ask.form.get("again", "")):
        return _account_again(ask, "两次输入的新密码不一样。")
    if not people.SHORTEST_PASSWORD <= len(new) <= 200:
        return _account_again(ask, f"新密码至少 {people.SHORTEST_PASSWORD} 个字符。")
    ask.act(lambda tx: people.set_password(tx, ask.person.person_id, new))
    return back(ask, "/login", "密码已更改，请用新密码登录。")


def _account_again(ask: Ask, problem: str) -> Response:
    return render(ask, "account.html", status=422, shortest=people.SHORTEST_PASSWORD, problem=problem)


@router.get("/health", name="health")
def health(ask: Asked) -> Response:
    return JSONResponse({"ok": ask.site.mirror.version > 0})


@router.get("/static/{digest}/{name}", name="static", include_in_schema=False)
def static(digest: str, name: str, request: Request) -> Response:
    """Our own files by their content: never changed, so cached for a year."""
    if name != "plotly.min.js" and name not in {file.name for file in STATIC.iterdir()}:
        raise NotHere
    if local(request.url.path) != asset(name):
        raise NotHere
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    media = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(name), media_type=media, headers=headers | {"content-encoding": "gzip"})
    return Response(static_file(name).read_bytes(), media_type=media, headers=headers)


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(static_file(name).read_bytes(), 6, mtime=0)
