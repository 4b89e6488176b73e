"""``qa rules`` and ``qa lexicon`` as a rule author uses them: what is printed, in Chinese, and the exit code."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.schema import lexicon_schema, rule_schema
from qa_pipeline.store import open_store
from tests.cli.support import Qa
from tests.rules.support import NEEDED, phrase, rule, write
from tests.rules.test_history import BATCH, FIRST, LATER, SALE, run

EXAMPLES = {
    "violating": [{"turns": ["坐席：说坏话"]}, {"turns": ["坐席：坏话"]}, {"turns": ["坐席：壞話"], "noise": True}],
    "clear": [{"turns": ["坐席：好话"]}, {"turns": ["坐席：好話"], "noise": True}, {"turns": ["坐席：坏画"], "lookalike": True}],
}


PACKAGED = rules_dir() / "policy.yaml"
UNPRICED = f"注意：{PACKAGED} 的 clauses 里没有 X01：这些条款的违规照记，但不扣分、不扣款。要计的话，在那里写上。\n"


def small(folder: Path, *rules: object) -> Path:
    """A book of its own, lexicons beside the rules; the folder to give to ``--rules``."""
    return write(folder, *(rules or (rule(examples=EXAMPLES),)))[0]  # type: ignore[arg-type]


def test_list_names_every_rule(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path, rule("X02", examples=EXAMPLES), rule("X01", advice=True))
    said = qa("rules", "list", "--rules", book)
    lines = [line.split() for line in said.out.splitlines()]
    assert (said.code, said.err) == (0, "")
    assert lines[0] == ["条款", "规则", "名称", "出处", "违规例", "合规例"]
    assert lines[2:] == [
        ["X01", "X01-test", "测试条款X01", "S0", "测试", "0", "0"],
        ["X02", "X02-test", "测试条款X02", "S0", "测试", "3", "3"],
    ]


def test_list_for_scripts(qa: Qa, tmp_path: Path) -> None:
    answer = json.loads(qa("rules", "list", "--json", "--rules", small(tmp_path)).out)
    assert len(answer.pop("digest")) == 64
    assert answer == {
        "rules": [
            {
                "clause": "X01",
                "rule": "X01-test",
                "title": "测试条款X01",
                "source": "S0 测试",
                "advice": False,
                "violating": 3,
                "clear": 3,
            }
        ]
    }


def test_check_of_a_good_book(qa: Qa, tmp_path: Path) -> None:
    said = qa("rules", "check", "--rules", small(tmp_path))
    assert (said.code, said.out, said.err) == (0, "", UNPRICED + "1 条规则、2 个词库，没有错误。\n")


def test_check_tells_what_the_policy_does_not_price(qa: Qa, tmp_path: Path) -> None:
    book = small(
        tmp_path, rule("X02", examples=EXAMPLES), rule("X01", examples=EXAMPLES), rule("X03", examples=EXAMPLES, advice=True)
    )
    policy = book / "policy.yaml"
    policy.write_text(
        PACKAGED.read_text(encoding="utf-8").replace("\nclauses:\n", '\nclauses:\n  X02: {source: "测试"}\n'), encoding="utf-8"
    )
    said = qa("rules", "check", "--rules", book)
    assert (said.code, said.out, said.err) == (
        0,
        "",
        f"注意：{policy} 的 clauses 里没有 X01：这些条款的违规照记，但不扣分、不扣款。要计的话，在那里写上。\n3 条规则、2 个词库，没有错误。\n",
    )


def test_lexicons_inside_the_rules_are_one_mistake(qa: Qa, tmp_path: Path) -> None:
    mine = tmp_path / "我的规则"
    shutil.copytree(rules_dir(), mine)
    shutil.copytree(lexicons_dir(), mine / "lexicons")
    said = qa("rules", "check", "--rules", mine)
    assert (said.code, said.err) == (2, "共 1 处错误。\n")
    assert said.out == (f"{mine}/lexicons:1:1: 词库文件夹要放在规则文件夹旁边，不能放在里面。请把它移到 {tmp_path}/lexicons\n")
    shutil.move(mine / "lexicons", tmp_path / "lexicons")
    assert qa("rules", "check", "--rules", mine).code == 0


def test_check_tells_what_examples_lack(qa: Qa, tmp_path: Path) -> None:
    said = qa("rules", "check", "--rules", small(tmp_path, rule(examples={**EXAMPLES, "violating": EXAMPLES["violating"][:2]})))
    assert (said.code, said.out, said.err) == (
        1,
        "rules/r0.yaml: 违规例只有 2 个，至少 3 个\nrules/r0.yaml: 违规例里没有带识别错误的（noise: true）\n",
        UNPRICED + "1 条规则、2 个词库，没有错误；2 处例子不够。\n",
    )


def test_check_tells_every_mistake_with_its_place(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path, rule(signals={"said": phrase("坏话", "(甲")}), {**rule("X02"), "extra": 1}, "a: b: c\n")
    said = qa("rules", "check", "--rules", book)
    assert (said.code, said.err) == (2, "共 3 处错误。\n")
    assert said.out.splitlines() == [
        "rules/r0.yaml:16:7: 短语“(甲”第 3 个字：缺少“)”",
        "rules/r1.yaml:22:1: 不认识的键“extra”，可用：advice、applies、borrows、clause、examples、excuses、hotwords、instead、judge、means、"
        "needs、review、rule、signals、source、title",
        "rules/r2.yaml:1:5: 不是有效的 YAML：这里不能再有冒号；文字里有“: ”的请加引号",
    ]


@pytest.mark.parametrize("words", [("list",), ("test",), ("fragility",), ("reference",)])
def test_other_commands_refuse_a_broken_book_the_same_way(qa: Qa, tmp_path: Path, words: tuple[str, ...]) -> None:
    said = qa("rules", *words, "--rules", small(tmp_path, {**rule(), "extra": 1}))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("错误：rules/r0.yaml:22:1: 不认识的键“extra”")


def test_a_folder_that_is_not_there(qa: Qa, tmp_path: Path) -> None:
    said = qa("rules", "check", "--rules", tmp_path / "none")
    assert said.code == 2 and "找不到规则文件夹" in said.out + said.err and "Traceback" not in said.err


def test_test_runs_the_examples(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path)
    for words in ((), ("X01",), ("X01-test",)):
        said = qa("rules", "test", *words, "--rules", book)
        assert (said.code, said.out, said.err) == (0, "", "6 个例子，6 个相符，0 个不符。\n")


def test_test_prints_every_difference(qa: Qa, tmp_path: Path) -> None:
    wrong = {"violating": [{"turns": ["坐席：好话"]}, {"turns": ["坐席：坏话"], "finds": ["丑话"]}], "clear": [{"turns": ["说"]}]}
    said = qa("rules", "test", "--rules", small(tmp_path, rule(examples=wrong)))
    assert (said.code, said.err) == (2, "3 个例子，0 个相符，3 个不符。\n")
    assert said.out.splitlines() == [
        "✗ X01-test 违规例 1",
        "    应判违规，判成了合规：没有出现：坏话",
        "✗ X01-test 违规例 2",
        "    证据里没有引用“丑话”，引用的是：坏话",
        "✗ X01-test 合规例 1",
        "    例子的话轮应写成“坐席：…”或“客户：…”：说",
    ]


@pytest.mark.parametrize("command", ["test", "fragility"])
def test_an_unknown_clause(qa: Qa, tmp_path: Path, command: str) -> None:
    said = qa("rules", command, "Z99", "--rules", small(tmp_path))
    assert (said.code, said.out, said.err) == (2, "", "错误：没有条款或规则“Z99”。现有条款：X01。\n")


def test_schema(qa: Qa) -> None:
    assert json.loads(qa("rules", "schema").out) == rule_schema()
    assert json.loads(qa("rules", "schema", "--lexicon").out) == lexicon_schema()


def test_new_is_valid_as_it_stands(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path)
    said = qa("rules", "new", "X07", "--out", book / "x" / "X07.yaml")
    assert (said.code, said.out) == (0, "")
    assert said.err == (
        f"已写好 {book}/x/X07.yaml。放进规则文件夹，改完运行 qa rules check --rules 规则文件夹 和 qa rules test X07 --rules 规则文件夹。\n"
        "要扣分、扣款，在规则文件夹的 policy.yaml 的 clauses 里写上 X07；不写只记录违规。\n"
    )
    shutil.copy(PACKAGED, book)
    assert qa("rules", "new", "X08", "--out", book / "x" / "X08.yaml").err == (
        f"已写好 {book}/x/X08.yaml。改完运行 qa rules check --rules {book} 和 qa rules test X08 --rules {book}。\n"
        "要扣分、扣款，在规则文件夹的 policy.yaml 的 clauses 里写上 X08；不写只记录违规。\n"
    )
    assert qa("rules", "check", "--rules", book).code == 0
    assert qa("rules", "test", "X07", "--rules", book).err == "6 个例子，6 个相符，0 个不符。\n"
    assert qa("rules", "new", "X07").out == (book / "x" / "X07.yaml").read_text(encoding="utf-8") + "\n"


def test_new_overwrites_nothing_and_wants_a_code(qa: Qa, tmp_path: Path) -> None:
    file = tmp_path / "X01.yaml"
    file.write_text("mine", encoding="utf-8")
    said = qa("rules", "new", "X01", "--out", file)
    assert (said.code, said.err) == (2, f"错误：{file} 已经存在，没有改动。请换一个文件名。\n")
    assert file.read_text(encoding="utf-8") == "mine"
    for code in ("no", "x1", "../X1", "X 1", "语速"):
        assert qa("rules", "new", code).err == f"错误：条款代码“{code}”应是大写字母加数字，如 X01、B3a。\n"


def test_fragility(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path)
    rows = json.loads(qa("rules", "fragility", "X01", "--variants", "2", "--json", "--rules", book).out)
    assert [row["rate"] for row in rows] == [0.05, 0.1, 0.2, 0.3]
    assert all((row["clause"], row["rule"], row["violating"], row["clear"]) == ("X01", "X01-test", 6, 6) for row in rows)
    said = qa("rules", "fragility", "--variants", "2", "--rules", book)
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[0] == ["条款", "错误率", "认出的违规", "冤枉的合规"]
    assert lines[2:] == [["X01", f"{row['rate']:.0%}", f"{row['found']}/6", f"{row['accused']}/6"] for row in rows]
    assert (said.code, qa("rules", "fragility", "--variants", "0").err.splitlines()[0]) == (0, "错误：--variants 不能小于 1。")


def test_reference(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path)
    printed = qa("rules", "reference", "--rules", book)
    assert printed.code == 0 and printed.out.startswith("# 规则手册\n") and "## X01 测试条款X01" in printed.out
    said = qa("rules", "reference", "--rules", book, "--out", tmp_path / "r.md")
    assert said.err == f"已写好 {tmp_path}/r.md。\n"
    assert (tmp_path / "r.md").read_text(encoding="utf-8") + "\n" == printed.out


def test_explain_a_stored_call(qa: Qa, tmp_path: Path) -> None:
    store = open_store(qa.db)
    store.save([run(replace(SALE, call_id="甲")), run(FIRST), run(LATER)], BATCH)
    said = qa("rules", "explain", "甲", "A01", "--db", qa.db)
    assert said.code == 0
    assert said.out.splitlines()[0] == "A01 首语不规范（A01-opening，rules/a/A01.yaml）"
    assert "判定" in said.out.splitlines() and "Traceback" not in said.err
    across = qa("rules", "explain", "甲", "C5", "--db", qa.db).out.splitlines()
    assert across[-2].startswith("  违规：收费前的二次确认：收费前有效的确认通话 1 次")
    own = qa("rules", "explain", "甲", "X01", "--db", qa.db, "--rules", small(tmp_path))
    assert own.out.splitlines()[-1] == "  合规：没有出现：坏话"


def test_explain_covers_the_customer(qa: Qa, tmp_path: Path) -> None:
    line = {
        "call_id": "J1",
        "call": {"customer_number": "13812345678", "customer_name": "李四"},
        "turns": [
            {"role": "agent", "text": "您好，是李四先生吗"},
            {"role": "customer", "text": "是我，我的电话是13812345678"},
            {"role": "agent", "text": "请问您是机主本人吗"},
        ],
    }
    (tmp_path / "j.jsonl").write_text(json.dumps(line), encoding="utf-8")
    assert qa("import", "transcripts", tmp_path / "j.jsonl", "--db", qa.db).code == 0
    rules = small(
        tmp_path,
        rule(
            signals={"said": phrase("李四先生"), "number": phrase("我的电话是", who="customer")},
            judge={"must_not": ["said", "number"]},
        ),
    )
    hidden, shown = (
        qa("rules", "explain", "J1", "X01", "--db", qa.db, "--rules", rules, *more).out for more in ((), ("--show-private",))
    )
    assert "李四" in shown and "李四" not in hidden and "李*先生" in hidden
    for form in ((), ("--json",)):
        changes = qa("rescore", "--diff", "--db", qa.db, "--rules", rules, *form).out
        assert "李*先生" in changes and "李四" not in changes and "13812345678" not in changes
    for clause in ("C1", "A08"):
        said = qa("rules", "explain", "J1", clause, "--db", qa.db)
        assert said.code == 0 and "13812345678" not in said.out and "李四" not in said.out
    assert "13812345678" in qa("rules", "explain", "J1", "C1", "--db", qa.db, "--show-private").out


def test_explain_what_is_not_there(qa: Qa) -> None:
    assert qa("rules", "explain", "甲", "A01", "--db", qa.db).err == (
        f"错误：还没有数据库 {qa.db}。请先用 qa run 处理录音，或用 --db 指明数据库的位置。\n"
    )
    open_store(qa.db).save([run(FIRST)], BATCH)
    assert qa("rules", "explain", "乙", "A01", "--db", qa.db).err == (
        "错误：库里没有通话 乙。用 qa export scores 可以看到全部通话编号。\n"
    )
    assert qa("rules", "explain", "c1", "Z9", "--db", qa.db).err.startswith("错误：没有条款或规则“Z9”。现有条款：A01、")


def lexicon(folder: Path, name: str, *terms: object) -> None:
    content = {"name": name, "title": "词", "source": "测试", "date": "2026-11-21", "terms": list(terms)}
    (folder.parent / "lexicons" / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_lexicon_list(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path)
    said = qa("lexicon", "list", "--rules", book)
    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()][2:] == [
        ["activation", "开通", "1", "2026-11-21"],
        ["quoting", "转述", "2", "2026-11-21"],
    ]
    assert json.loads(qa("lexicon", "list", "--json", "--rules", book).out) == [
        {"name": name, "title": NEEDED[name]["title"], "terms": len(NEEDED[name]["terms"]), "source": "测试", "date": "2026-11-21"}
        for name in ("activation", "quoting")
    ]


def test_lexicon_check(qa: Qa, tmp_path: Path) -> None:
    book = small(tmp_path, rule(signals={"said": {"kind": "phrase", "label": "忌语", "lexicons": ["bad"]}}))
    lexicon(book, "bad", "滚蛋", "不知道")
    clean = qa("lexicon", "check", "--rules", book)
    assert (clean.code, clean.out, clean.err) == (0, "", "3 个词库；0 处值得看，其中 0 处会误伤正常的话。\n")
    lexicon(book, "bad", "滚蛋", "不知道", "给我滚蛋", "滚蛋")
    (tmp_path / "clean.txt").write_text("不知道您方不方便\n您好\n", encoding="utf-8")
    said = qa("lexicon", "check", "--rules", book, "--corpus", tmp_path / "clean.txt")
    assert (said.code, said.err) == (1, "3 个词库；3 处值得看，其中 1 处会误伤正常的话。\n")
    assert said.out.splitlines() == [
        "lexicons/bad.yaml: “给我滚蛋”：凡是它能找到的，“滚蛋”都已经找到，可以删去",
        "lexicons/bad.yaml: “滚蛋”：与“滚蛋”重复",
        "lexicons/bad.yaml: “不知道”：会命中没有违规的话：不知道您方不方便",
    ]
    assert qa("lexicon", "check", "--rules", book, "--corpus", tmp_path / "none.txt").code == 2


def test_the_shipped_book_passes_its_own_commands(qa: Qa) -> None:
    assert rules_dir().is_dir() and lexicons_dir().is_dir()
    said = qa("rules", "check")
    assert (said.code, said.out) == (0, "")
    assert said.err.endswith("没有错误。\n")
