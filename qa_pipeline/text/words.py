"""Word boundaries and tokens by jieba (MIT), kept away from everything that needs neither."""

from __future__ import annotations

import logging
from functools import lru_cache
from threading import Lock
from typing import Any

_BUILDING = Lock()
_IN_USE = 20  # times in jieba's dictionary: a made-up name has none, 王建国 12, 雷鸣 129


def _tokenizer() -> Any:
    with _BUILDING:  # threads that ask at once would each build one: half a second and 60 MB
        return _built()


@lru_cache(maxsize=1)
def _built() -> Any:
    import jieba

    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Words of a stretch of normal text, without the statistical new-word guess (the same text gives the same words for ever)."""
    return tuple(_tokenizer().cut(text, HMM=False))


@lru_cache(maxsize=4096)
def boundaries(text: str) -> frozenset[int]:
    """Offsets at which a word begins or ends."""
    offsets, position = {0}, 0
    for token in tokens(text):
        position += len(token)
        offsets.add(position)
    return frozenset(offsets)


def is_a_word(text: str) -> bool:
    """Whether jieba knows it as a word of some use (高兴, 夏天), famous names among them."""
    return int(_tokenizer().FREQ.get(text) or 0) >= _IN_USE


@lru_cache(maxsize=1)
def common_characters(count: int = 3000) -> tuple[tuple[str, int], ...]:
    """The commonest single characters and their frequency in jieba's dictionary, commonest first."""
    singles = [
        (word, int(count)) for word, count in _tokenizer().FREQ.items() if len(word) == 1 and "一" <= word <= "龥" and count > 0
    ]
    return tuple(sorted(singles, key=lambda item: (-item[1], item[0]))[:count])
