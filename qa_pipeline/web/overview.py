"""Figures over everything that take longer than a click: each with its key, made once for everybody and before anybody asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qa_pipeline.casework import agreement, followup
from qa_pipeline.errors import StoreError
from qa_pipeline.web.guard import NOBODY
from qa_pipeline.web.reading import figures
from qa_pipeline.web.reading.span import latest

if TYPE_CHECKING:
    from qa_pipeline.web.site import Site


def _today(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        return figures.today(tx), figures.by_day(tx), figures.heat(tx, latest(tx, 7))


def _teams(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        span = latest(tx, figures.DAYS)
        return *figures.by_group(tx, "team", span), figures.agents(tx, span), span


def _heat(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        return figures.heat(tx, latest(tx, 28))


def _calibration(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        titles = dict(tx.rows("SELECT clause, any_value(title) FROM outcomes GROUP BY clause"))
        trust = agreement.trust(tx)
        return trust, agreement.people_agreement(tx), agreement.drift(tx), agreement.disagreements(tx)[:40], titles


def _followup(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        teams = dict(tx.rows("SELECT agent_id, any_value(team) FROM call_versions WHERE agent_id IS NOT NULL GROUP BY agent_id"))
        return followup.callback_list(tx), followup.confirmations(tx, tx.at.date()), followup.recheck_list(tx), teams


def _money(site: Site) -> Any:
    with site.look(NOBODY) as tx:
        return figures.balances(tx), figures.money_by_month(tx)


_MAKERS: dict[str, Callable[[Site], Any]] = {
    "today": _today,
    "teams": _teams,
    "heat": _heat,
    "calibration": _calibration,
    "followup": _followup,
    "money": _money,
}


def result(site: Site, name: str) -> tuple[Any, datetime]:
    """A figure and when it was made."""
    return site.results.get(name, lambda: _MAKERS[name](site))


def warm(site: Site) -> None:
    """Makes every figure, so that the first reader of the day does not wait."""
    for name in _MAKERS:
        try:
            result(site, name)
        except (StoreError, RuntimeError):  # the server is ending
            return
