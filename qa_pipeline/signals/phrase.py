"""Phrases and lexicons: exact on characters, phonetic on syllables, fuzzy by edit distance; the heart of the matching.

Strict (for what must not be said): characters, or the same syllables when the phrase has four or more of them.
Loose (for what must be said; doubt favours the agent): the same syllables at any length of two and more, else an edit distance that
grows with the length. Distance is only tried where nothing nearer was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.signals.base import Where, Who
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.searcher import make_searcher
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.lexicon import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseSpec:
    """短语：写在这里的或词库里的说法。"""

    kind: Literal["phrase"] = "phrase"
    label: Annotated[str, Doc("给人看的名字，如“公司名称”")]
    who: Annotated[Who, Doc("谁说的")] = "agent"
    phrases: Annotated[tuple[str, ...], Doc("短语模板：(甲|乙) 任选，[可省]，~6 至多隔六个字，# 数字")] = ()
    lexicons: Annotated[tuple[str, ...], Doc("词库名")] = ()
    unless: Annotated[tuple[str, ...], Doc("附近出现这些说法就不算")] = ()
    unless_lexicons: Annotated[tuple[str, ...], Doc("附近出现这些词库里的说法就不算")] = ()
    whole: Annotated[Literal["", "clause", "turn"], Doc("必须自成一句（clause）或自成一个话轮（turn）")] = ""
    bounded: Annotated[bool, Doc("两端必须是词的边界（按 jieba 分词）")] = False
    strength: Annotated[
        Literal["", "strict", "loose", "sounds", "exact"],
        Doc("strict 从严，loose 从宽，sounds 同音两个字起算而不容差音节，exact 只认原字；不写则违禁从严、应说从宽"),
    ] = ""
    once_per_turn: Annotated[bool, Doc("一个话轮里说几遍只算一次")] = False
    quoted: Annotated[bool, Doc("true：转述、引用别人的话也算")] = False
    where: Where = Where()

    def __post_init__(self) -> None:
        if not self.phrases and not self.lexicons:
            raise ValueError("phrases 与 lexicons 至少写一个")

    def bind(self, kit: Kit) -> Finders:
        terms = [Term(text=text) for text in self.phrases]
        for name in self.lexicons:
            terms += kit.terms(name)
        searcher = make_searcher(kit, self, tuple(terms))
        return Finders(find=searcher.find, nearest=searcher.nearest, scope=searcher.scope)
