"""Administration: people, amounts of the policy, settings and retention, the log."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import log, people, retention
from qa_pipeline.casework import settings as casework_settings
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import UserError
from qa_pipeline.web import drafts, policy_edit
from qa_pipeline.web.again import again
from qa_pipeline.web.guard import Ask, Asked
from qa_pipeline.web.reading.words import ACTION
from qa_pipeline.web.rulebook import POLICY
from qa_pipeline.web.views import back, render

router = APIRouter()
PAGE = 100


@router.get("/admin/people", name="admin.people")
def everybody(ask: Asked) -> Response:
    with ask.look() as tx:
        found = people.all_people(tx.connection, active=False)
        signed = {row[0] for row in tx.rows("SELECT DISTINCT person_id FROM credentials")}
    text = ask.text("q")
    shown = [item for item in found if not text or text in (item.person_id, item.team, item.agent_id) or text in item.name]
    return render(ask, "people.html", people=shown, signed=signed, text=text, posts=list(Post), total=len(found))


@router.get("/admin/people/{person_id}", name="admin.person")
def one(ask: Asked, person_id: str) -> Response:
    with ask.look() as tx:
        found = next((item for item in people.all_people(tx.connection, active=False) if item.person_id == person_id), None)
    person = found or Person(person_id=person_id, name="", posts=())
    return render(ask, "person.html", person=person, is_new=found is None, posts=list(Post), shortest=people.SHORTEST_PASSWORD)


# Policy


@router.get("/admin/policy", name="admin.policy")
def policy(ask: Asked) -> Response:
    versions = [version for version in ask.site.rules.versions() if POLICY in version.changed]
    titles = {clause: spec.title for clause, spec in ask.site.specs().items()}
    return render(
        ask,
        "policy.html",
        policy=ask.site.policy.file,
        fields=policy_edit.FIELDS,
        totals=policy_edit.TOTALS,
        titles=titles,
        versions=versions[:10],
        hint=ask.site.rules.needs_configuration,
    )


def _edits(ask: Ask) -> list[policy_edit.Edit]:
    return policy_edit.edits_from(ask.site.policy.file, {name: value for name, value in ask.form.items() if isinstance(value, str)})


def _wrong(error: UserError) -> tuple[str, ...]:
    return error.fields if isinstance(error, policy_edit.NoAmount) else ()


@router.post("/admin/policy", name="admin.policy.check")
def check_policy(ask: Asked) -> Response:
    try:
        edits = _edits(ask)
    except UserError as error:
        return again(ask, "/admin/policy", str(error), wrong=_wrong(error))
    if not edits:
        return again(ask, "/admin/policy", "没有改动任何金额。")
    return render(ask, "policy_check.html", edits=edits, names=policy_edit.FIELDS | policy_edit.TOTALS)


@router.post("/admin/policy/publish", name="admin.policy.publish")
def publish_policy(ask: Asked) -> Response:
    try:
        edits = _edits(ask)
        if not edits:
            raise UserError("金额已经是这样了，没有要改的。")
        text = policy_edit.apply(ask.site.rules.policy_text(), edits)
        version = drafts.publish(ask.site, ask.person, {POLICY: text}, ask.text("reason"))
    except UserError as error:
        return again(ask, "/admin/policy", str(error), wrong=_wrong(error))
    return back(ask, "/admin/policy", f"政策第 {version.number} 版已生效。已有的通话用 qa rescore 重新计分。")


# Settings and retention


@router.get("/admin/settings", name="admin.settings")
def settings(ask: Asked) -> Response:
    with ask.look() as tx:
        values = casework_settings.listed(tx.settings)
        receipts = retention.receipts(tx)
        before = retention.before_day(tx, tx.at.date())
    return render(
        ask, "settings.html", values=values, words=casework_settings.EXPLAINED, receipts=receipts[-12:][::-1], before=before
    )


@router.get("/admin/retention", name="admin.retention")
def preview(ask: Asked) -> Response:
    with ask.look() as tx:
        planned = retention.plan(tx, retention.before_day(tx, tx.at.date()))
    return render(ask, "retention.html", planned=planned)


@router.get("/admin/log", name="admin.log")
def audit_log(ask: Asked) -> Response:
    person, action, thing = ask.text("person"), ask.text("action"), ask.text("thing")
    page = ask.number("page", 1, least=1)
    tests = [("person_id = ?", person), ("action = ?", action), ("contains(object, ?)", thing)]
    where = " AND ".join(test for test, value in tests if value) or "true"
    values: list[object] = [value for _, value in tests if value]

    def whole() -> int | None:
        with ask.look() as tx:
            return log.verify(tx.connection)

    with ask.look() as tx:
        total = tx.row(f"SELECT count(*) FROM audit_log WHERE {where}", values)
        rows = tx.rows(
            f"SELECT seq, at_time, person_id, action, object, detail FROM audit_log WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
            [*values, PAGE, PAGE * (page - 1)],
        )
        actions = [row[0] for row in tx.rows("SELECT DISTINCT action FROM audit_log ORDER BY action")]
    broken, at = ask.site.results.get("log", whole, fresh_s=60.0)
    return render(
        ask,
        "log.html",
        rows=rows,
        total=int(total[0]) if total else 0,
        page=page,
        page_size=PAGE,
        actions=actions,
        words=ACTION,
        wanted={"person": person, "action": action, "thing": thing},
        broken=broken,
        at=at,
    )
