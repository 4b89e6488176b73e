"""Sentences for which nobody may be accused, for the check of forbidden lexicons."""

from __future__ import annotations

from pathlib import Path

from qa_pipeline.errors import UserError, reason_of
from qa_pipeline.model import Role
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.examples import conversation_of
from qa_pipeline.signals.phrase import PhraseSpec


def forbidden_lexicons(book: RuleBook) -> frozenset[str]:
    """Lexicons whose terms accuse: those of a ``must_not`` rule's own signals that need no company."""
    names: set[str] = set()
    for rule in book.rules:
        if rule.spec.advice:  # a hint accuses nobody
            continue
        for name in rule.spec.judge.must_not:
            signal = rule.spec.signals[name]
            if isinstance(signal, PhraseSpec) and signal.where.after is None and not signal.whole:
                names |= set(signal.lexicons)
    return frozenset(names)


def sentences(book: RuleBook, corpus: Path | None = None) -> list[str]:
    """The agent's words in the clear examples of the rules that the lexicons serve, or the lines of a file."""
    if corpus is not None:
        try:
            return [line.strip() for line in corpus.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            why = reason_of(error) if isinstance(error, OSError) else "不是 UTF-8 编码"
            raise UserError(f"读不了 {corpus}：{why}。请给出 UTF-8 的文本文件，一行一句。") from None
    return [
        turn.raw
        for rule in book.rules
        if rule.spec.judge.omission
        for example in rule.spec.examples.clear
        for turn in conversation_of(example).turns
        if turn.role is Role.AGENT
    ]
