"""Makes ``qa_pipeline/text/data``: what every character sounds like, and the phrases that sound otherwise than their characters.

    pip install pypinyin==0.55.0 && python -m tools.readings

The product reads the two files and not pypinyin, so that another version of it cannot change a verdict.
"""

from __future__ import annotations

from pathlib import Path

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from qa_pipeline.text.phonetic import confuse, plain

DATA = Path(__file__).resolve().parents[1] / "qa_pipeline" / "text" / "data"
# the everyday reading in calls differs from the table's first one
EVERYDAY = {"了": "le", "的": "de", "着": "zhe", "得": "de", "地": "di", "吗": "ma", "呢": "ne", "啊": "a", "哪": "na", "那": "na", "谁": "shei",
            "行": "xing", "都": "dou", "还": "hai", "会": "hui", "给": "gei", "没": "mei", "什": "shen", "么": "me", "说": "shuo", "为": "wei",
            "重": "zhong", "费": "fei", "便": "bian", "觉": "jue", "长": "chang", "少": "shao", "种": "zhong", "打": "da", "嗯": "en"}  # fmt: skip
# spoken digits have two readings each; 幺 is one, 俩/两 are two
SAME_AS = {"幺": "一", "俩": "两", "貳": "二", "〇": "零"}


def made() -> dict[str, str]:
    """The two files: their names and texts."""
    syllables = {
        chr(code): EVERYDAY.get(chr(code)) or plain(readings.partition(",")[0]) for code, readings in sorted(pinyin_dict.items())
    }
    syllables |= {char: syllables[like] for char, like in SAME_AS.items()}
    lines: dict[str, str] = {}
    for char, syllable in syllables.items():
        lines[syllable] = lines.get(syllable, "") + char
    phrases = {}
    for phrase, readings in sorted(phrases_dict.items()):
        spoken = [plain(reading[0]) for reading in readings]
        if [confuse(one) for one in spoken] != [confuse(syllables.get(char, "")) for char in phrase]:
            phrases[phrase] = " ".join(spoken)
    tables = {"characters.tsv": lines, "phrases.tsv": phrases}
    return {name: "".join(f"{key}\t{value}\n" for key, value in rows.items()) for name, rows in tables.items()}


def main() -> None:
    for name, text in made().items():
        (DATA / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
