"""Loading a rule book: every mistake of every file at once, each at its line, and a digest of the contents alone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa_pipeline.errors import RuleFileError
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.load import load_book
from tests.rules.support import NEEDED, book, phrase, rule, shipped, write

Lexicons = Mapping[str, Mapping[str, Any] | str]


def problems(folder: Path, *rules: Mapping[str, Any] | str, lexicons: Lexicons | None = None) -> list[str]:
    with pytest.raises(RuleFileError) as caught:
        book(folder, *rules, lexicons=lexicons)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def message(folder: Path, **changes: Any) -> str:
    """The one thing that is wrong with a rule, without its place."""
    (only,) = problems(folder, rule(**changes))
    return only.split(": ", 1)[1]


def lexicon(name: str, *terms: object, **changes: object) -> dict[str, Any]:
    return {"name": name, "title": "词", "source": "测试", "date": "2026-11-21", "terms": list(terms), **changes}


def test_a_good_book(tmp_path: Path) -> None:
    made = book(tmp_path, rule("X02"), rule("X01"))
    assert [(item.clause, item.spec.rule, item.path) for item in made.rules] == [
        ("X01", "X01-test", "rules/r1.yaml"),
        ("X02", "X02-test", "rules/r0.yaml"),
    ]
    assert made.clauses == ("X01", "X02")
    assert made.rule("X02") is made.rule("X02-test") is made.rules[1]
    with pytest.raises(KeyError):
        made.rule("X03")


def test_all_mistakes_of_all_files_at_once_by_file_and_line(tmp_path: Path) -> None:
    text = yaml.safe_dump(rule("X01"), allow_unicode=True, sort_keys=False)
    wrong = """clause: X02
