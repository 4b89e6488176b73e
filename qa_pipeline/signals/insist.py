"""A push after so many refusals that still stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.signals.base import Context, Hit
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import whole_scope
from qa_pipeline.strict_yaml import Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class InsistedSpec:
    """对方拒绝满几次以后仍然说的话。命中依次是那几次拒绝和之后的第一句；改了主意，之前的拒绝不再算。"""

    kind: Literal["insisted"] = "insisted"
    label: Annotated[str, Doc("给人看的名字")]
    of: Annotated[str, Doc("拒绝以后不该再说的话")]
    against: Annotated[str, Doc("拒绝；一个话轮算一次")]
    taken_back: Annotated[str, Doc("改了主意，之前的拒绝不再算")] = ""
    times: Annotated[int, Doc("拒绝满几次")] = 3

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError("times 至少为 1")

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            events = [(hit.position, 1, hit) for hit in ctx.hits(self.against)]
            events += [(hit.position, 0, hit) for hit in (ctx.hits(self.taken_back) if self.taken_back else ())]
            events += [(hit.position, 2, hit) for hit in ctx.hits(self.of)]
            refused: list[Hit] = []
            for _, kind, hit in sorted(events, key=lambda event: event[:2]):
                if kind == 0:
                    refused = []
                elif kind == 1 and not any(hit.position.turn == earlier.position.turn for earlier in refused):
                    refused.append(hit)
                elif kind == 2 and len(refused) >= self.times:
                    return _told(refused[: self.times], hit, self.label)
            return ()

        return Finders(find=find, scope=whole_scope)


def _told(refused: list[Hit], push: Hit, label: str) -> tuple[Hit, ...]:
    notes = [f"第 {number} 次拒绝" for number in range(1, len(refused) + 1)]
    notes[0] += f"，到第 {len(refused)} 次以后坐席仍说“{push.quote}”"
    return (*(hit._replace(note=note) for hit, note in zip(refused, notes, strict=True)), push._replace(note=label))
