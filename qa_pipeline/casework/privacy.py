"""Who may open which call, and who sees customers' numbers and names in clear. Every opening goes into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import CaseworkError
from qa_pipeline.masking import Masker
from qa_pipeline.model import CallData

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_SEES_ALL = (Post.QA, Post.QA_LEAD, Post.MANAGER)


def sees_clear(person: Person | None) -> bool:
    """Reviewers hear the call anyway and call customers back; everybody else reads masked."""
    return person is not None and person.active and person.has(*_SEES_ALL)


def may_open(person: Person, call: CallData) -> bool:
    """Quality people and managers every call, a team leader those of the team, an agent his own, an administrator none."""
    if not person.active:
        return False
    if person.has(*_SEES_ALL):
        return True
    if person.has(Post.TEAM_LEADER) and person.team and person.team == call.team:
        return True
    return person.has(Post.AGENT) and bool(person.agent_id) and person.agent_id == call.agent_id


def open_call(tx: Tx, call_id: str, what: str) -> CallData:
    """The call data, if the actor may open the call; ``what`` (录音, 文字, 片段) is logged either way. The refusal does not say
    whether the call exists."""
    call = tx.store.load_call(call_id)
    if call is None or not may_open(tx.actor, call):
        raise CaseworkError(f"没有通话 {call_id}，或您无权查看。")
    tx.log("access", call_id, {"what": what})
    return call


def masker(person: Person | None, call: CallData) -> Masker:
    return Masker(call, show=sees_clear(person))


def need_clear(tx: Tx) -> None:
    """Refuses an actor who may not see customers' numbers and names in clear."""
    tx.need(*_SEES_ALL)
