"""The verdict shapes: must, must not, at most, at least, each. Few in code, so that rules stay readable."""

from __future__ import annotations

from collections.abc import Iterable

from qa_pipeline.model import Outcome, Role
from qa_pipeline.rules.base import AtLeast, AtMost, Each
from qa_pipeline.rules.judging import Judgement, clear, commission, omission
from qa_pipeline.rules.ordinals import renumber
from qa_pipeline.signals.base import Hit


def judge(judgement: Judgement) -> tuple[Outcome, ...]:
    """The outcomes of a rule that applies and whose needs are met."""
    shape = judgement.spec.judge
    if shape.must:
        return _must(judgement, shape.must)
    if shape.must_not:
        return _must_not(judgement, shape.must_not)
    if shape.at_most is not None:
        return _at_most(judgement, shape.at_most)
    if shape.at_least is not None:
        return _at_least(judgement, shape.at_least)
    assert shape.each is not None
    return _each(judgement, shape.each)


def _listed(labels: Iterable[str]) -> str:
    """Each once: several signals of a rule may look for the same thing."""
    return "、".join(dict.fromkeys(labels))


def _must(judgement: Judgement, names: tuple[str, ...]) -> tuple[Outcome, ...]:
    hits = {name: judgement.ctx.some(name) for name in names}
    found = [hit for hit in hits.values() if hit is not None]
    missing = [name for name in names if hits[name] is None]
    if not missing:
        return (clear(judgement.spec, f"都听到了：{_listed(map(judgement.label, names))}", found),)
    return (omission(judgement, missing, found, f"没有听到：{_listed(map(judgement.label, missing))}"),)


def _must_not(judgement: Judgement, names: tuple[str, ...]) -> tuple[Outcome, ...]:
    hits = sorted(
        ((name, hit) for name in names for hit in judgement.ctx.hits(name)), key=lambda item: (item[1].position, item[1].end)
    )
    if not hits:
        excused = judgement.ctx.excused
        reason = f"没有出现：{_listed(map(judgement.label, names))}" + (f"；{len(excused)} 处相似的说法不算" if excused else "")
        return (clear(judgement.spec, reason, excuse=excused[0] if excused else None),)
    distinct: list[tuple[str, Hit]] = []
    for hit in hits:
        if not any(_same_words(hit, other) for other in distinct):
            distinct.append(hit)
    groups = [distinct] if judgement.spec.judge.findings == "one" else [[hit] for hit in distinct]
    outcomes = []
    for ordinal, group in enumerate(groups):
        reason = _said(judgement, *group[0]) + (f"等 {len(group)} 处" if len(group) > 1 else "")
        outcomes.append(commission(judgement, [hit for _, hit in group], reason, ordinal))
    return tuple(outcomes)


def _same_words(one: tuple[str, Hit], other: tuple[str, Hit]) -> bool:
    hit, earlier = one[1], other[1]
    if hit.passage is None or hit.passage != earlier.passage:
        return one == other
    return hit.span[0] < earlier.span[1] and earlier.span[0] < hit.span[1]


def _said(judgement: Judgement, name: str, hit: Hit) -> str:
    what = f"“{hit.quote}”" if hit.quote else ""
    measured = hit.note
    return f"{judgement.label(name)}：{what}{'，' if what and measured else ''}{measured}"


def _at_most(judgement: Judgement, shape: AtMost) -> tuple[Outcome, ...]:
    hits = judgement.sure(judgement.ctx.hits(shape.signal), least=shape.times + 1)
    label = judgement.label(shape.signal)
    worse = judgement.ctx.hits(shape.worse_with) if shape.worse_with else ()
    limit = 0 if worse else shape.times
    if len(hits) <= limit:
        return (clear(judgement.spec, f"{label} {len(hits)} 次，没有超过 {shape.times} 次", hits),)
    if shape.outweighed_by and judgement.ctx.conversation.channels is not None:
        # recognised speech: what sounds alike is heard as either, about one in nine is heard wrong: only a majority proves anything
        others = judgement.ctx.hits(shape.outweighed_by)
        if len(others) >= len(hits):
            other = judgement.label(shape.outweighed_by)
            return (clear(judgement.spec, f"{label} {len(hits)} 次，{other} {len(others)} 次，识别难以区分，不追究", hits[:1]),)
    reason = f"{label} {len(hits)} 次" + (f"，并且{judgement.label(shape.worse_with)}" if worse else "")
    return (commission(judgement, [*hits, *worse], reason),)


def _at_least(judgement: Judgement, shape: AtLeast) -> tuple[Outcome, ...]:
    hits = {name: judgement.ctx.some(name) for name in shape.of}
    found = [hit for hit in hits.values() if hit is not None]
    labels = _listed(judgement.label(name) for name, hit in hits.items() if hit is not None)
    if len(found) >= shape.kinds:
        return (clear(judgement.spec, f"听到 {len(found)} 种：{labels}", found),)
    missing = [name for name in shape.of if hits[name] is None]
    heard = labels or "没有"
    return (omission(judgement, missing, found, f"应有 {shape.kinds} 种，只听到 {len(found)} 种（{heard}）"),)


def _each(judgement: Judgement, shape: Each) -> tuple[Outcome, ...]:
    occasions = judgement.ctx.hits(shape.signal)
    if not occasions:
        return (clear(judgement.spec, f"没有出现：{judgement.label(shape.signal)}"),)
    outcomes: list[Outcome] = []
    for occasion in occasions:
        missing: list[str] = []
        found: list[Hit] = []
        for names, is_before in ((shape.before, True), (shape.after, False)):
            if not names:
                continue
            beside = [
                hit for name in names for hit in judgement.ctx.hits(name) if _beside(hit, occasion, is_before, shape.within_turns)
            ]
            if beside:
                found.append(beside[0])
            elif is_before or _goes_on(judgement, occasion):
                missing += names
        if missing:
            reason = f"{occasion.note or judgement.label(shape.signal)}，没有听到：{_listed(map(judgement.label, missing))}"
            outcomes.append(omission(judgement, missing, found, reason, at=occasion))
    if not outcomes:
        return (clear(judgement.spec, f"{len(occasions)} 次{judgement.label(shape.signal)}，用语齐全", occasions[:3]),)
    return renumber(outcomes)


def _beside(hit: Hit, occasion: Hit, is_before: bool, within_turns: int) -> bool:
    apart = occasion.position.turn - hit.position.turn
    if is_before:
        return 0 <= apart <= within_turns
    return -within_turns <= apart <= 0 and hit.end >= occasion.position


def _goes_on(judgement: Judgement, occasion: Hit) -> bool:
    """Whether the agent still speaks after the occasion; a call that ends there owes nothing more."""
    return any(turn.role is Role.AGENT and turn.index > occasion.position.turn for turn in judgement.ctx.view.turns)
