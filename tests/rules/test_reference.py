"""The rule reference says what the rule files say."""

from __future__ import annotations

from pathlib import Path

from qa_pipeline.rules.reference import reference
from tests.rules.support import book, phrase, rule, shipped


def test_the_whole_page_of_a_small_book(tmp_path: Path) -> None:
    made = book(
        tmp_path,
        rule(
            "X02",
            advice=True,
            signals={"thanks": phrase("感谢", label="感谢")},
            judge={"must": ["thanks"]},
            needs=["agent", "closing"],
        ),
        rule(
            "X01",
            review={"always": True, "note": "一律先复核"},
            needs=[],
            examples={"violating": [{"turns": ["坐席：坏话"]}], "clear": [], "todo": [{"turns": ["坐席：暗话"]}]},
        ),
    )
    assert (
        reference(made)
        == """# 规则手册

本页由 `qa rules reference` 从规则文件生成，请勿手改。

| 条款 | 名称 | 判定方式 | 出处 |
|---|---|---|---|
| X01 | 测试条款X01 | 一次也不能有，先复核 | S0 测试 |
| X02 | 测试条款X02 | 都要听到，仅提示 | S0 测试 |

## X01 测试条款X01

- 规则：`X01-test`（`rules/r1.yaml`）
- 出处：S0 测试：“不说坏话”
- 管什么：测试。
- 应当：好话。
- 复核：一律先复核
- 信号：坏话（phrase）
- 自带例子：违规 1，合规 0，待办 1

## X02 测试条款X02

- 规则：`X02-test`（`rules/r0.yaml`）
- 出处：S0 测试：“不说坏话”
- 管什么：测试。
- 应当：好话。
- 必须知道：agent、closing（否则无法判定）
- 信号：感谢（phrase）
- 自带例子：违规 0，合规 0
"""
    )


def test_the_shipped_book_is_told_whole() -> None:
    lines = reference(shipped()).splitlines()
    sections = [line.split()[1] for line in lines if line.startswith("## ")]
    assert sections == [item.clause for item in shipped().rules]
    for item in shipped().rules:
        assert f"- 管什么：{item.spec.means}" in lines and f"- 应当：{item.spec.instead}" in lines


def test_the_reference_in_the_docs_is_the_one_of_the_rule_files() -> None:
    from pathlib import Path

    from qa_pipeline.resources import lexicons_dir, rules_dir
    from qa_pipeline.rules.load import load_book
    from qa_pipeline.rules.reference import reference

    stored = Path(__file__).parents[2] / "docs" / "rule-reference.zh-CN.md"
    assert stored.read_text(encoding="utf-8") == reference(load_book(rules_dir(), lexicons_dir())), "请运行 make docs"
