"""``qa serve``: the pages for QA staff, managers and agents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework.common import time_of
from qa_pipeline.cli.common import DbOption, Exit, RulesOption, ask_password, say, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from qa_pipeline.config import Settings

PASSWORD_VARIABLE = "QA_ADMIN_PASSWORD"


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    db: DbOption = None,
    rules: RulesOption = None,
    host: Annotated[
        str | None, typer.Option("--host", help="监听的地址，默认 127.0.0.1，只有本机能访问。", show_default=False)
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="端口，默认 8000。", show_default=False)] = None,
    init_admin: Annotated[
        str | None,
        typer.Option(
            "--init-admin",
            help=f"第一次使用：建立这个编号的管理员并设定密码（询问，或读环境变量 {PASSWORD_VARIABLE}），然后结束。",
            show_default=False,
            metavar="编号",
        ),
    ] = None,
    behind_proxy: Annotated[bool, typer.Option("--behind-proxy", help="前面有反向代理：采信它转来的协议和来源地址。")] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", help="演示用：从这个时间开始计时，如 2026-11-02T09:30。", show_default=False, metavar="时间"),
    ] = None,
) -> int:
    """打开网页：复核、管理、申诉、规则。数据和程序都在本机，不用联网。"""
    settings = settings_of(db=db, rules=rules, web__host=host, web__port=port)
    if init_admin is not None:
        return _init_admin(settings, init_admin)
    return _serve(settings, behind_proxy=behind_proxy, now=clock_from(at))


def clock_from(text: str | None) -> Callable[[], datetime]:
    """The clock of the computer, or one that starts at a given time."""
    from datetime import datetime

    if text is None:
        return datetime.now
    start, began = time_of(text), datetime.now()
    return lambda: start + (datetime.now() - began)


def _init_admin(settings: Settings, person_id: str) -> int:
    from datetime import datetime

    from qa_pipeline.casework import people
    from qa_pipeline.casework.desk import Desk
    from qa_pipeline.casework.values import Person, Post
    from qa_pipeline.policy import load_policy
    from qa_pipeline.store import open_store

    desk = Desk(store=open_store(settings.db), policy=load_policy(settings.policy_file()))
    if settings.db.exists():
        with desk.found(datetime.now()):
            pass  # a store that has people is refused before anything is asked
    otherwise = f"请在终端里运行，或用环境变量 {PASSWORD_VARIABLE} 给出密码。"
    password = os.environ.get(PASSWORD_VARIABLE) or ask_password("管理员密码", otherwise)
    with desk.found(datetime.now()) as tx:
        people.save_person(tx, Person(person_id=person_id, name="管理员", posts=(Post.ADMIN,)))
        people.set_password(tx, person_id, password)
    say(f"管理员 {person_id} 已建立。运行 qa serve 打开网页，登录后在“人员”里添加其他人。")
    return Exit.DONE


def _serve(settings: Settings, *, behind_proxy: bool, now: Callable[[], datetime]) -> int:
    import uvicorn

    from qa_pipeline.web.app import create_app
    from qa_pipeline.web.site import Options

    local = settings.web.host in ("127.0.0.1", "localhost", "::1")
    app = create_app(Options(settings=settings, only_local=local, behind_proxy=behind_proxy, now=now))
    if not _has_people(settings.db):
        say("还没有任何人员。先运行 qa serve --init-admin admin 建立管理员。")
    say(f"网页：http://{settings.web.host}:{settings.web.port}/    结束请按 Ctrl-C。")
    own_rules = app.state.site.rules.needs_configuration
    if own_rules is not None:
        say(f'本中心改过的规则在 {own_rules}。要让 qa run 也用它，在 qa.toml 里写：rules = "{own_rules}"')
    if not local and not behind_proxy:
        say("注意：别的电脑可以访问，而且没有加密。请放在反向代理（HTTPS）之后，并加 --behind-proxy。")
    uvicorn.run(
        app,
        host=settings.web.host,
        port=settings.web.port,
        log_level="warning",
        proxy_headers=behind_proxy,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return Exit.DONE


def _has_people(db: Path) -> bool:
    from qa_pipeline.store import open_store

    with open_store(db).read() as connection:
        return connection.execute("SELECT 1 FROM people_log LIMIT 1").fetchone() is not None
