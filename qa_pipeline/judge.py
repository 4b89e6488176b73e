"""One conversation → one audit run: rule book, policy and provenance, ready to be applied to any number of calls."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.hearing import Heard, Relisten
from qa_pipeline.model import AuditRun, Conversation, EngineInfo, Outcome, Provenance, Verdict
from qa_pipeline.policy import Policy

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.listening import Listen
    from qa_pipeline.rules.book import RuleBook
    from qa_pipeline.store import Store

IMPORTED = EngineInfo(name="imported", model="", model_hash="")  # ready transcripts: nobody knows what heard them


Audit = Callable[[Conversation], tuple[Outcome, ...]]
FIRST_ONLY = "-1"  # marks the digest of a verdict whose second listening is still due


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A rule book and a policy in force. ``rules_digest`` names both, and whether there is a second listening."""

    audit: Audit
    policy: Policy
    understand: Callable[[Conversation], Conversation] = lambda conversation: conversation
    rules_digest: str
    version: str
    rules_from: str = ""  # the folder as the user names it; empty: the packaged rules
    relisten: Relisten | None = None
    across_calls: frozenset[str] = frozenset()  # rule_ids that look at other calls of the customer

    def __call__(self, conversation: Conversation, heard: Heard) -> AuditRun:
        from qa_pipeline.scoring import scorable, score
        from qa_pipeline.store.codec import digest

        conversation = self.understand(conversation)
        outcomes = self.audit(conversation)
        digest_in_force = self.rules_digest
        again = None
        if self.relisten is not None:
            again = self.relisten(conversation, outcomes, heard)
            outcomes = outcomes if again is None else again.outcomes
            digest_in_force += FIRST_ONLY if again is None else ""
        provenance = Provenance(
            audio_hash=heard.recording.audio_hash if heard.recording is not None else "",
            content_hash=digest(self._content(conversation, outcomes)),
            engine=heard.engine,
            rules_digest=digest_in_force,
            version=self.version,
        )
        return AuditRun(
            run_id="r" + digest(provenance)[:16],
            conversation=conversation,
            outcomes=outcomes,
            scorecard=score(self.policy, conversation, outcomes, judged=scorable(conversation, outcomes)),
            provenance=provenance,
            recording=heard.recording,
            transcript=heard.transcript,
            readings=again.readings if again is not None else (),
        )

    @property
    def batch_options(self) -> tuple[tuple[str, str], ...]:
        """What a batch keeps of it, for people: where the rules came from."""
        return (("rules", self.rules_from),) if self.rules_from else ()

    def _content(self, conversation: Conversation, outcomes: tuple[Outcome, ...]) -> Conversation | tuple[object, ...]:
        """What was judged: the conversation, and where a rule looked at other calls also what it found there."""
        across = tuple(
            item for item in outcomes if item.rule_id in self.across_calls and item.verdict is not Verdict.NOT_APPLICABLE
        )
        return (conversation, across) if across else conversation


def digest_of(*parts: str) -> str:
    """32 hex digits over the digests of everything that judges."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def open_judge(settings: Settings, store: Store | None = None, listen: Listen | None = None) -> Judge:
    """Loads rules, lexicons and policy; RuleFileError names every mistake of every file.

    With a ``store`` there is a second listening, from its cache and, where ``listen`` is given, from the recordings.
    """
    from qa_pipeline import __version__
    from qa_pipeline.across import history_of
    from qa_pipeline.acts.understanding import understand
    from qa_pipeline.audit import audit
    from qa_pipeline.listening import relistener

    book, policy = _load(settings)
    relisten = relistener(book, store.transcripts, listen) if store is not None and settings.second_listening else None
    return Judge(
        audit=lambda conversation: audit(book, conversation, history_of(store, conversation.call) if store is not None else None),
        policy=policy,
        understand=lambda conversation: understand(conversation, book.reader),
        rules_digest=digest_of(book.digest, policy.digest, *(() if settings.second_listening else ("first listening only",))),
        version=__version__,
        rules_from=str(settings.rules or ""),
        relisten=relisten,
        across_calls=frozenset(rule.spec.rule for rule in book.rules if "history" in rule.spec.needs),
    )


def _load(settings: Settings) -> tuple[RuleBook, Policy]:
    from qa_pipeline.errors import Problem, RuleFileError
    from qa_pipeline.policy import load_policy
    from qa_pipeline.rules.load import load_book

    problems: list[Problem] = []
    book = policy = None
    try:
        policy = load_policy(settings.policy_file())
    except RuleFileError as error:
        problems += error.problems
    try:
        book = load_book(settings.rules_folder(), settings.lexicons_folder())
    except RuleFileError as error:
        problems += error.problems
    if book is None or policy is None:
        raise RuleFileError(tuple(problems))
    gc.freeze()  # the book stays: the collector need not walk through it again and again (a seventh of the judging)
    return book, policy
