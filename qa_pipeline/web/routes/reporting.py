"""Reports to take away: every kind of ``qa report`` as a file, for those whose work it is."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from qa_pipeline.casework.values import Post
from qa_pipeline.errors import UserError
from qa_pipeline.report.kinds import FORMS, REPORTS, ReportKind
from qa_pipeline.report.reading import Wish
from qa_pipeline.web.again import again
from qa_pipeline.web.guard import Ask, Asked, NotHere, Refused
from qa_pipeline.web.reading.access import own_team
from qa_pipeline.web.reading.flagged import teams_of
from qa_pipeline.web.views import back, render

router = APIRouter()
WITH_LIST = "settlement"  # is made from a list that somebody brings
OF_A_TEAM = frozenset({"agent", "script"})  # can be had for one team or one agent, and so for its leader
_SPANS = {"day": "最后一天", "week": "最后一周", "month": "最后一个月", "all": "全部"}
_CONTENT = {  # where the words for the command line would not help
    "agent": "每人的成绩与走势；写工号就是一个人的全部通话、发现和原话",
    "clause": "每条条款的通数与比例、每日与每周走势、机检的可信度",
    "kpi": "项目指标、效率、质量与标准对照；要先用 qa kpi import 导入通话记录",
    "sample": "随机抽查的进度与比例、加抽的名单",
    "followup": "待回访、待二次确认、拨打了黑名单号码",
}
_TYPES = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}
_PATIENCE_S = 60.0
_one = threading.Lock()  # a large report takes seconds of a processor: one at a time, so that pages stay quick


def kinds_for(ask: Ask) -> dict[str, ReportKind]:
    """The reports that this person may have: a team leader those that can be cut to the team."""
    everything = ask.has(Post.QA_LEAD, Post.MANAGER)
    return {kind: chosen for kind, chosen in REPORTS.items() if everything or kind in OF_A_TEAM}


@router.get("/reports", name="reports")
def reports(ask: Asked) -> Response:
    with ask.look() as tx:
        teams = teams_of(tx)
    kinds = kinds_for(ask)
    return render(
        ask,
        "reports.html",
        kinds={kind: _words(kind) for kind in kinds if kind != WITH_LIST},
        settlement=WITH_LIST in kinds,
        of_a_team=OF_A_TEAM,
        teams=teams,
        date_from=ask.text("from"),
        date_to=ask.text("to"),
        agent_id=ask.text("agent"),
        team=ask.text("team"),
    )


def _words(kind: str) -> tuple[str, str, str]:
    """Name, content and the period when none is given."""
    name, *rest = re.split(r"[：，；]", REPORTS[kind].help.rstrip("。"), maxsplit=1)
    return name, _CONTENT.get(kind, "".join(rest)), _SPANS[REPORTS[kind].span]


@router.get("/reports/{kind}", name="report")
def report(ask: Asked, kind: str) -> Response:
    if kind == WITH_LIST:
        return back(ask, "/reports", "结算表要先选择清单文件。", kind="bad")
    try:
        return _made(ask, kind, ask.text("form", "html"), _wish(ask))
    except UserError as error:
        return back(ask, _filled(ask), str(error), kind="bad")


def _filled(ask: Ask) -> str:
    """The list of reports with what was asked for still in its fields; these stand in the address anyway."""
    asked = {name: ask.text(name) for name in ("from", "to", "agent", "team") if ask.text(name)}
    return f"/reports?{urlencode(asked)}" if asked else "/reports"


@router.get("/api/v1/reports/{kind}", name="api.report", summary="一份报表：form=json、html、xlsx 或 md", tags=["报表"])
def api_report(ask: Asked, kind: str) -> Response:
    if kind == WITH_LIST:
        raise UserError("结算表要先选择清单文件：请在“报表”页面里做，或用 qa report settlement。")
    return _made(ask, kind, ask.text("form", "json"), _wish(ask))


@router.post("/reports/settlement", name="report.settlement")
def settlement(ask: Asked) -> Response:
    try:
        with _lists(ask) as files:
            return _made(ask, WITH_LIST, ask.text("form", "xlsx"), replace(_wish(ask), files=files))
    except UserError as error:
        return again(ask, "/reports", str(error))


def _wish(ask: Ask) -> Wish:
    """What is asked for. Customers stay covered: a file goes further than a page."""
    return Wish(
        made_at=ask.site.now(),
        date_from=_day(ask.text("from")),
        date_to=_day(ask.text("to")),
        agent=ask.text("agent"),
        team=own_team(ask, ask.text("team")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UserError(f"日期“{text}”看不懂，要写成 2026-11-02 这样。") from None


def _made(ask: Ask, kind: str, form: str, wish: Wish) -> Response:
    from qa_pipeline.report import registry

    if kind not in kinds_for(ask):
        raise NotHere("没有这种报表，或您无权查看。")
    if form not in FORMS:
        raise UserError(f"没有“{form}”这种格式。可用：{'、'.join(FORMS)}。")
    if not _one.acquire(timeout=_PATIENCE_S):
        raise Refused(503, "正在做别的报表，请过一会儿再试。")
    try:
        made = registry.build(ask.site.mirror.store, ask.site.policy, kind, wish)
        data = registry.render(made, form)
    finally:
        _one.release()
    ask.site.access.note(ask.person.person_id, f"报表 {kind}", f"{made.title} {made.period} {form}", ask.site.now())
    name = re.sub(r"[^\w.\-]+", "_", f"{made.title}_{made.period}") + f".{form}"
    way = "inline" if form == "json" else "attachment"
    headers = {"content-disposition": f"{way}; filename=\"{kind}.{form}\"; filename*=UTF-8''{quote(name)}"}
    return Response(data, media_type=_TYPES[form], headers=headers)


@contextmanager
def _lists(ask: Ask) -> Iterator[tuple[Path, ...]]:
    """The lists that were sent in, as files with names of our own; they are gone afterwards. Read as tables, never executed."""
    sent = [item for item in ask.form.getlist("file") if isinstance(item, UploadFile) and item.size]
    if not sent:
        raise UserError("请选择清单文件（CSV 或 XLSX）。")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, item in enumerate(sent, start=1):
            ending = Path(item.filename or "").suffix.lower()
            if ending not in (".csv", ".xlsx"):
                raise UserError("清单要是 CSV 或 XLSX 文件。")
            file = Path(folder) / f"清单{number}{ending}"
            file.write_bytes(item.file.read())
            files.append(file)
        yield tuple(files)
