"""``qa lexicon``: list and check the lexicons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa_pipeline.cli.common import Exit, JsonOption, RulesOption, out, out_json, say, settings_of, table

app = typer.Typer(help="词库：查看与检查。", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_lexicons(rules: RulesOption = None, as_json: JsonOption = False) -> int:
    """列出全部词库：词条数、出处、日期。"""
    from qa_pipeline.rules.load import load_book

    settings = settings_of(rules=rules)
    book = load_book(settings.rules_folder(), settings.lexicons_folder())
    rows = [
        {"name": item.name, "title": item.title, "terms": len(item.terms), "source": item.source, "date": item.date}
        for _, item in sorted(book.lexicons.items())
    ]
    if as_json:
        out_json(rows)
        return Exit.DONE
    table(("词库", "名称", "词条", "日期"), [[str(r["name"]), str(r["title"]), str(r["terms"]), str(r["date"])] for r in rows])
    return Exit.DONE


@app.command()
def check(
    rules: RulesOption = None,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="没有违规的句子，一行一句；不写则用各规则的合规例。", show_default=False)
    ] = None,
) -> int:
    """找出重复的、互相包含的、会误伤正常话的词条。"""
    from qa_pipeline.rules.clean_speech import forbidden_lexicons, sentences
    from qa_pipeline.rules.lexicon_check import check_lexicons
    from qa_pipeline.rules.load import load_book

    settings = settings_of(rules=rules)
    book = load_book(settings.rules_folder(), settings.lexicons_folder())
    notes = check_lexicons(book.lexicons, sentences(book, corpus), forbidden_lexicons(book))
    for note in notes:
        out(f"lexicons/{note.lexicon}.yaml: “{note.term}”：{note.message}")
    harmful = sum(note.kind == "clean" for note in notes)
    say(f"{len(book.lexicons)} 个词库；{len(notes)} 处值得看，其中 {harmful} 处会误伤正常的话。")
    return Exit.FINDINGS if notes else Exit.DONE
