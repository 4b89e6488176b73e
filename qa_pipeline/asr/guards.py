"""What a recogniser says when there is nothing to say: loops, stock phrases, text that nobody could have spoken. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa_pipeline.asr.whisper import Heard, Timed

# Whisper learned these from subtitles and says them over music and noise. Nobody says them on a call.
_STOCK = re.compile(
    r"(点[赞讚贊]|點[赞讚贊]).{0,8}(订阅|訂閱|转发|轉發)|明[镜鏡][与與][点點][点點]|[字]幕(由|by|製作|制作|志[愿願]者|提供)"
    r"|amara\.org|[谢謝]{2}(大家)?(的)?(观看|觀看|收看|收听|收聽)|(未经|未經)作者授[权權]|优优独播剧场|中文字幕",
    re.IGNORECASE,
)
_LOOP = re.compile(r"(.{1,12}?)\1{3,}", re.DOTALL)
_LOOP_CHARS = 10  # 好好好好好好 is said on calls, and short; a loop is not
_FASTEST = 11.0  # characters a second over a stretch; the fastest speakers reach 8
_FASTEST_CHARS = 8


def loop_in(text: str) -> tuple[int, int] | None:
    """Characters ``[start, end)`` of the first loop: something said four times and more without anything between."""
    for match in _LOOP.finditer(text):
        if match.end() - match.start() >= _LOOP_CHARS:
            return match.start(), match.end()
    return None


def is_stock(text: str) -> bool:
    """A subtitle phrase."""
    return _STOCK.search(text) is not None


def too_fast(words: Sequence[Timed], rate: int) -> bool:
    """More characters than a mouth can say in the time from the first word to the last (times in samples at ``rate``)."""
    chars = sum(word.end - word.start for word in words)
    return chars >= _FASTEST_CHARS and chars > _FASTEST * max(1, words[-1].last - words[0].first) / rate


def doubtful(heard: Heard, rate: int) -> bool:
    """The window must be heard again: it looped, ran into the length limit, or is hardly believed by the model itself."""
    if heard.cut_short or heard.avg_logprob < -1.0:
        return True
    return loop_in(heard.text) is not None or is_stock(heard.text) or (bool(heard.words) and too_fast(heard.words, rate))


def reject(heard: Heard, rate: int) -> str:
    """Why a reading of a single stretch is thrown away, in Chinese; empty when it may stand."""
    if is_stock(heard.text):
        return "字幕套话，不是说话"
    if heard.cut_short or loop_in(heard.text) is not None:
        return "重复循环，不是说话"
    if not heard.words:
        return ""
    if too_fast(heard.words, rate):
        return "字数多于这段时间能说的字"
    if heard.no_speech > 0.6 and (heard.avg_logprob < -1.0 or _LOOP.search(heard.text) is not None):
        return "像是没有人说话"
    if sum(word.confidence for word in heard.words) / len(heard.words) < 0.2:
        return "几乎没有把握"
    return ""
