"""The complaint register and the blacklist. Source: S0 part 4, 三.5 (对出现过较严重投诉的用户设立专门的黑名单), 三.6 (详细的记录).

处理中 → 投诉成立 | 投诉不成立     an upheld complaint moves the ledger of the call's case in the same transaction
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qa_pipeline.casework import cases, ledger
from qa_pipeline.casework.values import ComplaintState, Post
from qa_pipeline.errors import CaseworkError, ConflictError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_NUMBER = re.compile(r"\+?[0-9]{5,15}")
_PLAIN = str.maketrans("０１２３４５６７８９＋", "0123456789+", " \u3000-－—()（）")
_STAFF = (Post.QA, Post.QA_LEAD, Post.TEAM_LEADER, Post.MANAGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A complaint as it came in. ``call_id`` empty: not known which call it is about."""

    customer_number: str
    content: str
    received_at: datetime
    channel: str = "电话"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    complaint_id: str
    call_id: str
    customer_number: str
    received_at: datetime
    channel: str
    content: str
    version: int
    state: ComplaintState
    note: str


def register(tx: Tx, received: Received) -> Complaint:
    tx.need(*_STAFF)
    if not received.content.strip() or not received.customer_number.strip():
        raise CaseworkError("登记投诉要写明客户号码和内容。")
    if received.call_id and tx.row("SELECT 1 FROM calls WHERE call_id = ?", [received.call_id]) is None:
        raise CaseworkError(f"没有通话 {received.call_id}。不知道是哪一通时可以不写。")
    number = _dialled(received.customer_number)
    complaint_id = tx.next_id("Q", "complaints", "complaint_id")
    tx.insert(
        "complaints",
        complaint_id=complaint_id,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        call_id=received.call_id or None,
        customer_number=number,
        received_at=received.received_at,
        channel=received.channel,
        content=received.content,
    )
    _event(tx, complaint_id, 1, ComplaintState.OPEN, "")
    _follow(tx, received.call_id, complaint_id)
    return get_complaint(tx, complaint_id)


def settle(tx: Tx, complaint_id: str, *, upheld: bool, note: str, version: int | None = None) -> Complaint:
    """The lead's or manager's finding, with what was told to the customer and to the client."""
    tx.need(Post.QA_LEAD, Post.MANAGER)
    complaint = get_complaint(tx, complaint_id)
    if version is not None and complaint.version != version:
        raise ConflictError(f"投诉 {complaint_id} 刚被别人改动过，请刷新后再操作。")
    if complaint.state is not ComplaintState.OPEN:
        raise CaseworkError(f"投诉 {complaint_id} 已经是“{complaint.state.value}”。")
    if not note.strip():
        raise CaseworkError("请写明原因和处理结果。")
    _event(tx, complaint_id, complaint.version + 1, ComplaintState.UPHELD if upheld else ComplaintState.DISMISSED, note)
    _follow(tx, complaint.call_id, complaint_id)
    return get_complaint(tx, complaint_id)


def get_complaint(tx: Tx, complaint_id: str) -> Complaint:
    found = [item for item in all_complaints(tx) if item.complaint_id == complaint_id]
    if not found:
        raise CaseworkError(f"没有投诉 {complaint_id}。")
    return found[0]


def all_complaints(tx: Tx) -> list[Complaint]:
    rows = tx.rows(
        """SELECT complaint_id, coalesce(call_id, ''), customer_number, received_at, channel, content, version, state, note
           FROM complaints_now ORDER BY complaint_id"""
    )
    names = ["complaint_id", "call_id", "customer_number", "received_at", "channel", "content", "version", "state", "note"]
    return [Complaint(**(dict(zip(names, row, strict=True)) | {"state": ComplaintState(row[7])})) for row in rows]


def _follow(tx: Tx, call_id: str, complaint_id: str) -> None:
    """The ledger of the call's case, if it has one."""
    case_id = cases.primary_of(tx, call_id) if call_id else None
    if case_id is not None:
        ledger.reconcile(tx, cases.get_case(tx, case_id), note=f"投诉 {complaint_id}")


def _event(tx: Tx, complaint_id: str, version: int, state: ComplaintState, note: str) -> None:
    tx.insert(
        "complaint_events",
        complaint_id=complaint_id,
        version=version,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        state=state,
        note=note,
    )
    tx.memo.pop(("complaints",), None)
    tx.log("complaint", complaint_id, {"state": state, "note": note})


# Blacklist


def list_number(tx: Tx, number: str, reason: str, *, listed: bool = True, complaint_id: str = "") -> None:
    """Puts a customer's number on the blacklist, or takes it off."""
    tx.need(Post.QA_LEAD, Post.MANAGER)
    if not number.strip() or not reason.strip():
        raise CaseworkError("黑名单要写明号码和原因。")
    number = plain_number(_dialled(number) if listed else number)
    known = tx.row("SELECT 1 FROM blacklist WHERE number = ?", [number]) is not None
    if known == listed:
        raise CaseworkError(f"号码 {number[:3]}****{number[-4:]} {'已经在' if known else '不在'}黑名单里。")
    tx.append(
        "blacklist_log",
        at_time=tx.at,
        by_person=tx.actor.person_id,
        number=number,
        listed=listed,
        reason=reason,
        complaint_id=complaint_id or None,
    )
    tx.log("blacklist", number[-4:], {"listed": listed, "reason": reason})


def blacklist(tx: Tx) -> list[tuple[str, str, datetime]]:
    """(number, reason, since), for the export that is taken out of new campaigns."""
    return [(number, reason, at) for number, reason, at in tx.rows("SELECT number, reason, at_time FROM blacklist ORDER BY number")]


def marked(tx: Tx, numbers: Iterable[str]) -> frozenset[str]:
    """Which of these numbers are on the blacklist, as they were given."""
    listed = {number for (number,) in tx.rows("SELECT number FROM blacklist")}
    return frozenset(number for number in numbers if plain_number(number) in listed)


def _dialled(number: str) -> str:
    """A number that can be called, without the blanks, hyphens and brackets between its digits."""
    digits = number.translate(_PLAIN)
    if not _NUMBER.fullmatch(digits):
        raise CaseworkError(f"“{number.strip()[:40]}”不是电话号码：写 5 到 15 位数字，可以带区号、横线或开头的 +86。")
    return digits


def plain_number(number: str) -> str:
    """Digits only, without the country code."""
    digits = "".join(char for char in number if char.isdigit())
    return digits[2:] if digits.startswith("86") and len(digits) == 13 else digits
