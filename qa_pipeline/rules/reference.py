"""The rule reference (``docs/rule-reference.zh-CN.md``), written from the rule files so that it can not go stale."""

from __future__ import annotations

from collections.abc import Iterator

from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.rules.book import RuleBook

_SHAPES = {"must": "都要听到", "must_not": "一次也不能有", "at_most": "次数上限", "at_least": "至少几种", "each": "每次都要"}


def reference(book: RuleBook) -> str:
    """Markdown of all rules, by clause."""
    lines = ["# 规则手册", "", "本页由 `qa rules reference` 从规则文件生成，请勿手改。", ""]
    lines += ["| 条款 | 名称 | 判定方式 | 出处 |", "|---|---|---|---|"]
    for rule in book.rules:
        spec = rule.spec
        lines.append(f"| {spec.clause} | {spec.title} | {_shape(spec)} | {spec.source.doc} {spec.source.article} |")
    for rule in book.rules:
        lines += ["", *_section(rule.spec, rule.path)]
    return "\n".join(lines) + "\n"


def _shape(spec: RuleSpec) -> str:
    shape = next(label for key, label in _SHAPES.items() if getattr(spec.judge, key))
    return shape + ("，仅提示" if spec.advice else "") + ("，先复核" if spec.review.always else "")


def _section(spec: RuleSpec, path: str) -> Iterator[str]:
    yield f"## {spec.clause} {spec.title}"
    yield ""
    yield f"- 规则：`{spec.rule}`（`{path}`）"
    yield f"- 出处：{spec.source.doc} {spec.source.article}：“{spec.source.text}”"
    yield f"- 管什么：{spec.means}"
    yield f"- 应当：{spec.instead}"
    if spec.needs:
        yield f"- 必须知道：{'、'.join(spec.needs)}（否则无法判定）"
    if spec.review.note:
        yield f"- 复核：{spec.review.note}"
    yield f"- 信号：{'；'.join(f'{signal.label}（{signal.kind}）' for signal in spec.signals.values())}"
    counts = (len(spec.examples.violating), len(spec.examples.clear), len(spec.examples.todo))
    yield f"- 自带例子：违规 {counts[0]}，合规 {counts[1]}" + (f"，待办 {counts[2]}" if counts[2] else "")
