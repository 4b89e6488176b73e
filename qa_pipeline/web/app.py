"""The application: middleware, routes, errors as pages or JSON. Nothing is opened before the server starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from qa_pipeline.errors import QaError
from qa_pipeline.web import roles
from qa_pipeline.web.again import page_before
from qa_pipeline.web.guard import NOBODY, Ask, SignIn, StalePage
from qa_pipeline.web.headers import Guarded
from qa_pipeline.web.refusals import page_words, status_of
from qa_pipeline.web.site import Options, Site, open_site
from qa_pipeline.web.views import render

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_TITLES = {
    403: "没有权限",
    404: "没有找到",
    405: "不能这样请求",
    409: "已被别人改动",
    410: "地址已过期",
    413: "内容太大",
    422: "没有做成",
    429: "请稍候",
}


def create_app(options: Options) -> FastAPI:
    """The whole application on one store."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        from starlette.concurrency import run_in_threadpool

        await run_in_threadpool(app.state.site.start)
        try:
            yield
        finally:
            await run_in_threadpool(app.state.site.close)

    app = FastAPI(title="录音质检", version="1", docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    app.state.site = open_site(options)
    _add_routes(app)
    _check_table(app)
    app.add_exception_handler(SignIn, _sign_in)
    app.add_exception_handler(QaError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(GZipMiddleware, minimum_size=1200, compresslevel=5)
    app.add_middleware(Guarded, only_local=options.only_local and not options.behind_proxy)
    return app


def _add_routes(app: FastAPI) -> None:
    from qa_pipeline.web.routes import TABLE

    for module in TABLE:
        app.include_router(module.router)


def _check_table(app: ASGIApp) -> None:
    """A route that the table of roles does not know must not be served."""
    for name in route_names(app):
        roles.allowed(name)


def route_names(app: ASGIApp) -> list[str]:
    from qa_pipeline.web.routes import TABLE

    return [route.name for module in TABLE for route in module.router.routes if isinstance(route, Route) and route.name != "static"]


# Errors


def wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _sign_in(request: Request, error: Exception) -> Response:
    if wants_json(request):
        return JSONResponse({"error": "没有登录，或登录已过期。"}, status_code=401)
    if request.method == "GET":
        wanted, unsaved = request.url.path + (f"?{request.url.query}" if request.url.query else ""), {}
    else:  # back to the form, where the browser fills in what it kept; what was typed is in no address
        wanted, unsaved = page_before(request), {"unsaved": "1"} if request.url.path != "/logout" else {}
    fields = ({"next": wanted} if wanted not in ("", "/") else {}) | unsaved
    return RedirectResponse("/login" + (f"?{urlencode(fields, safe='/')}" if fields else ""), status_code=303)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, QaError)
    return _answer(request, status_of(error), page_words(error), stale=isinstance(error, StalePage))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = "、".join(".".join(str(part) for part in item["loc"][1:]) or "内容" for item in error.errors()[:5])
    return _answer(request, 422, f"提交的内容不对：{places}。")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {404: "没有这个页面。地址可能写错了，或它已经不在了。", 405: "这个地址不能这样使用。"}
    return _answer(request, error.status_code, messages.get(error.status_code, str(error.detail)))


async def _fault(request: Request, error: Exception) -> Response:
    return _answer(request, 500, "程序出错了，您的操作没有保存。请再试一次；仍不行请把时间和操作告诉管理员。")


def _answer(request: Request, status: int, message: str, *, stale: bool = False) -> Response:
    if wants_json(request):
        return JSONResponse({"error": message} | ({"stale": True} if stale else {}), status_code=status)
    form = page_before(request) if request.method == "POST" else ""
    title = _TITLES.get(status, "出错了")
    return render(_ask_for_error(request), "error.html", status=status, title=title, message=message, form=form)


def _ask_for_error(request: Request) -> Ask:
    """Who asked, as far as it is known, for the menu of the error page."""
    from starlette.datastructures import FormData

    from qa_pipeline.web.sessions import COOKIE

    site: Site = request.app.state.site
    session = site.sessions.read(request.cookies.get(COOKIE))
    found = site.person(session.person_id) if session is not None else None
    return Ask(
        request=request, site=site, person=found[0] if found else NOBODY, session=session if found else None, form=FormData()
    )
