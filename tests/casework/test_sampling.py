"""Samples: seeded, replayable, floors kept, unbiased; rates with intervals; nobody ranked who cannot be told apart."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date

import pytest
from casework_make import Centre, finding
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_pipeline.casework import followup, samples
from qa_pipeline.casework.samples import Order
from qa_pipeline.casework.sampling import FrameCall, Plan, draw, standings
from qa_pipeline.casework.stats import Rate, kappa, kappa_of_sets, weighted, wilson
from qa_pipeline.casework.values import CaseKind
from qa_pipeline.errors import CaseworkError


def frame(agents: int = 10, calls: int = 20) -> list[FrameCall]:
    return [
        FrameCall(
            call_id=f"{agent:03d}-{number:03d}",
            agent_id=f"{agent}",
            team=f"{agent % 3}",
            outcome=("success", "refused")[number % 2],
            duration_s=float(20 + number * 10),
        )
        for agent in range(agents)
        for number in range(calls)
    ]


def test_the_same_seed_gives_the_same_sample() -> None:
    calls = frame()
    plan = Plan(seed="a", rate=0.1, floor=2)
    shuffled = random.Random(1).sample(calls, len(calls))
    assert draw(calls, plan) == draw(shuffled, plan)
    assert {item.call.call_id for item in draw(calls, plan)} != {
        item.call.call_id for item in draw(calls, Plan(seed="b", rate=0.1, floor=2))
    }


def test_every_agent_gets_the_floor_and_the_rate() -> None:
    drawn = draw(frame(agents=10, calls=40), Plan(seed="a", rate=0.1, floor=2))
    assert Counter(item.call.agent_id for item in drawn) == {str(agent): 4 for agent in range(10)}
    few = draw(frame(agents=10, calls=3), Plan(seed="a", rate=0.1, floor=2))
    assert Counter(item.call.agent_id for item in few) == {str(agent): 2 for agent in range(10)}
    assert {item.weight for item in few} == {1.5}


def test_strata_are_represented() -> None:
    """Half of the calls are sales, half of the sample too; short and long calls both."""
    drawn = draw(frame(agents=1, calls=40), Plan(seed="a", rate=0.2))
    assert Counter(item.call.outcome for item in drawn) == {"success": 4, "refused": 4}
    big = {f"0|0|{outcome}|{bucket}" for outcome in ("success", "refused") for bucket in (2, 3)}  # more than one in five each
    assert big <= {item.call.stratum for item in drawn}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    rate=st.floats(0, 1),
    floor=st.integers(0, 4),
    seed=st.text(max_size=5),
)
def test_any_frame(counts: list[int], rate: float, floor: int, seed: str) -> None:
    calls = [FrameCall(call_id=f"{a}-{n}", agent_id=str(a)) for a, count in enumerate(counts) for n in range(count)]
    drawn = draw(calls, Plan(seed=seed, rate=rate, floor=floor))
    sizes = Counter(item.call.agent_id for item in drawn)
    assert len({item.call.call_id for item in drawn}) == len(drawn)
    assert all(sizes[str(agent)] >= min(floor, count) for agent, count in enumerate(counts))
    assert len(drawn) >= min(len(calls), rate * len(calls) - 1e-6)
    assert len(drawn) <= sum(min(count, max(floor, rate * count + 1)) for count in counts) + 1
    weights = sum(item.weight for item in drawn)
    assert weights == pytest.approx(sum(count for agent, count in enumerate(counts) if sizes[str(agent)]))


def test_every_call_has_the_same_chance() -> None:
    """400 draws of 20 %: each of 20 calls of an agent is drawn 80 times on average; 5 standard deviations are 40."""
    calls = frame(agents=1, calls=20)
    counts = Counter(item.call.call_id for seed in range(400) for item in draw(calls, Plan(seed=str(seed), rate=0.2)))
    assert len(counts) == 20
    assert all(40 < count < 120 for count in counts.values())


def test_what_is_added_on_purpose_is_marked_and_weighs_nothing() -> None:
    calls = frame(agents=3, calls=20)
    calls[5] = FrameCall(call_id="000-005", agent_id="0", complaint=True)
    calls[25] = FrameCall(call_id="001-005", agent_id="1", critical=True, complaint=True)
    drawn = {item.call.call_id: item for item in draw(calls, Plan(seed="a", rate=0.1, extra=3, recheck=("2", "99")))}
    assert drawn["000-005"].marks == ("客户投诉",)
    assert drawn["001-005"].marks == ("客户投诉", "机检致命")
    extra = [item for item in drawn.values() if item.marks == ("重点复查",)]
    assert [(item.call.agent_id, item.base, item.weight) for item in extra] == [("2", False, 0.0)] * 3
    base = {call_id for call_id, item in drawn.items() if item.base}
    plain = draw(frame(agents=3, calls=20), Plan(seed="a", rate=0.1))
    assert len(base) == len(plain)  # adding calls does not change how many are drawn at random


def test_rates_are_weighted_back() -> None:
    """One agent with 100 calls all good, one with 10 all bad, two drawn of each: the rate is 100/110, not one half."""
    found = weighted([(True, 50.0), (True, 50.0), (False, 5.0), (False, 5.0)])
    assert found is not None
    assert found.share == pytest.approx(100 / 110)
    assert found.n == pytest.approx(110**2 / (2 * 2500 + 2 * 25))
    assert weighted([]) is None


def test_overlapping_intervals_are_not_ranked() -> None:
    def rate(low: float, high: float) -> Rate:
        return Rate(share=(low + high) / 2, low=low, high=high, n=10)

    rates = {"甲": rate(0.9, 0.99), "乙": rate(0.5, 0.7), "丙": rate(0.65, 0.8), "丁": rate(0.1, 0.2)}
    assert [(item.name, item.tier) for item in standings(rates)] == [("甲", 1), ("丙", 2), ("乙", 2), ("丁", 3)]
    assert [item.tier for item in standings({"甲": rate(0.5, 0.7), "乙": rate(0.6, 0.9)})] == [1, 1]
    assert standings({}) == ()


# Formulas. The expected values come from statsmodels 0.15 (proportion_confint(method="wilson"), inter_rater.cohens_kappa).


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (8, 10, 0.4901624715, 0.9433178485),
        (0, 10, 0.0, 0.2775327999),
        (10, 10, 0.7224672001, 1.0),
        (95, 100, 0.8882495308, 0.9784563208),
        (1, 1, 0.2065493143, 1.0),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    rate = wilson(hits, n)
    assert rate is not None
    assert (rate.share, rate.low, rate.high) == pytest.approx((hits / n, low, high), abs=1e-9)
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("table", "value", "low", "high"),
    [
        (((20, 5), (10, 15)), 0.4, 0.1510922905, 0.6489077095),
        (((45, 15), (25, 15)), 0.1304347826, -0.0629382773, 0.3238078430),
        (((40, 2), (3, 155)), 0.9253062444, 0.8607249982, 0.9898874906),
    ],
)
def test_kappa(table: tuple[tuple[int, int], tuple[int, int]], value: float, low: float, high: float) -> None:
    (a, b), (c, d) = table
    sets = ({f"{i}" for i in range(a + b)}, {f"{i}" for i in (*range(a), *range(a + b, a + b + c))})
    assert kappa_of_sets(*sets, a + b + c + d) == kappa(
        [(True, True)] * a + [(True, False)] * b + [(False, True)] * c + [(False, False)] * d
    )
    found = kappa([(True, True)] * a + [(True, False)] * b + [(False, True)] * c + [(False, False)] * d)
    assert (found.both_yes, found.first_only, found.second_only, found.both_no, found.n) == (a, b, c, d, a + b + c + d)
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-9)


def test_kappa_without_variation_is_not_a_number() -> None:
    for pairs in ([], [(True, True)] * 5, [(False, False)] * 5):
        found = kappa(pairs)
        assert (found.value, found.low, found.high) == (None, None, None)


# In the store


def day_of_calls(centre: Centre, count: int = 12) -> None:
    for number in range(count):
        agent = 1001 + number % 3
        outcomes = (finding("A11"),) if number == 7 else (finding("A04"),) if number == 4 else ()
        started = f"2026-11-02T{9 + number // 2:02d}:00:00"
        centre.call(*outcomes, agent_id=str(agent), team="一组" if agent < 1003 else "二组", supervisor="", started_at=started)


ORDER = Order(date_from=date(2026, 11, 2), date_to=date(2026, 11, 2))


def test_a_day_is_drawn_once_and_replayed(centre: Centre) -> None:
    day_of_calls(centre)
    with centre.act("lead") as tx:
        first = samples.take(tx, ORDER)
        assert (first.sample_id, first.frame, first.fresh, len(first.base)) == ("D20261102", 12, True, 6)
        assert [(item.call.call_id, item.marks) for item in first.items if item.marks] == [("call-0008", ("机检致命",))]
    centre.call(started_at="2026-11-02T18:00:00")  # a late call does not change the sample
    with centre.act("lead") as tx:
        again = samples.take(tx, ORDER)
        assert not again.fresh
        assert [item.call.call_id for item in again.items] == [item.call.call_id for item in first.items]
        assert samples.replay(tx, "D20261102") == []
        with pytest.raises(CaseworkError, match="没有有效录音"):
            samples.take(tx, Order(date_from=date(2026, 11, 3), date_to=date(2026, 11, 3)))
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要质检组长"):
        samples.take(tx, ORDER)


def test_cases_are_opened_once_with_a_blind_slice(centre: Centre) -> None:
    day_of_calls(centre)
    with centre.act("boss") as tx:
        tx.insert("settings_log", seq=1, at_time=tx.at, by_person="boss", name="blind_share", value="0.34")
    with centre.act("lead") as tx:
        sample = samples.take(tx, ORDER)
        opened = samples.open_cases(tx, sample)
        kinds = Counter(case.kind for case in opened)
        assert kinds == {CaseKind.PRIMARY: len(sample.items), CaseKind.BLIND: 2}
        by_call: dict[str, set[str]] = {}
        for case in opened:
            by_call.setdefault(case.call_id, set()).add(case.assignee)
        assert sorted(len(names) for names in by_call.values())[-2:] == [2, 2]  # two different people
        assert samples.open_cases(tx, sample) == []
    assert centre.problems() == []


def test_the_weekly_second_level_goes_to_leads(centre: Centre) -> None:
    day_of_calls(centre, 20)
    with centre.act("lead") as tx:
        samples.open_cases(tx, samples.take(tx, ORDER))
        week = samples.take(
            tx, Order(date_from=date(2026, 11, 2), date_to=date(2026, 11, 8), level=samples.WEEKLY, rate=0.5, floor=0)
        )
        assert len(week.items) == 10
        opened = samples.open_cases(tx, week)
        assert {case.kind for case in opened} >= {CaseKind.PRIMARY, CaseKind.SECOND}
        leads = {case.assignee for case in opened if case.kind is CaseKind.SECOND}
    assert leads <= {"lead", "lead2"} and leads


def test_failed_agents_are_sampled_more_until_two_clean(centre: Centre) -> None:
    centre.done(finding("A11"), confirm=("A11",))
    with centre.act("lead") as tx:
        assert [(item.agent_id, item.clean_since) for item in followup.recheck_list(tx)] == [("1001", 0)]
    centre.done(finding("A04"), confirm=("A04",))  # 90 points: qualified
    with centre.act("lead") as tx:
        assert [(item.agent_id, item.clean_since) for item in followup.recheck_list(tx)] == [("1001", 1)]
    for number in range(8):
        centre.call(started_at=f"2026-11-03T1{number}:00:00")
    with centre.act("lead") as tx:
        sample = samples.take(tx, Order(date_from=date(2026, 11, 3), date_to=date(2026, 11, 3)))
        assert sample.plan.recheck == ("1001",)
        assert Counter(item.marks for item in sample.items) == {(): 2, ("重点复查",): 2}
    centre.done()
    with centre.act("lead") as tx:
        assert followup.recheck_list(tx) == []


def test_qualified_rates_speak_for_all_calls(centre: Centre) -> None:
    day_of_calls(centre)
    with centre.act("lead") as tx:
        sample = samples.take(tx, ORDER)
        opened = samples.open_cases(tx, sample)
    from qa_pipeline.casework import reviews
    from qa_pipeline.casework.findings import findings_of
    from qa_pipeline.casework.reviews import Judgement
    from qa_pipeline.casework.values import Decision

    for case in opened:
        with centre.act(case.assignee) as tx:
            for item in findings_of(tx, case):
                reviews.decide(tx, case.case_id, Judgement(finding=str(item.key), decision=Decision.CONFIRM))
            reviews.finish(tx, case.case_id)
    with centre.act("lead") as tx:
        found = samples.qualified_rates(tx, "all")
        weights = {item.call.call_id: item.weight for item in sample.base}
        good = sum(weight for call_id, weight in weights.items() if call_id != "call-0008")
        assert found[0].reviewed == len(weights)
        assert found[0].rate is not None
        assert found[0].rate.share == pytest.approx(good / sum(weights.values()))
        assert {item.name for item in samples.qualified_rates(tx, "team")} == {"一组", "二组"}


def test_the_pass_rate_is_of_the_daily_sample_alone(centre: Centre) -> None:
    """The same calls drawn once more as the weekly second-level sample change nothing; days outside the bounds do not count."""
    for number in range(4):
        centre.done(agent_id=f"100{number}", started_at="2026-11-02T10:00:00")
    centre.done(started_at="2026-11-04T10:00:00")
    with centre.act("lead") as tx:
        for day in (date(2026, 11, 2), date(2026, 11, 4)):
            samples.take(tx, Order(date_from=day, date_to=day, rate=1.0))
        alone = samples.qualified_rates(tx, "all")
        samples.take(tx, Order(date_from=date(2026, 11, 2), date_to=date(2026, 11, 8), level=samples.WEEKLY, rate=1.0))
        assert samples.qualified_rates(tx, "all") == alone
        bounds = [(None, None), (date(2026, 11, 2), date(2026, 11, 3)), (date(2026, 11, 4), None), (None, date(2026, 11, 1))]
        found = [samples.qualified_rates(tx, "all", first, last) for first, last in bounds]
        assert [[item.reviewed for item in one] for one in found] == [[5], [4], [1], []]
