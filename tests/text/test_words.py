"""Words by jieba: the dictionary is read once, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import jieba
import pytest

from qa_pipeline.text import words


def test_threads_that_ask_at_once_share_one_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    ready = Barrier(4)
    real = jieba.Tokenizer.initialize

    def noting(tokenizer: jieba.Tokenizer, dictionary: str | None = None) -> None:
        built.append(tokenizer)
        real(tokenizer, dictionary)

    def cut(text: str) -> tuple[str, ...]:
        ready.wait()
        return words.tokens(text)

    monkeypatch.setattr(jieba.Tokenizer, "initialize", noting)
    words._built.cache_clear()
    words.tokens.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(cut, ["流量套餐", "话费余额", "客户经理", "取消业务"]))
    assert answers == [("流量", "套餐"), ("话费", "余额"), ("客户经理",), ("取消", "业务")]
    assert len({id(one) for one in built}) == 1
