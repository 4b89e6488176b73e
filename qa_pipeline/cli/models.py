"""``qa models``: the speech models on this computer."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="语音模型：自带的、取来的、自己文件夹里的。", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="模型名称或文件夹；不写就是自带的 whisper-base。", show_default=False, metavar="名称")]


@app.command("list", help="列出这台电脑上的语音模型。")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。")] = False) -> None:
    from qa_pipeline.asr.models import DEFAULT, installed

    models = installed()
    if as_json:
        rows = [{"name": model.name, "path": str(model.path), "sha256": model.sha256} for model in models]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for model in models:
        note = "（自带）" if model.name == DEFAULT else ""
        state = "" if model.path.is_dir() else "，第一次使用时自动建立"
        print(f"{model.name}{note}  {model.sha256[:12]}  {model.path}{state}")


@app.command(help="取得一个 faster-whisper 模型（需要能访问模型站的网络）。")
def fetch(name: Annotated[str, typer.Argument(help="例如 large-v3-turbo、small，或“组织/模型”。", metavar="名称")]) -> None:
    from qa_pipeline.asr.models import fetch as fetch_model

    model = fetch_model(name)
    print(f"{model.name}  {model.sha256[:12]}  {model.path}")


@app.command(help="把模型文件完整读一遍，核对内容。")
def verify(name: Name = "") -> None:
    from qa_pipeline.asr.models import verify as verify_model

    model = verify_model(name)
    print(f"{model.name}：完整，SHA-256 {model.sha256}")


@app.command(help="显示正在使用的模型的文件夹。")
def path(name: Name = "") -> None:
    from qa_pipeline.asr.models import resolve

    print(resolve(name).path)
