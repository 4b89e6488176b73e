"""Follow-up across calls, the blacklist, the morning, retention."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest
from casework_make import Centre, finding

from qa_pipeline.casework import complaints, day, day_sheet, followup, retention, reviews
from qa_pipeline.casework.day import Morning
from qa_pipeline.casework.values import CaseState, Decision
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import CallData, CallOutcome, CallType, Recording
from qa_pipeline.scoring import score
from qa_pipeline.store import BatchInfo

NUMBER = "13900001111"


def trial(centre: Centre, *, started: str = "2026-11-02T10:00:00", days: int = 30) -> str:
    return centre.call(customer_number=NUMBER, started_at=started, trial_days=days)


def confirm(centre: Centre, started: str, outcome: CallOutcome = CallOutcome.SUCCESS, *clauses: str) -> str:
    return centre.call(
        *(finding(clause) for clause in clauses),
        customer_number=NUMBER,
        started_at=started,
        call_type=CallType.CONFIRM,
        outcome=outcome,
    )


def seen(centre: Centre, today: str) -> list[tuple[str, str, bool, int, list[str]]]:
    with centre.act("lead") as tx:
        found = followup.confirmations(tx, date.fromisoformat(today), open_only=False)
    return [(item.state, str(item.charge_day), item.extended, len(item.done), [str(due) for due in item.due]) for item in found]


def test_two_confirmations_before_charging(centre: Centre) -> None:
    trial(centre)
    assert seen(centre, "2026-11-03") == [("待确认", "2026-12-02", False, 0, ["2026-11-17", "2026-11-29"])]
    assert seen(centre, "2026-11-18")[0][0] == "逾期未确认"
    confirm(centre, "2026-11-16T10:00:00")
    assert seen(centre, "2026-11-18") == [("待确认", "2026-12-02", False, 1, ["2026-11-29"])]
    confirm(centre, "2026-11-25T10:00:00")
    assert seen(centre, "2026-11-26") == [("已确认", "2026-12-02", False, 2, [])]


def test_a_confirmation_that_breaks_the_standards_does_not_count(centre: Centre) -> None:
    trial(centre)
    confirm(centre, "2026-11-16T10:00:00", CallOutcome.SUCCESS, "C1")
    confirm(centre, "2026-11-20T10:00:00")
    assert seen(centre, "2026-12-02") == [("不得收费", "2026-12-02", False, 1, ["2026-11-29"])]


def test_an_unreachable_customer_gets_one_more_trial_period(centre: Centre) -> None:
    trial(centre)
    confirm(centre, "2026-11-16T10:00:00", CallOutcome.NO_ANSWER)
    assert seen(centre, "2026-12-05") == [("待确认", "2027-01-01", True, 0, ["2026-12-17", "2026-12-29"])]
    confirm(centre, "2026-12-10T10:00:00")
    confirm(centre, "2026-12-20T10:00:00")
    assert seen(centre, "2026-12-21") == [("已确认", "2027-01-01", True, 2, [])]


def test_a_customer_who_no_longer_wants_it(centre: Centre) -> None:
    trial(centre)
    confirm(centre, "2026-11-16T10:00:00", CallOutcome.REFUSED)
    assert seen(centre, "2026-11-17") == [("已取消", "2026-12-02", False, 0, [])]


def test_invalid_sales_are_called_back(centre: Centre) -> None:
    case = centre.done(finding("C1"), finding("A13"), finding("A04"), confirm=("C1", "A13", "A04"))
    centre.done(finding("C1"))  # rejected: the sale stands
    with centre.act("qa1") as tx:
        found = followup.callback_list(tx)
        assert [(item.call_id, item.case_id, item.reasons, item.result) for item in found] == [
            (case.call_id, case.case_id, ("A13 A13", "C1 C1"), "")
        ]
        followup.record_revisit(tx, case.call_id, "未接通")
        assert [item.result for item in followup.callback_list(tx)] == ["未接通"]
        with pytest.raises(CaseworkError, match="是否符合四项标准"):
            followup.record_revisit(tx, case.call_id, "继续使用")
        with pytest.raises(CaseworkError, match="回访结果只能是"):
            followup.record_revisit(tx, case.call_id, "很好")
        followup.record_revisit(tx, case.call_id, "继续使用", standards_met=False)
        assert len(followup.callback_list(tx)) == 1  # the revisit itself missed a standard: again
        followup.record_revisit(tx, case.call_id, "继续使用", standards_met=True)
        assert followup.callback_list(tx) == []
        assert len(followup.callback_list(tx, open_only=False)) == 1


def test_blacklist(centre: Centre) -> None:
    with centre.act("lead") as tx:
        complaints.list_number(tx, "+86 139 0000 1111", "多次投诉")
        with pytest.raises(CaseworkError, match=r"139\*\*\*\*1111 已经在黑名单里"):
            complaints.list_number(tx, NUMBER, "又")
        assert complaints.marked(tx, ["8613900001111", NUMBER, "13900002222"]) == {"8613900001111", NUMBER}
        assert [item[:2] for item in complaints.blacklist(tx)] == [(NUMBER, "多次投诉")]
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要质检组长、经理"):
        complaints.list_number(tx, NUMBER, "?", listed=False)
    with centre.act("lead") as tx:
        complaints.list_number(tx, NUMBER, "客户同意来电", listed=False)
        assert complaints.blacklist(tx) == []
        with pytest.raises(CaseworkError, match="不在黑名单里"):
            complaints.list_number(tx, NUMBER, "?", listed=False)


# The morning


def manifest(centre: Centre, count: int = 10) -> tuple[CallData, ...]:
    return tuple(
        CallData(
            call_id=f"m{number:03d}",
            agent_id=str(1001 + number % 2),
            team="一组",
            customer_number=NUMBER if number == 0 else f"1380000{number:04d}",
            started_at=f"2026-11-02T{9 + number // 2:02d}:00:00",
            ended_at=f"2026-11-02T{9 + number // 2:02d}:01:00",
            outcome=CallOutcome.NO_ANSWER if number == 9 else CallOutcome.REFUSED,
        )
        for number in range(count)
    )


def test_the_morning_is_idempotent(centre: Centre, tmp_path: Path) -> None:
    from casework_make import run_of

    calls = manifest(centre)
    heard: list[frozenset[str]] = []

    def audit(call_ids: frozenset[str]) -> None:
        heard.append(call_ids)
        good = [call for call in calls if call.call_id in call_ids and call.call_id != "m003"]  # m003: the recording is broken
        centre.store.save(
            [run_of(call, (finding("A04"),)) for call in good], BatchInfo(batch_id="d", started_at="2026-11-02T18:00:00")
        )

    with centre.act("lead") as tx:
        complaints.list_number(tx, NUMBER, "多次投诉")
    morning = Morning(day=date(2026, 11, 2), calls=calls, source="manifest.csv", audit=audit, seed="固定")
    results, sheets = [], []
    for _ in range(2):
        results.append(day.run_morning(centre.desk, "lead", datetime(2026, 11, 3, 9), morning))
        with centre.desk.act("lead", datetime(2026, 11, 3, 9)) as tx:
            sheets.append(day_sheet.sheet(tx, results[-1]))
    first, second = results
    chosen = frozenset(item.call.call_id for item in first.sample.items)
    assert heard == [chosen, chosen]
    assert (first.calls, first.sample.frame, first.blacklisted) == (10, 9, ("m000",))
    assert first.unheard == tuple(sorted(chosen & {"m003"}))
    assert first.opened == len(chosen - {"m003"}) + round(0.1 * len(first.sample.base))
    assert (second.opened, second.unassigned) == (0, ())
    assert sheets[0] == sheets[1]
    assert "# 质检日报 2026-11-02" in sheets[0]
    assert "- 清单通话 10 通，有效录音 9 通" in sheets[0]
    path = tmp_path / "out" / "日报.md"
    day_sheet.write(path, sheets[0])
    assert path.read_text(encoding="utf-8") == sheets[0]
    centre.now = datetime(2026, 11, 3, 10)
    with centre.act("qa1") as tx:
        assert [item.what for item in day.waiting_for(tx, tx.actor)] == ["工单待复核"]


def test_everybody_sees_what_waits(centre: Centre) -> None:
    centre.case(finding("A04"))
    done = centre.done(finding("B7"), confirm=("B7",))
    waits = {}
    for person in ("qa1", "lead", "boss", "a1001", "chief1", "admin"):
        with centre.act(person, hours=6) as tx:
            waits[person] = [(item.what, item.things, item.overdue) for item in day.waiting_for(tx, tx.actor)]
    assert waits == {
        "qa1": [("工单待复核", ("K20261102-0001",), 0)],
        "lead": [],
        "boss": [("处分建议待决定", ("P20261102-0001",), 0)],
        "a1001": [("质检结果可以申诉", (done.case_id,), 0)],
        "chief1": [],
        "admin": [],
    }
    with centre.act("qa1", days=1) as tx:
        assert [(item.what, item.overdue) for item in day.waiting_for(tx, tx.actor)] == [("工单待复核", 1)]


# Retention


def heard(centre: Centre, folder: Path, name: str, *outcomes: object, **fields: object) -> tuple[str, Path]:
    audio = folder / f"{name}.wav"
    audio.write_bytes(name.encode() * 100)
    recording = Recording(
        path=str(audio),
        audio_hash=hashlib.sha256(audio.read_bytes()).hexdigest(),
        duration_s=60.0,
        sample_rate=8000,
        channels=2,
        codec="pcm",
    )
    return centre.call(*outcomes, recording=recording, **fields), audio  # type: ignore[arg-type]


def test_purge_takes_words_and_leaves_money(centre: Centre, tmp_path: Path) -> None:
    old, old_audio = heard(centre, tmp_path, "old", finding("A04", quote="独有的一句原话"))
    changed, changed_audio = heard(centre, tmp_path, "changed")
    changed_audio.write_bytes(b"somebody edited this file")
    busy, busy_audio = heard(centre, tmp_path, "busy", finding("A04"))
    clips = tmp_path / "clips"
    (clips / old).mkdir(parents=True)
    (clips / old / "0.mp3").write_bytes(b"clip")
    from qa_pipeline.casework import assigning, cases
    from qa_pipeline.casework.cases import Opening

    with centre.act("lead") as tx:
        for call_id in (old, busy):
            case = cases.open_case(tx, Opening(call_id=call_id, reason="抽查"))
            assigning.assign(tx, case.case_id, "qa1")
        first = cases.find_cases(tx, call_id=old)[0]
    centre.decide(first, "A04")
    centre.finish(first)
    centre.now = datetime(2026, 12, 8, 9)
    from qa_pipeline.casework import closing

    with centre.act("lead") as tx:
        closing.close_month(tx, "2026-11")
    centre.now = datetime(2027, 6, 1, 9)
    fresh, fresh_audio = heard(centre, tmp_path, "fresh", started_at="2027-05-30T09:00:00")
    assert "独有的一句原话".encode() in centre.store.path.read_bytes()
    money = centre.money()
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要管理员、经理"):
        retention.plan(tx, date(2026, 12, 1))
    with centre.act("boss") as tx:
        assert retention.before_day(tx, tx.at.date()) == date(2026, 12, 3)
        planned = retention.plan(tx, date(2026, 12, 3), (clips,))
        assert planned.calls == (old, changed)
        assert planned.files == (str(old_audio), str(clips / old / "0.mp3"))
        assert planned.kept == ((str(changed_audio), "内容与质检时不同，没有删除"),)
    assert old_audio.exists()  # a plan takes nothing
    with centre.act("boss") as tx:
        done = retention.carry_out(tx, planned)
        assert [row[0] for row in retention.receipts(tx)] == [done.receipt_id]
    retention.rewrite(centre.store.path)
    assert (old_audio.exists(), changed_audio.exists(), busy_audio.exists(), fresh_audio.exists()) == (False, True, True, True)
    assert "独有的一句原话".encode() not in centre.store.path.read_bytes()
    assert centre.store.load_run(old) is None
    assert centre.store.load_run(busy) is not None
    assert centre.store.load_run(fresh) is not None
    call = centre.store.load_call(old)
    assert call is not None
    assert (call.customer_number, call.customer_name, call.agent_id) == (None, None, "1001")
    with centre.store.read() as connection:
        kept = "SELECT quote, verdict FROM outcomes WHERE call_id = ?"
        assert connection.execute(kept, [old]).fetchall() == [("（已按保存期清理）", "违规")]
        assert connection.execute("SELECT score FROM scores WHERE call_id = ?", [old]).fetchone() == (90,)
        assert connection.execute("SELECT count(*) FROM turns WHERE call_id = ?", [old]).fetchone() == (0,)
    assert centre.money() == money
    assert centre.problems() == []
    with centre.act("boss") as tx:
        again = retention.plan(tx, date(2026, 12, 3), (clips,))
        assert (again.calls, again.files) == ((), ())
        assert followup.recheck_list(tx) == []
    with centre.act("lead") as tx:
        with pytest.raises(CaseworkError, match="已按保存期清理"):
            cases.get_case(tx, first.case_id)
            tx.run(first.run_id)
        assert cases.get_case(tx, first.case_id).state is CaseState.FINISHED
    assert Decision.CONFIRM.stands


def test_a_reviewed_call_without_a_score_is_neither_good_nor_bad(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was heard, and the reviewer found nothing: no result for rates and re-checks. What a person finds is scored."""
    monkeypatch.setattr("casework_make.score", partial(score, judged=False))
    silent, found = centre.done(), centre.case()
    with centre.act("qa1") as tx:
        reviews.add_finding(tx, found.case_id, reviews.Added(clause="M09", reason="躺着打电话"))
    found = centre.finish(found)
    with centre.act("lead") as tx:
        results = dict(tx.rows("SELECT case_id, (score, qualified) FROM case_results_now"))
        assert results == {silent.case_id: (None, None), found.case_id: (99, True)}
        assert followup.recheck_list(tx) == []


def test_a_call_that_people_have_worked_on_is_not_removed(centre: Centre) -> None:
    from qa_pipeline.casework import removing

    case = centre.done(finding("A04"), confirm=("A04",))
    other = centre.call(finding("A04"))
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要管理员、经理"):
        removing.plan(tx, other)
    with centre.act("boss") as tx:
        with pytest.raises(CaseworkError, match=f"“{case.call_id}”已经有工单 {case.case_id}，台账 {case.case_id}，不能删除"):
            removing.plan(tx, case.call_id)
        removed = removing.carry_out(tx, removing.plan(tx, other))
    assert (removed.call_id, removed.runs, removed.score, removed.receipt_id[:1]) == (other, 1, 90, "R")
    with centre.store.read() as connection:
        left = {name for (name,) in connection.execute("SELECT DISTINCT call_id FROM outcomes").fetchall()}
    assert left == {case.call_id}
    assert centre.store.load_run(other) is None and centre.store.load_call(other) is None


def test_a_purge_in_the_future_is_refused(centre: Centre) -> None:
    with centre.act("boss") as tx, pytest.raises(CaseworkError, match="在今天之后"):
        retention.plan(tx, date(2030, 1, 1))
