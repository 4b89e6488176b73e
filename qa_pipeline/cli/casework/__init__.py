"""Commands of the working day: sample, case, review, appeal, ledger, follow-up, people, day."""

from __future__ import annotations

import typer

from qa_pipeline.cli.casework import appealing, following, managing, money, morning, reviewing, sampling


def register(app: typer.Typer) -> None:
    for module in (morning, sampling, reviewing, appealing, money, following, managing):
        module.register(app)
