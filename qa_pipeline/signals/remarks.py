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
            taken = [hit for name in self.besides for hit in ctx.hits(name)]
            found = (self._rest(window, taken) for window in scope(ctx).windows)
            return tuple(hit for hit in found if hit is not None)

        return Finders(find=find, scope=scope)

    def _rest(self, window: Window, taken: list[Hit]) -> Hit | None:
        left = set(range(window.start, window.end))
        for hit in taken:
            if hit.passage == window.passage.index:
                left -= set(range(hit.span[0] - self.margin_chars, hit.span[1] + self.margin_chars))
        if len(left) < self.at_least_chars:
            return None
        span = (min(left) - window.start, max(left) + 1 - window.start)
        return window_hit(window, span, f"另外讲了 {len(left)} 个字", Strength.MEASURED)
