"""A call to read and hear: the page without a desk, the recording, clips, the printed sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, BackgroundTasks
from starlette.responses import FileResponse, Response

from qa_pipeline.casework import charges, privacy
from qa_pipeline.casework.cases import Case, get_case
from qa_pipeline.casework.charges import Bill
from qa_pipeline.casework.findings import Finding, findings_of
from qa_pipeline.casework.values import CaseKind, CaseState
from qa_pipeline.errors import AudioError
from qa_pipeline.model import AuditRun, CallData, Recording
from qa_pipeline.report.script_view import script_view
from qa_pipeline.web.guard import Ask, Asked, NotHere, Refused
from qa_pipeline.web.reading import access
from qa_pipeline.web.reading.callpage import call_page, findings_of_run
from qa_pipeline.web.reading.callparts import Shown
from qa_pipeline.web.views import render

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

router = APIRouter()


def shown_to(ask: Ask, call: CallData, bill: Bill | None = None, *, hide: bool = False) -> Shown:
    """How this person sees a call."""
    masker, clear = privacy.masker(ask.person, call), privacy.sees_clear(ask.person)
    return Shown(masker=masker, specs=ask.site.specs(), masked=not clear, hide=hide, bill=bill, who=ask.site.who)


def page_values(ask: Ask, run: AuditRun, findings: Sequence[Finding], shown: Shown) -> dict[str, Any]:
    """What the template of a call needs."""
    page = call_page(run, findings, shown)
    media = media_url(ask, page.call_id) if page.has_audio else ""
    return {"page": page, "card": run.scorecard, "media": media, "bill": shown.bill}


def bill_for(tx: Tx, case: Case | None) -> Bill | None:
    """What the decisions of a primary case come to; other cases cost nothing."""
    if case is None or case.kind is not CaseKind.PRIMARY or case.state is CaseState.VOID:
        return None
    return charges.bill_of(tx, case)


def media_url(ask: Ask, call_id: str) -> str:
    assert ask.session is not None
    return f"/calls/{call_id}/audio?t={ask.site.sessions.media_token(ask.session, call_id)}"


def manual_items(ask: Ask) -> list[tuple[str, str]]:
    """What a reviewer may add: the clauses of the book and the manual items of the policy."""
    titles = {spec.clause: spec.title for spec in ask.site.specs().values()}
    clauses = [(code, titles.get(code, "")) for code in ask.site.policy.file.clauses]
    return clauses + [(code, item.title) for code, item in ask.site.policy.file.manual.items()]


@router.get("/calls/{call_id}", name="call")
def call(ask: Asked, call_id: str) -> Response:
    with ask.look() as tx:
        data = access.opened_call(ask, tx, call_id, "文字")
        case_id = access.primary_case(tx, call_id)
        case = get_case(tx, case_id) if case_id else None
        secret = access.open_double(tx, call_id)
        run = tx.run(case.run_id) if case is not None else tx.store.load_run(call_id)
        if run is None:
            raise NotHere(f"通话 {call_id} 的文字已按保存期清理。")
        decided = case is not None and not secret
        findings = findings_of(tx, case) if decided and case is not None else findings_of_run(run)
        bill = bill_for(tx, case) if decided else None
    values = page_values(ask, run, findings, shown_to(ask, data, bill)) | {"script": script_view(run.conversation)}
    return render(ask, "call.html", case=case if decided else None, secret=secret, **values)


@router.get("/calls/{call_id}/sheet", name="sheet")
def sheet(ask: Asked, call_id: str) -> Response:
    """质检评分表, to print."""
    with ask.look() as tx:
        data = access.opened_call(ask, tx, call_id, "评分表")
        case_id = access.primary_case(tx, call_id)
        case = get_case(tx, case_id) if case_id else None
        if case is None or case.state is not CaseState.FINISHED or access.open_double(tx, call_id):
            raise NotHere("这通电话还没有完成复核，没有评分表。")
        run = tx.run(case.run_id)
        findings = [item for item in findings_of(tx, case) if item.confirmed]
        bill = charges.bill_of(tx, case)
    return render(ask, "sheet.html", case=case, **page_values(ask, run, findings, shown_to(ask, data, bill)))


def _recording(ask: Ask, call_id: str, what: str) -> Recording:
    """The recording behind a signed address, if this person may still open the call."""
    if ask.session is None or not ask.site.sessions.media_right(ask.session, call_id, ask.text("t")):
        raise Refused(410, "录音地址已过期，请刷新页面。")
    with ask.look() as tx:
        if ask.request.headers.get("range", "bytes=0-").startswith("bytes=0-"):
            access.opened_call(ask, tx, call_id, what)
        else:  # the next piece of what is being played
            data = tx.store.load_call(call_id)
            if data is None or not privacy.may_open(ask.person, data):
                raise NotHere
        row = tx.row("SELECT audio_hash FROM current_runs WHERE call_id = ?", [call_id])
        found = tx.store.recordings([row[0]]) if row and row[0] else {}
    if not found:
        raise NotHere("这通电话没有录音（导入的转写，或已按保存期清理）。")
    return next(iter(found.values()))


@router.get("/calls/{call_id}/audio", name="audio")
def audio(ask: Asked, call_id: str, after: BackgroundTasks) -> Response:
    recording = _recording(ask, call_id, "录音")
    try:
        playable = ask.site.sounds.playable(recording)
    except AudioError as error:
        raise NotHere(str(error)) from error
    return FileResponse(playable.path, media_type=playable.media_type, headers={"cache-control": "private, max-age=1800"})


@router.get("/calls/{call_id}/clip", name="clip")
def clip(ask: Asked, call_id: str) -> Response:
    try:
        start_s, end_s = float(ask.text("from", "0")), float(ask.text("to", "0"))
    except ValueError:
        raise Refused(422, "片段的起止要写成秒数。") from None
    if not 0 <= start_s < end_s < 1e6:
        raise Refused(422, "片段的起止不对。")
    recording = _recording(ask, call_id, "片段")
    try:
        data = ask.site.sounds.clip(recording, start_s, end_s)
    except AudioError as error:
        raise NotHere(str(error)) from error
    return Response(data, media_type="audio/wav", headers={"cache-control": "private, max-age=1800"})
