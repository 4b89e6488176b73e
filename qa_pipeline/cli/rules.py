"""``qa rules``: list, check, test, explain, acts, schema, new, fragility, reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.common import (
    DbOption,
    Exit,
    JsonOption,
    PrivateOption,
    RulesOption,
    existing_store,
    out,
    out_json,
    say,
    settings_of,
    table,
)

if TYPE_CHECKING:
    from qa_pipeline.rules.book import RuleBook

app = typer.Typer(help="规则：查看、检查、测试、解释。", no_args_is_help=True, rich_markup_mode=None)
ClausesArgument = Annotated[
    list[str] | None, typer.Argument(help="条款或规则编号，不写为全部。", metavar="[条款]...", show_default=False)
]


def _book(rules: Path | None) -> RuleBook:
    from qa_pipeline.rules.load import load_book

    settings = settings_of(rules=rules)
    return load_book(settings.rules_folder(), settings.lexicons_folder())


def _chosen(book: RuleBook, clauses: list[str] | None):  # type: ignore[no-untyped-def]
    from qa_pipeline.errors import UserError

    if not clauses:
        return book.rules
    known = {rule.clause for rule in book.rules} | {rule.spec.rule for rule in book.rules}
    if unknown := [clause for clause in clauses if clause not in known]:
        raise UserError(f"没有条款或规则“{unknown[0]}”。现有条款：{'、'.join(book.clauses)}。")
    return tuple(rule for rule in book.rules if rule.clause in clauses or rule.spec.rule in clauses)


@app.command("list")
def list_rules(rules: RulesOption = None, as_json: JsonOption = False) -> int:
    """列出全部规则：条款、名称、出处、自带例子数。"""
    book = _book(rules)
    rows = [
        {
            "clause": rule.clause,
            "rule": rule.spec.rule,
            "title": rule.spec.title,
            "source": f"{rule.spec.source.doc} {rule.spec.source.article}",
            "advice": rule.spec.advice,
            "violating": len(rule.spec.examples.violating),
            "clear": len(rule.spec.examples.clear),
        }
        for rule in book.rules
    ]
    if as_json:
        out_json({"digest": book.digest, "rules": rows})
        return Exit.DONE
    heads = ("条款", "规则", "名称", "出处", "违规例", "合规例")
    cells = [[str(row[key]) for key in ("clause", "rule", "title", "source", "violating", "clear")] for row in rows]
    table(heads, cells)
    return Exit.DONE


@app.command()
def check(rules: RulesOption = None) -> int:
    """检查全部规则与词库，一次列出所有错误（文件:行:列: 说明）；例子不够也会指出。"""
    from qa_pipeline.errors import RuleFileError
    from qa_pipeline.policy import load_policy
    from qa_pipeline.rules.examples import thin_examples

    policy = settings_of(rules=rules).policy_file()
    try:
        book = _book(rules)
    except RuleFileError as error:
        for problem in error.problems:
            out(str(problem))
        say(f"共 {len(error.problems)} 处错误。")
        return Exit.USER
    unpriced = load_policy(policy).unpriced(rule.clause for rule in book.rules if not rule.spec.advice)
    thin = [f"{rule.path}: {lack}" for rule in book.rules for lack in thin_examples(rule.spec)]
    for line in thin:
        out(line)
    if unpriced:
        say(f"注意：{policy} 的 clauses 里没有 {'、'.join(unpriced)}：这些条款的违规照记，但不扣分、不扣款。要计的话，在那里写上。")
    say(f"{len(book.rules)} 条规则、{len(book.lexicons)} 个词库，没有错误" + (f"；{len(thin)} 处例子不够。" if thin else "。"))
    return Exit.FINDINGS if thin else Exit.DONE


@app.command()
def test(clauses: ClausesArgument = None, rules: RulesOption = None) -> int:
    """用规则自带的例子测试规则，列出全部不符之处。"""
    from qa_pipeline.rules.examples import run_examples

    book = _book(rules)
    total = failed = 0
    for rule in _chosen(book, clauses):
        for result in run_examples(book, rule):
            total += 1
            if result.problems:
                failed += 1
                out(f"✗ {result.name}")
                for problem in result.problems:
                    out(f"    {problem}")
    say(f"{total} 个例子，{total - failed} 个相符，{failed} 个不符。")
    return Exit.USER if failed else Exit.DONE


@app.command()
def explain(
    call_id: Annotated[str, typer.Argument(help="通话编号。", metavar="通话编号")],
    clause: Annotated[str, typer.Argument(help="条款或规则编号。", metavar="条款")],
    db: DbOption = None,
    rules: RulesOption = None,
    show_private: PrivateOption = False,
) -> int:
    """逐步说明某一通电话的某一条是怎么判的：找到了什么、在哪里、为什么不算。"""
    from qa_pipeline.across import history_of
    from qa_pipeline.errors import UserError
    from qa_pipeline.masking import Masker
    from qa_pipeline.rules.trace import explain as trace

    settings = settings_of(db=db, output__show_private=show_private or None)
    store = existing_store(settings)
    book = _book(rules)
    chosen = _chosen(book, [clause])
    run = store.load_run(call_id)
    if run is None:
        raise UserError(f"库里没有通话 {call_id}。用 qa export scores 可以看到全部通话编号。")
    masker = Masker(run.conversation.call, show=settings.output.show_private)
    for rule in chosen:
        for line in trace(book, rule, run.conversation, history_of(store, run.conversation.call)):
            out(masker.text(line))
    return Exit.DONE


@app.command()
def acts(
    text: Annotated[
        str | None, typer.Argument(help="一句话；写了就看它做了哪些事、各有多大把握。", metavar="[话]", show_default=False)
    ] = None,
    customer: Annotated[bool, typer.Option("--customer", help="这句话是客户说的。")] = False,
    before: Annotated[list[str] | None, typer.Option("--before", help="之前对方说的话，可写两次。", show_default=False)] = None,
    as_json: JsonOption = False,
) -> int:
    """按意思判断的行为：列出规则里能用的名字；给一句话，就看它做了哪些事。"""
    from qa_pipeline.acts.names import ACTS

    if text is None:
        rows = [{"act": name, "who": "坐席" if about.agents else "客户", "label": about.label} for name, about in ACTS.items()]
    else:
        from qa_pipeline.acts.encoding import Said
        from qa_pipeline.acts.reader import ActReader
        from qa_pipeline.text.normalise import normalise

        earlier = [Said(customer, normalise(line).text) for line in before or ()]
        found = sorted(ActReader().read(Said(not customer, normalise(text).text), earlier), key=lambda act: -act.sure)
        rows = [{"act": act.name, "label": ACTS[act.name].label, "sure": f"{act.sure:.2f}"} for act in found]
    if as_json:
        out_json(rows)
        return Exit.DONE
    heads = {"act": "名字", "who": "谁", "label": "意思", "sure": "把握"}
    table(tuple(heads[key] for key in rows[0]) if rows else ("名字", "意思", "把握"), [[row[key] for key in row] for row in rows])
    return Exit.DONE


@app.command()
def schema(lexicon: Annotated[bool, typer.Option("--lexicon", help="词库文件的，而不是规则文件的。")] = False) -> int:
    """规则文件的 JSON Schema，编辑器可据此补全和检查。"""
    from qa_pipeline.rules.schema import lexicon_schema, rule_schema

    out_json(lexicon_schema() if lexicon else rule_schema())
    return Exit.DONE


@app.command()
def new(
    clause: Annotated[str, typer.Argument(help="条款代码，如 X01。", metavar="条款")],
    file: Annotated[Path | None, typer.Option("--out", help="写到这个文件；不写则打印。", show_default=False)] = None,
) -> int:
    """新规则的样板：有注释、有例子、可以直接通过检查。"""
    from qa_pipeline.errors import UserError
    from qa_pipeline.rules.skeleton import skeleton

    if not re.fullmatch(r"[A-Z]{1,3}\d{1,3}[a-z]?", clause):
        raise UserError(f"条款代码“{clause}”应是大写字母加数字，如 X01、B3a。")
    if file is None:
        out(skeleton(clause))
        return Exit.DONE
    if file.exists():
        raise UserError(f"{file} 已经存在，没有改动。请换一个文件名。")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(skeleton(clause), encoding="utf-8")
    folder = next((parent for parent in file.absolute().parents if (parent / "policy.yaml").is_file()), None)
    place = str(folder) if folder is not None else "规则文件夹"
    moved = "" if folder is not None else "放进规则文件夹，"
    say(f"已写好 {file}。{moved}改完运行 qa rules check --rules {place} 和 qa rules test {clause} --rules {place}。")
    say(f"要扣分、扣款，在规则文件夹的 policy.yaml 的 clauses 里写上 {clause}；不写只记录违规。")
    return Exit.DONE


@app.command()
def fragility(
    clauses: ClausesArgument = None,
    rules: RulesOption = None,
    variants: Annotated[int, typer.Option("--variants", help="每个例子变化几次。", min=1, max=100)] = 5,
    as_json: JsonOption = False,
) -> int:
    """规则怕不怕识别错误：把自带例子按 5%–30% 加上同音、漏字、断句、串角色的错误，看还认得出多少、冤枉多少。"""
    from qa_pipeline.rules.noise import LEVELS
    from qa_pipeline.rules.noise import fragility as measure

    book = _book(rules)
    rows = [
        {
            "clause": item.clause,
            "rule": item.rule,
            "rate": item.rate,
            "violating": item.violating,
            "found": item.found,
            "clear": item.clear,
            "accused": item.accused,
        }
        for rule in _chosen(book, clauses)
        for item in measure(book, rule, LEVELS, variants)
    ]
    if as_json:
        out_json(rows)
        return Exit.DONE
    cells = [[str(r["clause"]), f"{r['rate']:.0%}", f"{r['found']}/{r['violating']}", f"{r['accused']}/{r['clear']}"] for r in rows]
    table(("条款", "错误率", "认出的违规", "冤枉的合规"), cells)
    return Exit.DONE


@app.command()
def reference(
    file: Annotated[Path | None, typer.Option("--out", help="写到这个文件；不写则打印。", show_default=False)] = None,
    rules: RulesOption = None,
) -> int:
    """由规则文件生成规则手册（Markdown）。"""
    from qa_pipeline.rules.reference import reference as make

    text = make(_book(rules))
    if file is None:
        out(text)
    else:
        file.write_text(text, encoding="utf-8")
        say(f"已写好 {file}。")
    return Exit.DONE
