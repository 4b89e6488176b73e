"""Who may ask for what: every route by name. A route that is not here cannot be served; the tests walk this table.

What a person may see of a thing that he may ask for (an agent only his own calls) is decided where the thing is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from qa_pipeline.casework.values import Post

Posts = frozenset[Post]
PUBLIC: Posts | None = None  # also without a session
EVERYBODY: Posts = frozenset(Post)

_REVIEWERS = frozenset({Post.QA, Post.QA_LEAD})
_LEADS = frozenset({Post.QA_LEAD, Post.MANAGER})
_QUALITY = _REVIEWERS | _LEADS
_LISTENERS = _QUALITY | {Post.TEAM_LEADER}
_AGENT = frozenset({Post.AGENT})
_LEAD = frozenset({Post.QA_LEAD})
_MANAGER = frozenset({Post.MANAGER})
_LEADER = frozenset({Post.TEAM_LEADER})
_ADMIN = frozenset({Post.ADMIN})
_OFFICE = frozenset({Post.ADMIN, Post.MANAGER})

PAGES: Mapping[str, Posts | None] = {
    "login": PUBLIC,
    "login.try": PUBLIC,
    "health": PUBLIC,
    "logout": EVERYBODY,
    "home": EVERYBODY,
    "account": EVERYBODY,
    "account.password": EVERYBODY,
    "openapi": EVERYBODY,
    # listening
    "audio": _LISTENERS | _AGENT,
    "clip": _LISTENERS | _AGENT,
    "call": _LISTENERS,
    "sheet": _LISTENERS | _AGENT,
    # review desk
    "desk": _REVIEWERS,
    "desk.next": _REVIEWERS,
    "case": _QUALITY,
    "cases": _LEADS,
    # appeals and the agent's own pages
    "appeals": _LEADS | _LEADER,
    "appeal": _LEADS | _LEADER | _AGENT,
    "me": _AGENT,
    "me.call": _AGENT,
    # figures
    "manage": _LEADS,
    "manage.calls": _LEADS | _LEADER,
    "manage.teams": _LEADS,
    "manage.team": _LEADS | _LEADER,
    "manage.agent": _LEADS | _LEADER,
    "manage.clauses": _LEADS | _LEADER,
    "manage.money": _LEADS,
    "manage.calibration": _LEADS,
    "manage.followup": _LISTENERS,
    "manage.complaints": _LISTENERS,
    # reports to take away
    "reports": _LEADS | _LEADER,
    "report": _LEADS | _LEADER,
    "report.settlement": _LEADS,
    # rules
    "studio": _QUALITY,
    "studio.rule": _QUALITY,
    "studio.draft": _LEADS,
    "studio.draft.again": _LEADS,
    "studio.versions": _LEADS,
    "studio.backtest": _LEADS,
    "studio.backtest.start": _LEADS,
    "studio.backtest.show": _LEADS,
    "studio.publish": _LEADS,
    "studio.publish.check": _LEADS,
    # administration
    "admin.people": _ADMIN,
    "admin.person": _ADMIN,
    "admin.policy": _OFFICE,
    "admin.policy.check": _OFFICE,
    "admin.policy.publish": _OFFICE,
    "admin.settings": _OFFICE,
    "admin.retention": _OFFICE,
    "admin.log": _OFFICE,
    # reading over the API
    "api.today": EVERYBODY,
    "api.cases": _QUALITY,
    "api.case": _QUALITY,
    "api.trace": _QUALITY,
    "api.call": _LISTENERS | _AGENT,
    "api.calls": _LISTENERS,
    "api.appeals": _LEADS | _LEADER | _AGENT,
    "api.ledger": _LEADS,
    "api.calibration": _LEADS,
    "api.followup": _LISTENERS,
    "api.rules": _QUALITY,
    "api.rule.check": _LEADS,
    "api.backtest": _LEADS,
    "api.people": _ADMIN,
    "api.report": _LEADS | _LEADER,
}

# Actions exist twice: as a form of a page and in the API, under the same name.
ACTIONS: Mapping[str, Posts] = {
    "case.decide": _REVIEWERS,
    "case.add": _REVIEWERS,
    "case.correct": _REVIEWERS,
    "case.finish": _REVIEWERS,
    "case.open": _LEADS,
    "case.assign": _LEAD,
    "case.reopen": _LEADS,
    "case.void": _LEAD,
    "sample.take": _LEADS,
    "appeal.file": _AGENT,
    "appeal.comment": _LEADER,
    "appeal.decide": _LEADS,
    "appeal.escalate": _AGENT,
    "appeal.withdraw": _AGENT,
    "sanction.decide": _MANAGER,
    "month.close": _LEADS,
    "revisit.record": _LISTENERS,
    "complaint.register": _LISTENERS,
    "complaint.settle": _LEADS,
    "blacklist.change": _LEADS,
    "person.save": _ADMIN,
    "person.password": _ADMIN,
    "setting.change": _OFFICE,
    "retention.purge": _OFFICE,
}


def allowed(name: str) -> Posts | None:
    """The posts that may use a route; KeyError for a route that is not in the table."""
    if name in PAGES:
        return PAGES[name]
    return ACTIONS[name.removeprefix("api.").removeprefix("do.")]
