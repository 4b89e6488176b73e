"""Phrases by edit distance: scoring all at once and counting changes only where the score leaves it open finds what counting all finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from qa_pipeline.signals.base import Scope
from qa_pipeline.signals.hit import passage_hit
from qa_pipeline.signals.near import Near
from qa_pipeline.signals.view import View
from qa_pipeline.text.pattern import allowed_distance, compile_pattern
from tests.signals.support import call

PHRASES = ("机主本人", "感谢您的接听", "祝您生活愉快", "(请问|麻烦)您贵姓", "我的工号")


def scope_of(*lines: str) -> tuple[View, Scope]:
    view = View(call(*(f"坐：{line}" if nth % 2 == 0 else f"客：{line}" for nth, line in enumerate(lines))))
    return view, Scope(view, frozenset(turn.index for turn in view.turns))


def by_counting_all(scope: Scope) -> list[tuple[float, int, int, int, str, float]]:
    """Relative changes, passage, start, end, phrase and changes of the best literal of every template in every window."""
    found = []
    for window in scope.windows:
        for text in PHRASES:
            match = compile_pattern(text).nearest(window.split)
            if match is not None:
                relative = match.distance / len(match.heard_as)
                found.append((relative, window.passage.index, match.start, match.end, match.heard_as, match.distance))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(alphabet="您好机主本人北仁感谢接听祝生活愉快请问贵姓我的工号高嗯，", min_size=1, max_size=14),
        min_size=1,
        max_size=4,
    )
)
def test_it_is_the_same_as_counting_the_changes_of_all(lines: list[str]) -> None:
    _, scope = scope_of(*lines)
    near = Near([compile_pattern(text) for text in PHRASES])
    counted = by_counting_all(scope)
    allowed = {item[1:] for item in counted if item[5] <= allowed_distance(len(item[4]))}
    told = {(hit.passage, *hit.span, hit.heard_as, hit.distance) for hit in near.allowed(scope)}
    assert told <= allowed and bool(told) is bool(allowed)
    best = min(counted, key=lambda item: item[0], default=None)
    nearest = near.nearest(scope)
    if best is None or best[0] > 0.6:
        assert nearest is None
    else:
        assert nearest is not None
        assert (nearest.passage, *nearest.span, nearest.heard_as, nearest.distance) == best[1:]


def test_of_overlapping_phrases_the_first_counts() -> None:
    view, scope = scope_of("请问是基主北人吗")
    hits = Near([compile_pattern("机主本人"), compile_pattern("是机主本人")]).allowed(scope)
    assert [(hit.quote, hit.heard_as) for hit in hits] == [("是基主北人", "是机主本人")]
    assert hits[0].place == passage_hit(view.passages[0], compile_pattern("是机主本人").nearest(scope.windows[0].split)).place  # type: ignore[arg-type]


def test_nothing_to_compare() -> None:
    _, scope = scope_of("请问是基主北人吗")
    assert Near([compile_pattern("机~2主")]).nearest(scope) is None
    assert Near([compile_pattern("机主本人")]).allowed(Scope(View(call()))) == []
