"""A case from opening to finishing: who may, what it costs, what is refused."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest
from casework_make import Centre, clear, finding

from qa_pipeline.casework import assigning, cases, reviews
from qa_pipeline.casework.cases import Opening
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.reviews import Added, Judgement
from qa_pipeline.casework.values import CaseKind, CaseState, Decision
from qa_pipeline.errors import CaseworkError, ConflictError
from qa_pipeline.model import Recording


def test_a_verdict_is_a_proposal_until_a_person_confirms(centre: Centre) -> None:
    case = centre.case(finding("A04"), finding("A04", 1), clear("A06"))
    assert centre.money() == {"agent 待确认": (20, D(20))}
    centre.decide(case, "A04#0")
    assert centre.money() == {"agent 待确认": (10, D(10)), "agent 已确认": (10, D(10))}
    centre.decide(case, "A04#1", Decision.REJECT)
    assert centre.money() == {"agent 已确认": (10, D(10))}
    done = centre.finish(case)
    assert done.state is CaseState.FINISHED
    assert centre.problems() == []


def test_a_decision_can_be_changed_while_the_case_is_open(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    centre.decide(case, "A04")
    centre.decide(case, "A04", Decision.CANNOT_TELL)
    assert centre.money() == {"agent 已冲回": (10, D(10))}
    centre.decide(case, "A04")
    assert centre.money() == {"agent 已冲回": (10, D(10)), "agent 已确认": (10, D(10))}
    assert centre.problems() == []


def test_fatal_and_one_fact_once(centre: Centre) -> None:
    """A06 and B3b are one hang-up: 30 yuan, not 40. A11 is fatal: 50 yuan once a call."""
    case = centre.case(finding("A06"), finding("B3b"), finding("A11"))
    assert centre.money() == {"agent 待确认": (20, D(80))}
    centre.decide(case, "B3b")  # alone it costs 10; the hang-up still waits as A06, which would add 20
    assert centre.money() == {"agent 已确认": (10, D(10)), "agent 待确认": (10, D(70))}
    centre.decide(case, "A06")
    assert centre.money()["agent 已确认"] == (10, D(30))
    centre.decide(case, "A11", Decision.REJECT)
    centre.finish(case)
    assert centre.money() == {"agent 已确认": (10, D(30)), "agent 已冲回": (10, D(10))}
    assert centre.problems() == []


def test_manual_items_and_missed_findings(centre: Centre) -> None:
    case = centre.case(clear("A04"))
    with centre.act("qa1") as tx:
        reviews.add_finding(tx, case.case_id, Added(clause="M08", reason="巡场看到坐席玩手机"))
        reviews.add_finding(tx, case.case_id, Added(clause="A04", reason="机器漏了", turn=0, start_s=1.5, end_s=2.5))
        reviews.add_finding(tx, case.case_id, Added(clause="A04", reason="又一处", start_s=9.0))
        found = [(str(item.key), item.outcome.title, item.confirmed) for item in findings_of(tx, case)]
        assert found == [
            ("manual:A04", "服务忌语", True),
            ("manual:A04#1", "服务忌语", True),
            ("manual:M08", "工作现场玩手机", True),
        ]
        with pytest.raises(CaseworkError, match="没有条款“Z9”"):
            reviews.add_finding(tx, case.case_id, Added(clause="Z9", reason="?"))
        with pytest.raises(CaseworkError, match="没有第 8 轮，共 3 轮"):
            reviews.add_finding(tx, case.case_id, Added(clause="A04", reason="?", turn=7))
    centre.finish(case)
    assert centre.money() == {"agent 已确认": (20, D(120))}
    assert centre.problems() == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"turn": 1, "start_s": 50.0, "end_s": 10.0}, "结束 10 秒不在开始 50 秒之后"),
        ({"start_s": 5.0, "end_s": 5.0}, "结束 5 秒不在开始 5 秒之后"),
        ({"turn": 0, "start_s": 30.0}, "结束 3.5 秒不在开始 30 秒之后"),
        ({"start_s": -1.0}, "不能是负数"),
        ({"end_s": 4.0}, "没有写开始秒数"),
        ({"start_s": 60.5}, "位置 60.5 秒超出了通话：这通电话只有 60.0 秒"),
        ({"start_s": 5.0, "end_s": 75.0}, "位置 75 秒超出了通话"),
    ],
)
def test_a_place_that_nobody_can_listen_to(centre: Centre, place: dict[str, float], told: str) -> None:
    case = centre.case(clear("A04"))
    with centre.act("qa1") as tx:
        with pytest.raises(CaseworkError, match=told):
            reviews.add_finding(tx, case.case_id, Added(clause="A04", reason="?", **place))  # type: ignore[arg-type]
        assert findings_of(tx, case) == []
        reviews.add_finding(tx, case.case_id, Added(clause="A04", reason="到末尾", start_s=59.0, end_s=60.0))


def test_finishing_needs_every_decision(centre: Centre) -> None:
    case = centre.case(finding("A04"), finding("A04", 1), finding("A06"))
    centre.decide(case, "A04#0")
    with pytest.raises(CaseworkError) as refused:
        centre.finish(case)
    assert str(refused.value) == f"工单 {case.case_id} 还有 2 条没有决定的发现：A04 服务忌语（第 2 处）、A06 主动挂机。"


@pytest.mark.parametrize("decision", [Decision.REJECT, Decision.CANNOT_TELL])
def test_a_reason_is_asked_for(centre: Centre, decision: Decision) -> None:
    case = centre.case(finding("A04"))
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="写明原因"):
        reviews.decide(tx, case.case_id, Judgement(finding="A04", decision=decision))


def test_a_closed_case_takes_no_decision(centre: Centre) -> None:
    case = centre.done(finding("A04"), confirm=("A04",))
    with pytest.raises(CaseworkError, match=r"已完成，不能再复核.*重开"):
        centre.decide(case, "A04", Decision.REJECT)
    with centre.act("lead") as tx:
        cases.reopen(tx, case.case_id, "坐席主管反映听错")
    centre.decide(case, "A04", Decision.REJECT)
    centre.finish(case)
    assert centre.money() == {"agent 已冲回": (10, D(10))}
    assert centre.problems() == []


def test_two_people_never_overwrite_each_other(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    said = Judgement(finding="A04", decision=Decision.CONFIRM)
    with centre.act("qa1") as tx:
        reviews.decide(tx, case.case_id, said, version=case.version)
    with centre.act("lead") as tx, pytest.raises(ConflictError) as refused:
        reviews.decide(tx, case.case_id, Judgement(finding="A04", decision=Decision.REJECT, reason="?"), version=case.version)
    assert str(refused.value) == (
        f"没有保存：工单 {case.case_id} 在您打开以后改动过（现在是第 3 版，您看到的是第 2 版）："
        "江质检 09:02 A04 服务忌语：确认。请刷新后再操作。"
    )
    assert centre.money() == {"agent 已确认": (10, D(10))}


def refused_on(centre: Centre, person_id: str, case_id: str, version: int, **later: float) -> str:
    """What this person is told who acts on a version that is not the last."""
    with centre.act(person_id, **later) as tx, pytest.raises(ConflictError) as refused:
        reviews.decide(tx, case_id, Judgement(finding="A04", decision=Decision.CONFIRM), version=version)
    return str(refused.value).removeprefix(f"没有保存：工单 {case_id} 在您打开以后改动过").removesuffix("。请刷新后再操作。")


def test_whoever_is_late_is_told_who_did_what_and_when(centre: Centre) -> None:
    case = centre.case(finding("A04"), finding("A06"))
    centre.decide(case, "A04", Decision.REJECT)
    assert refused_on(centre, "qa1", case.case_id, 2) == ("（现在是第 3 版，您看到的是第 2 版）：您自己 09:02 A04 服务忌语：驳回")
    centre.decide(case, "A06", by="lead")
    with centre.act("qa1") as tx:
        reviews.add_finding(tx, case.case_id, Added(clause="M08", reason="看手机"))
    centre.finish(case)
    assert refused_on(centre, "lead", case.case_id, 2, days=1) == (
        "（现在是第 6 版，您看到的是第 2 版）：共 4 次改动，最近的是：您自己 11 月 2 日 09:04 A06 主动挂机：确认；"
        "江质检 11 月 2 日 09:05 补充 M08 工作现场玩手机；江质检 11 月 2 日 09:06 完成复核"
    )
    assert refused_on(centre, "boss", case.case_id, 9) == "（现在是第 6 版，您看到的是第 9 版）"


def test_a_double_review_is_not_told_to_the_other_reviewer(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    with centre.act("lead") as tx:
        opening = Opening(call_id=case.call_id, reason="盲评", kind=CaseKind.BLIND, pair_of=case.case_id)
        pair = assigning.assign(tx, cases.open_case(tx, opening).case_id, "lead")
    centre.decide(case, "A04")
    for person in ("lead", "qa2"):  # the lead has not finished his own; the other has nothing to do with it
        assert refused_on(centre, person, case.case_id, 2) == "（现在是第 3 版，您看到的是第 2 版）"
    centre.decide(pair, "A04", by="lead")
    centre.finish(pair, by="lead")
    assert refused_on(centre, "lead", case.case_id, 2) == "（现在是第 3 版，您看到的是第 2 版）：江质检 09:03 A04 服务忌语：确认"


def test_who_may_not_review(centre: Centre) -> None:
    own = centre.call(finding("A04"), agent_id="1003", team="二组", supervisor="吴敏")
    team = centre.call(finding("A04"))
    with centre.act("lead") as tx:
        first = cases.open_case(tx, Opening(call_id=own, reason="抽查"))
        with pytest.raises(CaseworkError, match="不能复核自己的通话"):
            assigning.assign(tx, first.case_id, "qa3")
        second = cases.open_case(tx, Opening(call_id=team, reason="抽查"))
        with pytest.raises(CaseworkError, match="班组长，不能单独复核本组的通话"):
            assigning.assign(tx, second.case_id, "chief1")
        with pytest.raises(CaseworkError, match="不是质检员或质检组长"):
            assigning.assign(tx, second.case_id, "boss")
        assigning.assign(tx, second.case_id, "qa1")
    with centre.act("qa2") as tx, pytest.raises(CaseworkError, match="分给了 qa1，不是您"):
        reviews.finish(tx, second.case_id)
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="没有这个权限：需要质检组长"):
        assigning.assign(tx, second.case_id, "qa2")


def test_even_assignment_leaves_out_the_conflicted(centre: Centre) -> None:
    opened = []
    for agent, team in (("1001", "一组"), ("1003", "二组"), ("1002", "一组"), ("1003", "二组"), ("1001", "一组"), ("1002", "一组")):
        call_id = centre.call(finding("A04"), agent_id=agent, team=team, supervisor="")
        with centre.act("lead") as tx:
            opened.append(cases.open_case(tx, Opening(call_id=call_id, reason="抽查")))
    with centre.act("lead") as tx:
        given = assigning.assign_evenly(tx, opened)
    # chief1 leads 一组 and gets the calls of 二组; qa3 is agent 1003 and gets none of his own.
    assert [case.assignee for case in given] == ["qa1", "chief1", "qa2", "chief1", "qa3", "qa1"]
    assert {case.state for case in given} == {CaseState.ASSIGNED}


def test_a_case_without_recording_cannot_be_confirmed(centre: Centre, tmp_path: Path) -> None:
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"RIFF")
    recording = Recording(path=str(audio), audio_hash="h1", duration_s=60.0, sample_rate=8000, channels=2, codec="pcm")
    case = centre.case(finding("A04"), finding("A06"), recording=recording)
    centre.decide(case, "A04")
    audio.unlink()
    with pytest.raises(CaseworkError, match=r"录音不在了.*无法判断"):
        centre.decide(case, "A06")
    centre.decide(case, "A06", Decision.CANNOT_TELL)
    centre.finish(case)
    assert centre.money() == {"agent 已确认": (10, D(10))}


def test_a_void_case_owes_nothing(centre: Centre) -> None:
    case = centre.case(finding("A04"), finding("A11"), complaint=True)
    assert centre.money() == {"agent 待确认": (20, D(160))}
    with centre.act("lead") as tx:
        cases.void(tx, case.case_id, "测试通话")
    assert centre.money() == {}
    assert centre.problems() == []
    with pytest.raises(CaseworkError, match="已作废"):
        centre.decide(case, "A04")


def test_a_call_has_one_primary_case(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    with centre.act("lead") as tx:
        with pytest.raises(CaseworkError, match="已经有工单"):
            cases.open_case(tx, Opening(call_id=case.call_id, reason="再抽"))
        blind = cases.open_case(tx, Opening(call_id=case.call_id, reason="盲评", kind=CaseKind.BLIND, pair_of=case.case_id))
        with pytest.raises(CaseworkError, match="已经复核过同一通电话"):
            assigning.assign(tx, blind.case_id, "qa1")
        assigning.assign(tx, blind.case_id, "qa2")
        with pytest.raises(CaseworkError, match="还没有质检结果"):
            cases.open_case(tx, Opening(call_id="nobody", reason="?"))
    centre.decide(blind, "A04", by="qa2")
    assert centre.money() == {"agent 待确认": (10, D(10))}  # the blind review moves no money
    assert centre.problems() == []
