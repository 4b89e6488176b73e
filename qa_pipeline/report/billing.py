"""What the client's lists come to in a month. Pure arithmetic.

Source: S0 part 4, 四. 四.1: of the monthly fee 50 % for the first month in the net, 15 % for the second to sixth, nothing afterwards
(125 % over six months). 四.2: two yuan for each valid questionnaire. 四.3: a share of what a looked-after user spends more than
before, six months long; users won from other networks at a price agreed one by one. 四.4: complaints are fined double, and more than
1 % of mistakes in collected data twice what it was paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from qa_pipeline.policy import Settlement
from qa_pipeline.report.lists import Bill, Subscriber, Survey

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one user comes to in the month. ``taken_back``: paid before, for a sale found invalid this month."""

    user: Subscriber
    month_in_net: int  # 1: first
    share: Decimal
    commission: Decimal
    taken_back: Decimal = Decimal(0)
    invalid: bool = False


def months_between(start: str, end: str) -> int:
    """2026-11 to 2027-01 is 2."""
    years, months = int(end[:4]) - int(start[:4]), int(end[5:7]) - int(start[5:7])
    return 12 * years + months


def settle(users: Iterable[Subscriber], now: str, terms: Settlement, invalid: Mapping[Subscriber, str]) -> list[Line]:
    """The month ``now``. ``invalid``: users whose sale was found invalid, with the month in which it was found.

    An invalid user earns nothing from the month of the finding on; with ``take_back`` what was paid before is taken back in that month.
    """
    lines = []
    for user in users:
        found = invalid.get(user)
        in_net = months_between(user.start, now) + 1
        if in_net < 1 or (user.stop and now >= user.stop and found != now):
            continue
        if found is not None and found <= now:
            back = _paid_before(user, now, terms) if terms.take_back and found == now else Decimal(0)
            if found == now or not user.stop or now < user.stop:
                lines.append(
                    Line(user=user, month_in_net=in_net, share=Decimal(0), commission=Decimal(0), taken_back=back, invalid=True)
                )
            continue
        share = _share(in_net, terms)
        lines.append(Line(user=user, month_in_net=in_net, share=share, commission=_cents(user.fee * share)))
    return lines


def _share(in_net: int, terms: Settlement) -> Decimal:
    return terms.shares[in_net - 1] if in_net <= len(terms.shares) else Decimal(0)


def _paid_before(user: Subscriber, now: str, terms: Settlement) -> Decimal:
    last = min(now, user.stop) if user.stop else now
    months = months_between(user.start, last)
    return sum((_cents(user.fee * _share(nth, terms)) for nth in range(1, months + 1)), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveys:
    """The month's questionnaires. ``fine``: for too many mistakes."""

    handed_in: int
    valid: int
    wrong: int
    pay: Decimal
    fine: Decimal

    @property
    def error_share(self) -> Decimal | None:
        return Decimal(self.wrong) / self.handed_in if self.handed_in else None


def surveys_of(surveys: Iterable[Survey], now: str, terms: Settlement) -> Surveys:
    """四.2 with the second half of 四.4, for the month ``now``."""
    mine = [item for item in surveys if item.month == now]
    valid, wrong = sum(item.valid for item in mine), sum(item.wrong for item in mine)
    pay = _cents(terms.survey_fee * valid)
    above = bool(mine) and Decimal(wrong) > terms.error_rate * len(mine)
    fine = _cents(pay * terms.error_multiple) if above else Decimal(0)
    return Surveys(handed_in=len(mine), valid=valid, wrong=wrong, pay=pay, fine=fine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase:
    """What one looked-after user brings in the month. ``nth``: 1 is the first month that counts."""

    bill: Bill
    nth: int
    more: Decimal
    pay: Decimal


def increases_of(bills: Iterable[Bill], now: str, terms: Settlement) -> list[Increase]:
    """四.3 for the month ``now``: who spends less than before brings nothing and takes nothing."""
    found = []
    for bill in bills:
        nth = months_between(bill.start, now) + 1
        if bill.month != now or not 1 <= nth <= terms.increase_months:
            continue
        more = max(bill.spent - bill.before, Decimal(0))
        found.append(Increase(bill=bill, nth=nth, more=more, pay=_cents(more * terms.increase_share)))
    return found


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
