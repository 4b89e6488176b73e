"""The rule studio: rules with their examples, drafts tried before they count, back-tests, publishing, versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from qa_pipeline.casework import agreement
from qa_pipeline.errors import UserError
from qa_pipeline.rules.book import Rule
from qa_pipeline.web import drafts
from qa_pipeline.web.actions import Model
from qa_pipeline.web.again import again
from qa_pipeline.web.backtest import Job, new_job
from qa_pipeline.web.guard import Ask, Asked, NotHere, plain
from qa_pipeline.web.overview import result
from qa_pipeline.web.reading.span import latest
from qa_pipeline.web.rulebook import MOST_BYTES, POLICY
from qa_pipeline.web.views import back, render

router = APIRouter()


def _trust(ask: Ask) -> dict[str, agreement.ClauseTrust]:
    (trust, *_), _ = result(ask.site, "calibration")
    return {item.clause: item for item in trust}


def _name(rule: Rule) -> str:
    """The file of a rule, relative to the rules folder (the book shows it with the folder's name in front)."""
    return rule.path.split("/", 1)[1]


@router.get("/studio", name="studio")
def studio(ask: Asked) -> Response:
    from qa_pipeline.rules.examples import thin_examples

    rules = [(rule.spec, _name(rule), thin_examples(rule.spec)) for rule in ask.site.book().rules]
    return render(ask, "studio.html", rules=rules, trust=_trust(ask), hint=ask.site.rules.needs_configuration)


@router.get("/studio/rules/{rule_id}", name="studio.rule")
def rule(ask: Asked, rule_id: str) -> Response:
    from qa_pipeline.rules.examples import run_examples

    book = ask.site.book()
    try:
        found = book.rule(rule_id)
    except KeyError:
        raise NotHere(f"规则里没有 {rule_id}。") from None
    name = _name(found)
    text = ask.site.rules.files()[name].read_text(encoding="utf-8-sig")
    results, _ = ask.site.results.get(("examples", book.digest, rule_id), lambda: run_examples(book, found))
    versions = [version for version in ask.site.rules.versions() if name in version.changed]
    return render(
        ask,
        "rule.html",
        spec=found.spec,
        name=name,
        text=text,
        results=results,
        examples={"violating": found.spec.examples.violating, "clear": found.spec.examples.clear, "todo": found.spec.examples.todo},
        trust=_trust(ask).get(found.clause),
        versions=versions,
    )


@router.get("/studio/draft", name="studio.draft")
def draft(ask: Asked) -> Response:
    from qa_pipeline.rules.skeleton import skeleton

    name = ask.text("file")
    job = ask.site.jobs.get(ask.text("job"))
    if job is not None:
        return _draft(ask, job.name, job.text)
    text = drafts.in_force(ask.site, name) if name else skeleton("X01")
    if text is None:
        raise NotHere(f"没有规则文件 {name}。")
    return _draft(ask, name, text)


@router.post("/studio/draft", name="studio.draft.again")
def draft_again(ask: Asked) -> Response:
    """Back from the preview to the draft as it was written."""
    return _draft(ask, ask.text("name"), _text(ask))


def _draft(ask: Ask, name: str, text: str, problem: str = "") -> Response:
    """The page of a draft, with the text that was written. ``unsaved``: leaving it would lose something."""
    from qa_pipeline.rules.skeleton import skeleton

    known = drafts.in_force(ask.site, name)
    unsaved = drafts.plain_text(text) != drafts.plain_text(skeleton("X01") if known is None else known)
    return render(
        ask,
        "draft.html",
        status=422 if problem else 200,
        name=name,
        text=text,
        is_new=known is None,
        unsaved=unsaved,
        problem=problem,
    )


class Draft(Model):
    name: str = Field("draft.yaml", max_length=80)
    text: str = Field(max_length=MOST_BYTES)
    call_id: str = ""
    model_config = ConfigDict(extra="forbid", str_max_length=MOST_BYTES)


@router.post(
    "/api/v1/studio/check", name="api.rule.check", summary="检查一份规则草稿：错误、例子、在已存通话上的结果", tags=["规则"]
)
def check(ask: Asked, body: Draft) -> Response:
    run = ask.site.mirror.store.load_run(body.call_id) if body.call_id else None
    if body.call_id and run is None:
        raise UserError(f"没有通话 {body.call_id}。")
    found = drafts.check(ask.site, body.name or "draft.yaml", body.text, runs=drafts.recent_runs(ask.site), explain_run=run)
    return JSONResponse({"good": found.good, **plain(found)})


@router.post("/studio/publish/check", name="studio.publish.check")
def check_publish(ask: Asked) -> Response:
    """The difference to the rule in force, and the question whether it shall count."""
    name, text = ask.text("name"), _text(ask)
    try:
        return _preview(ask, drafts.propose(ask.site, name, text), text)
    except UserError as error:
        return _draft(ask, name, text, str(error))


@router.post("/studio/publish", name="studio.publish")
def publish(ask: Asked) -> Response:
    name, text = ask.text("name"), _text(ask)
    try:
        proposal = drafts.propose(ask.site, name, text)
        if ask.text("seen") != proposal.seen:
            return _preview(ask, proposal, text, "规则文件与您看到差别的时候不一样了，还没有发布。请看过现在的差别再发布。")
        if not ask.text("reason"):
            return _preview(ask, proposal, text, "请写明这次改动的原因。还没有发布。")
        version = drafts.publish(ask.site, ask.person, {name: text}, ask.text("reason"))
    except UserError as error:
        return _draft(ask, name, text, str(error))
    message = f"已发布第 {version.number} 版。以后的通话按新规则判定；已有的通话用 qa rescore 重新判定。"
    return back(ask, "/studio/versions", message)


def _preview(ask: Ask, proposal: drafts.Proposal, text: str, problem: str = "") -> Response:
    return render(ask, "publish_check.html", status=422 if problem else 200, proposal=proposal, text=text, problem=problem)


@router.get("/studio/versions", name="studio.versions")
def versions(ask: Asked) -> Response:
    return render(ask, "versions.html", versions=ask.site.rules.versions(), hint=ask.site.rules.needs_configuration, policy=POLICY)


@router.get("/studio/backtest", name="studio.backtest")
def backtest(ask: Asked) -> Response:
    return render(ask, "backtest.html", jobs=ask.site.jobs.all(), files=sorted(ask.site.rules.files()))


@router.post("/studio/backtest", name="studio.backtest.start")
def start(ask: Asked) -> Response:
    name, text = ask.text("name"), _text(ask)
    upload = ask.form.get("file")
    if isinstance(upload, UploadFile) and upload.size:
        name, text = name or Path(upload.filename or "").name, _uploaded(upload)
    if not text.strip() or not name:
        return again(ask, "/studio/backtest", "请选择要回测的规则文件。")
    folder = [file for file in ask.site.rules.files() if file.rsplit("/", 1)[-1] == name]
    name = name if "/" in name or not folder else folder[0]
    checked = drafts.check(ask.site, name, text, runs=[])
    if checked.problems:
        return again(ask, "/studio/backtest", f"{name}：{checked.problems[0]}")
    with ask.look() as tx:
        since = latest(tx, ask.number("days", 0, most=3650)).date_from
    job = new_job(name, text, ask.person.person_id, ask.site.now())
    ask.site.jobs.start(ask.site, job, since)
    return back(ask, f"/studio/backtest/{job.job_id}")


def _text(ask: Ask) -> str:
    value = ask.form.get("text", "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _uploaded(upload: UploadFile) -> str:
    data = upload.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UserError("规则文件太大（上限 200 KB）。")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UserError("规则文件不是 UTF-8 编码，请另存为 UTF-8。") from None


@router.get("/studio/backtest/{job_id}", name="studio.backtest.show")
def show(ask: Asked, job_id: str) -> Response:
    return render(ask, "backtest_result.html", job=_job(ask, job_id))


@router.get("/api/v1/backtests/{job_id}", name="api.backtest", summary="一次回测的进度和结果", tags=["规则"])
def progress(ask: Asked, job_id: str) -> Response:
    job = _job(ask, job_id)
    body: dict[str, Any] = {"running": job.running, "done": job.done, "total": job.total, "error": job.error}
    return JSONResponse(body | {"result": job.result})


def _job(ask: Ask, job_id: str) -> Job:
    job = ask.site.jobs.get(job_id)
    if job is None:
        raise NotHere("没有这次回测；服务器重启后，以前的回测就不在了。")
    return job


@router.get("/api/v1/rules", name="api.rules", summary="规则列表", tags=["规则"])
def rules(ask: Asked) -> Response:
    return JSONResponse(
        [
            {
                "clause": item.clause,
                "rule": item.spec.rule,
                "title": item.spec.title,
                "source": f"{item.spec.source.doc} {item.spec.source.article}",
                "advice": item.spec.advice,
                "file": _name(item),
            }
            for item in ask.site.book().rules
        ]
    )