rule: X02-test
title: 坏
source: {doc: S0, article: 一, text: 二}
means: 三
instead: 四
signals:
  one:
    kind: phrase
    label: 一
    phrases:
      - (甲
      - 乙
      - 嗯啊
  two:
    kind: phrase
    label: 二
    phrases: [丙]
    lexicons: [没有的]
  three:
    kind: segment
    label: 三
    field: caller_number
    carriers: [铁通]
judge: {must_not: [one, two, three]}
examples: {violating: [], clear: []}
"""
    assert problems(
        tmp_path,
        text,
        wrong,
        text + "extra: 1\n",
        lexicons={
            "bad": "name: bad\ntitle: 坏\nsource: 一\ndate: 2026-11-21\nterms:\n  - 甲\n",
            "terms": 'name: terms\ntitle: 词\nsource: 一\ndate: "2026-11-21"\nterms:\n  - 好\n  - "乙)"\n  - text: 丙\n    unless: [丁, "(戊"]\n',
            "other": lexicon("another", "甲"),
        },
    ) == [
        "lexicons/bad.yaml:4:7: date应是文字；“2026-11-21”会被 YAML 读成别的类型，请加引号",
        "lexicons/other.yaml:1:1: name 写的是“another”，应与文件名“other”相同",
        "lexicons/terms.yaml:7:5: 短语“乙)”第 2 个字：多余的“)”",
        "lexicons/terms.yaml:9:17: 短语“(戊”第 3 个字：缺少“)”",
        "rules/r1.yaml:12:9: 短语“(甲”第 3 个字：缺少“)”",
        "rules/r1.yaml:14:9: 短语“嗯啊”去掉标点和语气词以后可能什么也不剩",
        "rules/r1.yaml:16:5: 没有名为“没有的”的词库，现有：activation、another、quoting、terms",
        "rules/r1.yaml:21:5: 号段词库里没有“铁通”，现有：",
        "rules/r2.yaml:22:1: 不认识的键“extra”，可用：advice、applies、borrows、clause、examples、excuses、hotwords、instead、"
        "judge、means、needs、review、rule、signals、source、title",
    ]


def test_an_id_is_used_once(tmp_path: Path) -> None:
    assert problems(tmp_path, rule("X01"), rule("X02", rule="X01-test"), rule("X01", rule="X01-more")) == [
        "rules/r1.yaml:1:1: 规则编号“X01-test”重复，已在 rules/r0.yaml 用过"
    ]


def test_a_clause_may_have_several_rules(tmp_path: Path) -> None:
    made = book(tmp_path, rule("X01"), rule("X01", rule="X01-more"))
    assert (made.clauses, made.rule("X01").spec.rule) == (("X01",), "X01-more")


SAID = {"said": phrase("坏话")}
TWO = {"said": phrase("坏话"), "other": phrase("好话")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"judge": {"must_not": ["sayd"]}}, "没有定义的信号：sayd；已定义：said"),
        ({"signals": TWO}, "定义了却没有用到的信号：other"),
        ({"excuses": ["none"]}, "没有定义的信号：none；已定义：said"),
        ({"applies": [{"found": "none"}]}, "没有定义的信号：none；已定义：said"),
        ({"signals": {"said": phrase("坏话", where={"after": {"signal": "none"}})}}, "没有定义的信号：none；已定义：said"),
        ({"signals": {"said": phrase("坏话", where={"answering": "none"})}}, "没有定义的信号：none；已定义：said"),
        ({"hotwords": ["坏话"]}, "只有“应说”的规则可以写 hotwords：识别器会凭空听出热词，违禁词绝不能写"),
        ({"judge": {}}, "judge 写且只写一种：must、must_not、at_most、at_least、each"),
        ({"judge": {"must": ["said"], "must_not": ["said"]}}, "judge 写且只写一种：must、must_not、at_most、at_least、each"),
        ({"judge": {"at_least": {"of": ["said"], "kinds": 2}}}, "at_least 的 kinds 应在 1 到信号的个数之间"),
        ({"judge": {"at_least": {"of": ["said"], "kinds": 0}}}, "at_least 的 kinds 应在 1 到信号的个数之间"),
        ({"judge": {"at_most": {"signal": "said", "times": -1}}}, "at_most 的 times 不能小于 0"),
        ({"judge": {"each": {"signal": "said"}}}, "each 的 before 与 after 至少写一个"),
        ({"applies": [{}]}, "每个适用条件写且只写一种（sold、settled、field、found、not_found、min_talk_s、min_agent_chars、min_agent_turns）"),
        (
            {"applies": [{"sold": True, "found": "said"}]},
            "每个适用条件写且只写一种（sold、settled、field、found、not_found、min_talk_s、min_agent_chars、min_agent_turns）",
        ),
        ({"applies": [{"field": "line"}]}, "field 要配 in、not_in、at_least 中的一个"),
        ({"needs": ["voice"]}, "needs只能是：agent、customer、times、audio、two_channels、sure_roles、loudness、pitch、history、charge_due、"
         "closing、hangup_by、hangup_at、line、caller_number、customer_number、customer_name、trial_days、charged、outcome、call_type"),
        ({"signals": {"said": {"kind": "phrase", "label": "空"}}}, "phrases 与 lexicons 至少写一个"),
        ({"signals": {"said": phrase("坏话", where={"first_turns": 1, "last_turns": 2})}}, "first_turns 与 last_turns 互相矛盾，只能写一个"),
        ({"signals": {"said": phrase("坏话", where={"after": {"signal": "said", "nth": 0}})}}, "nth 从 1 数起，-1 表示最后一次"),
        ({"signals": {"said": phrase("坏话", where={"after": {"signal": "said"}})}}, "信号互相引用，绕成了圈：said → said"),
        (
            {"signals": {"said": {"kind": "any_of", "label": "甲", "of": ["other"]}, "other": {"kind": "any_of", "label": "乙", "of": ["said"]}}},
            "信号互相引用，绕成了圈：said → other → said",
        ),
        (
            {"signals": {**SAID, "one": {"kind": "any_of", "label": "甲", "of": ["two"]}, "two": phrase("甲", where={"answering": "one"})}},
            "定义了却没有用到的信号：one、two",
        ),
        ({"source": {"doc": "S9", "article": "一", "text": "二"}}, "doc只能是：S0、S1、S2、S3"),
        ({"clause": None}, "缺少必填的键“clause”"),
        ({"examples": None}, "缺少必填的键“examples”"),
        ({"borrows": {"X99": ["a"]}, "judge": {"must_not": ["said", "a"]}}, "borrows 里的规则“X99”不存在"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_mean_anything_is_refused(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert message(tmp_path, **changes) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("嗯啊，。", "去掉标点和语气词以后可能什么也不剩"),
        ("[可有]", "去掉标点和语气词以后可能什么也不剩"),
        ("#", "没有任何固定的字，无法定位"),
        ("甲~乙~丙~丁~戊", "间隔 ~ 多于 3 个，请拆成几个信号"),
        ("甲~31乙", "间隔只能是 1 到 30 个字"),
        ("甲~30#~30#~30#乙", "太多太宽，比对会很慢"),
        ("(" * 4000, "括号一层套一层太深"),
    ],
)
def test_a_phrase_that_says_nothing_or_too_much_is_refused(tmp_path: Path, template: str, expected: str) -> None:
    assert expected in message(tmp_path, signals={"said": phrase(template, label="话")})
    bad = problems(tmp_path / "l", rule(), lexicons={"l": lexicon("l", "好", template)})
    assert len(bad) == 1 and bad[0].startswith("lexicons/l.yaml:7:3: ") and expected in bad[0]


def test_the_heaviest_phrase_that_is_allowed_is_still_judged_at_once(tmp_path: Path) -> None:
    from qa_pipeline.audit import audit
    from tests.signals.support import call

    made = book(tmp_path, rule(signals={"said": phrase("(一|幺)~30[二]一~30一~30[三]四", label="重")}))
    started = time.perf_counter()
    audit(made, call("坐：四" + "一" * 200))
    assert time.perf_counter() - started < 5


def test_an_empty_lexicon_and_one_that_is_missing(tmp_path: Path) -> None:
    assert problems(tmp_path, rule(), lexicons={"l": lexicon("l")}) == ["lexicons/l.yaml:1:1: 词库里一个词条也没有"]
    folders = write(tmp_path / "m", rule())
    (folders[1] / "quoting.yaml").unlink()
    (folders[1] / "activation.yaml").unlink()
    with pytest.raises(RuleFileError) as caught:
        load_book(*folders)
    assert [problem.message for problem in caught.value.problems][:2] == ["缺少词库 quoting.yaml", "缺少词库 activation.yaml"]


def test_two_lexicons_of_one_name(tmp_path: Path) -> None:
    folders = write(tmp_path, rule(), lexicons={"l": lexicon("l", "甲")})
    shutil.copytree(folders[1], folders[1] / "more")
    for name in NEEDED:
        (folders[1] / "more" / f"{name}.yaml").unlink()
    with pytest.raises(RuleFileError) as caught:
        load_book(*folders)
    assert [str(problem) for problem in caught.value.problems] == ["lexicons/more/l.yaml:1:1: 词库“l”已经有了，请换一个名字"]


def test_folders_that_are_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError) as caught:
        load_book(tmp_path / "r", tmp_path / "l")
    assert [str(problem) for problem in caught.value.problems] == [
        f"{tmp_path}/r:1:1: 找不到规则文件夹，请用 --rules 指定，或检查路径",
        f"{tmp_path}/l:1:1: 找不到词库文件夹，请用 --rules 指定，或检查路径",
    ]
    with pytest.raises(RuleFileError, match="文件夹里没有规则文件"):
        book(tmp_path)


LENDER = rule("X01", signals={"said": phrase("坏话", where={"after": {"signal": "before"}}), "before": phrase("然后")})


def test_borrowed_signals_come_with_what_they_are_made_of(tmp_path: Path) -> None:
    made = book(
        tmp_path,
        LENDER,
        rule("X02", signals={"own": phrase("丑话")}, borrows={"X01-test": ["said"]}, judge={"must_not": ["own", "said"]}),
    )
    assert list(made.rule("X02").signals) == ["own", "said", "before"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"borrows": {"X01-test": ["none"]}, "judge": {"must_not": ["none"]}, "signals": {}}, "规则“X01-test”没有信号“none”"),
        ({"borrows": {"X01-test": ["said"]}}, "借来的信号“said”与本规则已有的同名而不同，请改名"),
        ({"borrows": {"X01-test": ["before"]}}, "定义了却没有用到的信号：before"),
    ],
)
def test_what_cannot_be_borrowed(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert problems(tmp_path, LENDER, rule("X02", **changes)) == [f"rules/r1.yaml:1:1: {expected}"]


def digest(folder: Path, made: RuleBook | None = None) -> str:
    return load_book(folder / "rules", folder / "lexicons").digest


def test_the_digest_is_of_names_and_contents_wherever_they_lie(tmp_path: Path) -> None:
    first = book(tmp_path / "a", rule("X01"), lexicons={"r0": lexicon("r0", "甲")}).digest
    assert len(first) == 64
    shutil.copytree(tmp_path / "a", tmp_path / "elsewhere")
    assert digest(tmp_path / "elsewhere") == first
    shutil.move(tmp_path / "elsewhere" / "rules", tmp_path / "0rules")  # the folders in the other order
    assert load_book(tmp_path / "0rules", tmp_path / "elsewhere" / "lexicons").digest == first


def test_the_digest_does_not_care_for_line_ends_but_for_every_word(tmp_path: Path) -> None:
    first = book(tmp_path, rule("X01"), rule("X02")).digest
    for path in tmp_path.rglob("*.yaml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert digest(tmp_path) == first
    (tmp_path / "rules" / "policy.yaml").write_text("base_score: 100\n", encoding="utf-8")
    assert digest(tmp_path) == first  # the policy has a digest of its own
    changed = tmp_path / "lexicons" / "quoting.yaml"
    changed.write_text(changed.read_text(encoding="utf-8") + "- 又说\n", encoding="utf-8")
    second = digest(tmp_path)
    (tmp_path / "rules" / "r0.yaml").rename(tmp_path / "rules" / "renamed.yaml")
    assert len({first, second, digest(tmp_path)}) == 3


def test_the_shipped_book_holds_every_clause_of_the_catalogue() -> None:
    wanted = [f"A{n:02}" for n in range(1, 18)]
    wanted += [
        "B1",
        "B2",
        "B3a",
        "B3b",
        "B4",
        "B5",
        "B6",
        "B7",
        "B8",
        "C1",
        "C2",
        "C3",
        "C4",
        "C5",
        "C6",
        "D1",
        "D2",
        "D5",
        "D6",
        "D7",
        "D8",
        "D9",
    ]
    assert sorted(shipped().clauses) == sorted(wanted)
