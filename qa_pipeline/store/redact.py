"""Identity numbers are never stored in findings in clear: what proves a verdict keeps the first three and last two characters.

Only the exhibits of outcomes are covered here. The transcript itself is kept as heard, is masked when shown, and is purged
with the recording.
"""

from __future__ import annotations

import re
from dataclasses import replace

from qa_pipeline.model import Evidence, Outcome

_DIGIT = "0-9０-９零〇一二三四五六七八九幺"
# 17 digits and a check character, or the 15 digits of the old form; a reader may pause between groups.
_IDENTITY = re.compile(
    f"(?<![{_DIGIT}])(?:[{_DIGIT}][ \\-,，、]*){{17}}[{_DIGIT}xXｘＸ](?![{_DIGIT}])|"
    f"(?<![{_DIGIT}])(?:[{_DIGIT}][ \\-,，、]*){{14}}[{_DIGIT}](?![{_DIGIT}])"
)


def cover_identity(text: str) -> str:
    """510502199001011234 → 510*************34; same length, so that offsets stay right."""
    return _IDENTITY.sub(lambda hit: _cover(hit.group()), text) if len(text) >= 15 else text


def _cover(found: str) -> str:
    return found[:3] + "*" * (len(found) - 5) + found[-2:]


def covered(outcome: Outcome) -> Outcome:
    """The same outcome with identity numbers covered in its reason and its exhibits."""
    evidence = tuple(_covered_evidence(item) for item in outcome.evidence)
    reason = cover_identity(outcome.reason)
    if reason == outcome.reason and evidence == outcome.evidence:
        return outcome
    return replace(outcome, reason=reason, evidence=evidence)


def _covered_evidence(item: Evidence) -> Evidence:
    quote, heard_as, note = cover_identity(item.quote), cover_identity(item.heard_as), cover_identity(item.note)
    if (quote, heard_as, note) == (item.quote, item.heard_as, item.note):
        return item
    return replace(item, quote=quote, heard_as=heard_as, note=note)
