"""Facts of the call data and of other calls; what is not known proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa_pipeline.model import CallData, CallOutcome, CallType, HangupBy, Strength
from qa_pipeline.signals.base import PastCall
from qa_pipeline.signals.call_facts import ConfirmationsSpec, DataSpec, SegmentSpec, carrier_of, charge_date, field_text, parse_time
from qa_pipeline.signals.kit import BindError, Kit
from tests.signals.support import SEGMENTS, call, context


def data(spec: DataSpec, **values: object) -> list[str]:
    return [hit.note for hit in context(call(**values), s=spec).hits("s")]


def test_a_field_is_or_is_not() -> None:
    own = DataSpec(label="本线", field="line", is_=("10088", "10086"))
    other = DataSpec(label="别的线", field="line", is_not=("10088",))
    assert data(own, line="10088") == ["通话数据：本线（10088）"]
    assert data(own, line="10010") == data(own) == data(own, line="") == []
    assert data(other, line="10010") == ["通话数据：别的线（10010）"]
    assert data(other, line="10088") == data(other) == []  # unknown is not another one


def test_unknown_may_be_asked_for_and_columns_of_the_centres_own() -> None:
    assert data(DataSpec(label="不明", field="line", is_=("",))) == ["通话数据：不明（）"]
    assert data(DataSpec(label="城东", field="区域", is_=("城东",)), extra=(("区域", "城东"),)) == ["通话数据：城东（城东）"]
    assert data(DataSpec(label="收费", field="charged", is_=("true",)), charged=True) == ["通话数据：收费（true）"]
    assert data(DataSpec(label="试用", field="trial_days", is_=("0",)), trial_days=0) == ["通话数据：试用（0）"]


def test_the_hang_up_is_placed_at_its_second() -> None:
    said = call(hangup_by=HangupBy.AGENT, hangup_at=31.5)
    hit = context(said, s=DataSpec(label="坐席挂机", field="hangup_by", is_=("agent",))).hits("s")[0]
    assert (hit.start_s, hit.heard_as, hit.strength, hit.position.turn) == (31.5, "hangup_by=agent", Strength.MEASURED, -1)


@pytest.mark.parametrize("values", [{}, {"is_": ("a",), "is_not": ("b",)}])
def test_is_and_is_not_are_one_or_the_other(values: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="is 与 is_not 写且只写一个"):
        DataSpec(label="坏", field="line", **values)


def test_fields_as_text() -> None:
    data = CallData(call_id="c", charged=False, trial_days=30, outcome=CallOutcome.SUCCESS, extra=(("班次", "晚"),))
    assert [field_text(data, name) for name in ("charged", "trial_days", "outcome", "班次", "line", "没有", "call_id")] == [
        "false",
        "30",
        "success",
        "晚",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("13412345678", "移动"),
        ("134-1234-5678", "移动"),
        ("+86 13412345678", "移动"),
        ("008613412345678", "移动"),
        ("13012345678", "联通"),
        ("17012345678", "联通"),
        ("17031234567", "移动"),  # the longer segment
        ("18912345678", "电信"),
        ("19912345678", None),
        ("10086", None),
        ("10088", None),
        ("4001234567", None),
        ("02112345678", None),
        ("1341234567", None),
        ("134123456789", None),
        ("134****5678", None),
        ("", None),
    ],
)
def test_the_carrier_of_a_number(number: str, carrier: str | None) -> None:
    assert carrier_of(number, SEGMENTS) == carrier


def test_a_segment_hit_hides_the_number() -> None:
    spec = SegmentSpec(label="异网号码", field="caller_number", carriers=("联通", "电信"))
    hits = context(call(caller_number="13012345678"), s=spec).hits("s")
    assert [(hit.heard_as, hit.note) for hit in hits] == [("caller_number=130****", "异网号码：号段属于联通")]
    for number in ("13412345678", "10088", None):
        assert context(call(caller_number=number), s=spec).hits("s") == ()


def test_a_carrier_that_has_no_segments_is_refused() -> None:
    with pytest.raises(BindError, match="号段词库里没有“铁通”，现有：电信、移动"):
        SegmentSpec(label="段", field="caller_number", carriers=("铁通",)).bind(
            Kit(lexicons={}, segment_table={"移动": ("134",), "电信": ("189",)})
        )


SALE = CallData(
    call_id="sale",
    started_at="2026-09-01T10:00:00",
    call_type=CallType.SALE,
    outcome=CallOutcome.SUCCESS,
    trial_days=30,
    charged=True,
)


def confirm(day: str | None, *violated: str, **values: object) -> PastCall:
    data = CallData(call_id=f"c{day}", call_type=CallType.CONFIRM, started_at=day)
    return PastCall(call=replace(data, **values), violated=frozenset(violated), judged=True)  # type: ignore[arg-type]


class Calls:
    known_until = "2026-12-31"

    def __init__(self, *calls: PastCall) -> None:
        self._calls = calls

    def calls_about(self, call: CallData) -> tuple[PastCall, ...]:
        return self._calls


def missing(*calls: PastCall, sale: CallData = SALE) -> list[str]:
    said = replace(call(), call=sale)
    return [hit.note for hit in context(said, history=Calls(*calls), s=ConfirmationsSpec(label="确认")).hits("s")]


NONE = ["收费前有效的确认通话 0 次（没有），应有 2 次"]
ONE = ["收费前有效的确认通话 1 次（2026-09-15），应有 2 次"]
GOOD = confirm("2026-09-15T10:00:00")


def test_two_good_confirmations_before_the_charge_are_enough() -> None:
    assert missing() == NONE
    assert missing(GOOD) == ONE
    assert missing(GOOD, confirm("2026-09-20T10:00:00")) == []


@pytest.mark.parametrize("day", ["2026-09-01T10:00:00", "2026-10-01T10:00:00"])
def test_the_sale_and_the_charge_themselves_are_the_limits(day: str) -> None:
    assert missing(GOOD, confirm(day)) == []


@pytest.mark.parametrize(
    "other",
    [
        confirm("2026-09-01T09:59:59"),
        confirm("2026-10-01T10:00:01"),
        confirm("2026-09-20T10:00:00", "C4"),
        confirm("2026-09-20T10:00:00", call_type=CallType.REVISIT),
        confirm("2026-09-20T10:00:00", call_type=None),
        confirm("2026-09-20T10:00:00", call_id="sale"),
    ],
    ids=["before the sale", "after the charge", "not up to C4", "a revisit", "of no kind", "the sale itself"],
)
def test_what_is_no_confirmation(other: PastCall) -> None:
    assert missing(GOOD, other) == ONE


def test_other_violations_do_not_spoil_a_confirmation_and_an_unknown_day_counts_for_the_agent() -> None:
    assert missing(GOOD, confirm("2026-09-20T10:00:00", "A04")) == []
    assert missing(GOOD, confirm(None)) == []


def test_nobody_reached_gives_one_more_trial_period_once() -> None:
    unreached = confirm("2026-09-28T10:00:00", outcome=CallOutcome.NO_ANSWER)
    assert missing(GOOD, unreached) == ONE
    assert missing(GOOD, unreached, confirm("2026-10-31T10:00:00")) == []
    assert missing(GOOD, unreached, unreached, confirm("2026-11-15T10:00:00")) == ONE


def test_without_other_calls_in_sight_nothing_is_claimed() -> None:
    assert context(replace(call(), call=SALE), s=ConfirmationsSpec(label="确认")).hits("s") == ()


def test_charge_date_and_times() -> None:
    assert str(charge_date(SALE)) == "2026-10-01 10:00:00"
    assert charge_date(replace(SALE, trial_days=0)) is charge_date(replace(SALE, started_at=None)) is None
    assert parse_time("2026-09-01T10:00:00+08:00") == parse_time("2026-09-01 10:00:00")
    assert parse_time("昨天") is parse_time("") is parse_time(None) is None
