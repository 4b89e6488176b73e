"""Lexicons: named lists of ways to say a thing, each with its source and date, as YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.strict_yaml import Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term; ``variants`` say the same in other words, ``unless`` takes a hit back when it stands beside it."""

    text: Annotated[str, Doc("短语模板")]
    variants: Annotated[tuple[str, ...], Doc("同一意思的其他说法")] = ()
    unless: Annotated[tuple[str, ...], Doc("附近出现这些说法就不算")] = ()
    whole: Annotated[Literal["", "clause", "turn"], Doc("必须自成一句或自成一个话轮")] = ""
    bounded: Annotated[bool, Doc("两端必须是词的边界")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One lexicon file."""

    name: Annotated[str, Doc("与文件名相同")]
    title: Annotated[str, Doc("给人看的名字")]
    source: Annotated[str, Doc("出处")]
    date: Annotated[str, Doc('整理或核对的日期，如 "2026-11-21"')]
    terms: Annotated[tuple[str | Term, ...], Doc("词条")]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("词库里一个词条也没有")

    def all_terms(self) -> tuple[Term, ...]:
        return tuple(Term(text=item) if isinstance(item, str) else item for item in self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSegments:
    """Which carrier the number segments of mobile telephones belong to (``lexicons/number_segments.yaml``)."""

    name: str
    title: str
    source: str
    date: str
    segments: Annotated[dict[str, tuple[str, ...]], Doc("运营商: 号段列表")]

    def __post_init__(self) -> None:
        for carrier, prefixes in self.segments.items():
            for prefix in prefixes:
                if not (prefix.isdigit() and prefix.startswith("1") and 3 <= len(prefix) <= 5):
                    raise ValueError(f"{carrier} 的号段“{prefix}”应是 1 开头的 3 到 5 位数字")
