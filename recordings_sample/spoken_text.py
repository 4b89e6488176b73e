"""Written Mandarin → what a person says aloud → toned syllables for the synthesiser."""

import re

import cn2an
from pypinyin import Style
from pypinyin.contrib.neutral_tone import NeutralToneWith5Mixin
from pypinyin.contrib.tone_sandhi import ToneSandhiMixin
from pypinyin.converter import DefaultConverter
from pypinyin.core import Pinyin

HAN = re.compile(r"[\u4e00-\u9fff]")
NUMERALS = "零一二三四五六七八九十百千万幺两"
PAUSE_S = {"、": 0.10, "，": 0.16, "：": 0.16, "；": 0.25, "。": 0.34, "！": 0.34, "？": 0.34, "…": 0.40}
"""Pauses inside a turn; all under 0.5 s, so that they count as speech in a pace measurement."""

_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_SERIAL = str.maketrans("0123456789", "零幺二三四五六七八九")
_LETTER_NAMES = (
    "A诶 B必 C西 D弟 E易 F艾弗 G寄 H艾尺 I爱 J杰 K开 L艾欧 M艾姆 N恩 O欧 P批 Q丘 R阿尔 S艾丝 T替 U优 V威 W达不溜 X艾克丝 Y外 Z贼"
)
_LETTERS = {name[0]: name[1:] for name in _LETTER_NAMES.split()}
_SERIAL_BEFORE = re.compile(r"(?:工号|尾号|后四位|号码|编号|热线|拨打?|短信|回复?|发送?到?|座机|电话)(?:是|为|到|至|:|：)?$")
_UNIT_AFTER = re.compile(r"[元块角毛分天日号月个年条次点秒小钟兆万千百亿户位人岁家路层折倍台种项成]|MB|GB|M|G", re.IGNORECASE)
_LIANG_AFTER = "个块条次天年分点小种项户位人家台倍万千"
_ASCII_PUNCTUATION = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ":": "：", ";": "；", "~": "，", "—": "，"})


def speak_as(text: str) -> str:
    """Digits and Latin letters as a call-centre agent says them; punctuation full-width; everything else dropped.

    >>> speak_as("我是8012号, 21号生效, 每月5元, 打10086")
    '我是八零幺二号，二十一号生效，每月五元，打幺零零八六'
    """
    text = re.sub(r"(\d+(?:\.\d+)?)\s*%", lambda m: "百分之" + cn2an.an2cn(m[1], "low"), text)
    text = re.sub(r"([元块角毛])/([月年日天次条])", r"\1每\2", text)
    text = re.sub(r"(\d{1,2}):(\d{2})", _clock, text)
    text = re.sub(r"(\d{4})年", lambda m: m[1].translate(_DIGITS) + "年", text)
    text = re.sub(r"\d+(?:\.\d+)?", _number, text)
    text = re.sub(r"[A-Za-z]", lambda m: _LETTERS[m[0].upper()], text)
    text = text.translate(_ASCII_PUNCTUATION)
    return "".join(c for c in text if HAN.match(c) or c in PAUSE_S)


def _clock(match: re.Match[str]) -> str:
    minutes = "整" if match[2] == "00" else cn2an.an2cn(match[2].lstrip("0") or "0", "low") + "分"
    return f"{cn2an.an2cn(match[1], 'low')}点{minutes}"


def _number(match: re.Match[str]) -> str:
    digits, text = match[0], match.string
    before, after = text[: match.start()], text[match.end() :]
    unit = _UNIT_AFTER.match(after)
    if unit and unit[0] == "号" and len(digits) >= 3:  # 1622号 is an agent, 21号 is a day
        unit = None
    if digits.isdigit() and (digits[0] == "0" or (len(digits) >= 3 and not unit) or _SERIAL_BEFORE.search(before)):
        return digits.translate(_SERIAL)
    if digits == "2" and unit and unit[0] in _LIANG_AFTER:
        return "两"
    return str(cn2an.an2cn(digits, "low"))


def phrases(spoken: str) -> list[tuple[str, float]]:
    """Breath groups of a turn, each with the pause (seconds) that follows it; the last has none."""
    groups: list[tuple[str, float]] = []
    for chunk in re.findall(f"[^{''.join(PAUSE_S)}]+[{''.join(PAUSE_S)}]*", spoken):
        words = "".join(c for c in chunk if HAN.match(c))
        pause = max((PAUSE_S[c] for c in chunk if c in PAUSE_S), default=0.0)
        if words:
            groups.append((words, pause))
    return [*groups[:-1], (groups[-1][0], 0.0)] if groups else []


class _Converter(NeutralToneWith5Mixin, ToneSandhiMixin, DefaultConverter):
    pass


_pinyin = Pinyin(_Converter()).pinyin
_FIXED = {"嗯": "en5", "诶": "ei2", "欸": "ei2", "呃": "e4", "哦": "o4", "噢": "o4", "咯": "luo5", "嘞": "lei5", "幺": "yao1"}


def syllables(words: str) -> list[str]:
    """Toned pinyin, one item a character (``ni3 hao3``), with the tone changes of 一 and 不."""
    out = [item[0] for item in _pinyin(words, style=Style.TONE3)]
    for i, char in enumerate(words):
        follow = out[i + 1][-1] if i + 1 < len(words) else ""
        neighbours = words[i - 1 : i] + words[i + 1 : i + 2]
        if char in _FIXED:
            out[i] = _FIXED[char]
        elif char == "不" and follow == "4":
            out[i] = "bu2"
        elif char == "一" and follow and not any(c in NUMERALS + "第月号" for c in neighbours):
            out[i] = "yi2" if follow in "45" else "yi4"
    return out
