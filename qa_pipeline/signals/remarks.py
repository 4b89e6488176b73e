"""How much somebody says beyond a given kind of talk: structural evidence that something was described, whatever the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Context, Hit, Where, Who, Window, window_hit
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.strict_yaml import Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarksSpec:
    """除了某几类话（问候、资费、取消……）以外，连着还讲了多少字；用来认出“介绍过”，不管用的什么词。"""

    kind: Literal["remarks"] = "remarks"
    label: Annotated[str, Doc("给人看的名字")]
    who: Annotated[Who, Doc("谁说的")] = "agent"
    besides: Annotated[tuple[str, ...], Doc("不算在内的话：本规则里其他信号的名字")]
    at_least_chars: Annotated[int, Doc("一口气里余下至少多少字（标点、语气词不计）")]
    margin_chars: Annotated[int, Doc("不算在内的话，前后各带走几个字")] = 1
    where: Where = Where()

    def __post_init__(self) -> None:
        if not self.besides or self.at_least_chars < 1 or self.margin_chars < 0:
            raise ValueError("besides 至少写一个信号，at_least_chars 至少为 1，margin_chars 不能是负数")

    def bind(self, kit: Kit) -> Finders:
        scope = scope_in(self.who, self.where)

        def find(ctx: Context) -> tuple[Hit, ...]:
            taken: dict[int | None, list[tuple[int, int]]] = {}
            for name in self.besides:
                for hit in ctx.hits(name):
                    start, end = hit.span
                    taken.setdefault(hit.passage, []).append((start - self.margin_chars, end + self.margin_chars))
            found = (self._rest(window, taken.get(window.passage.index, [])) for window in scope(ctx).windows)
            return tuple(hit for hit in found if hit is not None)

        return Finders(find=find, scope=scope)

    def _rest(self, window: Window, taken: list[tuple[int, int]]) -> Hit | None:
        """What is left of a window, from its first to its last free character."""
        if window.end - window.start < self.at_least_chars:
            return None
        free = bytearray(b"\1") * (window.end - window.start)
        for start, end in taken:
            low, high = max(0, start - window.start), max(0, min(end, window.end) - window.start)
            free[low:high] = bytes(max(0, high - low))
        left = free.count(1)
        if left < self.at_least_chars:
            return None
        return window_hit(window, (free.find(1), free.rfind(1) + 1), f"另外讲了 {left} 个字", Strength.MEASURED)
