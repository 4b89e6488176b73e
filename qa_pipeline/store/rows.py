"""Model values as table rows: plain mappings from column name to value, see ``schema_audit.py`` for the columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from qa_pipeline.model import AuditRun, CallData, Conversation, Recording, Transcript
from qa_pipeline.store.codec import Judgement, digest, engine_digest, pack
from qa_pipeline.store.redact import covered

Row = dict[str, Any]

_CALL_TIMES = ("started_at", "answered_at", "ended_at")
_PLAIN_CALL_FIELDS = tuple(field.name for field in fields(CallData) if field.name not in (*_CALL_TIMES, "extra"))


def timestamp(text: str | None) -> str | None:
    """An ISO 8601 text that a TIMESTAMP column takes, or None: a strange time never stops a save."""
    if not text:
        return None
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(sep=" ")
    except ValueError:
        return None


def call_row(call: CallData, batch_id: str) -> Row:
    row: Row = {name: getattr(call, name) for name in _PLAIN_CALL_FIELDS}
    row |= {name: timestamp(getattr(call, name)) for name in _CALL_TIMES}
    return row | {"digest": digest(call), "batch_id": batch_id, "extra": dict(call.extra), "body": call}


def recording_row(recording: Recording) -> Row:
    return {
        "audio_hash": recording.audio_hash,
        "path": recording.path,
        "duration_s": recording.duration_s,
        "sample_rate": recording.sample_rate,
        "channels": recording.channels,
        "codec": recording.codec,
        "fitness": recording.fitness,
        "body": recording,
    }


def transcript_row(transcript: Transcript) -> Row:
    return {
        "audio_hash": transcript.audio_hash,
        "engine_digest": engine_digest(transcript.engine),
        "engine": transcript.engine.name,
        "model": transcript.engine.model,
        "duration_s": transcript.duration_s,
        "channels": transcript.channels,
        "segments": len(transcript.segments),
        "voiced_s": sum(span.end_s - span.start_s for span in transcript.voiced),
        "uncovered_s": sum(span.end_s - span.start_s for span in transcript.uncovered),
        "dropped_s": sum(span.end_s - span.start_s for span in transcript.dropped),
        "body": pack(transcript),
    }


def conversation_row(conversation: Conversation, name: str) -> Row:
    call_id = conversation.call.call_id
    return {"digest": name, "call_id": call_id, "turns": len(conversation.turns), "body": pack(conversation)}


def turn_rows(conversation: Conversation, name: str) -> Iterator[Row]:
    for turn in conversation.turns:
        yield {
            "digest": name,
            "turn": turn.index,
            "role": turn.role,
            "role_source": turn.role_source,
            "role_confidence": turn.role_confidence,
            "start_s": turn.start_s,
            "end_s": turn.end_s,
            "text": turn.text,
            "raw": turn.raw,
            "confidence": turn.confidence,
            "channel": turn.channel,
            "loudness_db": turn.loudness_db,
            "pitch_st": turn.pitch_st,
            "after_hangup": turn.after_hangup,
        }


def run_row(run: AuditRun, batch_id: str, conversation: str) -> Row:
    outcomes = tuple(covered(outcome) for outcome in run.outcomes)
    provenance = run.provenance
    body = Judgement(outcomes=outcomes, scorecard=run.scorecard, engine=provenance.engine, recording=run.recording)
    return {
        "run_id": run.run_id,
        "call_id": run.conversation.call.call_id,
        "batch_id": batch_id,
        "call_digest": digest(run.conversation.call),
        "conversation_digest": conversation,
        "audio_hash": provenance.audio_hash,
        "content_hash": provenance.content_hash,
        "engine_digest": engine_digest(provenance.engine),
        "engine": provenance.engine.name,
        "model": provenance.engine.model,
        "model_hash": provenance.engine.model_hash,
        "engine_options": dict(provenance.engine.options),
        "rules_digest": provenance.rules_digest,
        "version": provenance.version,
        "duration_s": run.conversation.duration_s,
        "channels": run.conversation.channels,
        "body": pack(body),
    }


def scorecard_row(run: AuditRun) -> Row:
    card = run.scorecard
    return {
        "run_id": run.run_id,
        "score": card.score,
        "qualified": card.qualified,
        "fatal": card.fatal,
        "sale_invalid": card.sale_invalid,
        "violations": card.violations,
        "not_evaluated": card.not_evaluated,
        "fine_yuan": card.fine_yuan,
        "supervisor_fine_yuan": card.supervisor_fine_yuan,
        "case_fine_yuan": card.case_fine_yuan,
        "provisional": card.provisional,
    }


def outcome_rows(run: AuditRun) -> Iterator[Row]:
    call_id = run.conversation.call.call_id
    for raw in run.outcomes:
        outcome = covered(raw)
        row: Row = {
            "run_id": run.run_id,
            "call_id": call_id,
            "clause": outcome.clause,
            "rule_id": outcome.rule_id,
            "ordinal": outcome.ordinal,
            "title": outcome.title,
            "verdict": outcome.verdict,
            "review": outcome.review,
            "advice": outcome.advice,
            "reason": outcome.reason,
            "confidence": outcome.confidence,
            "missing": outcome.missing,
            "evidence_count": len(outcome.evidence),
        }
        proof = outcome.proof
        if proof is not None:
            row |= {
                "role": proof.role,
                "turn": proof.turn,
                "start_s": proof.start_s,
                "end_s": proof.end_s,
                "quote": proof.quote,
                "heard_as": proof.heard_as,
                "strength": proof.strength,
                "distance": proof.distance,
            }
        yield row


def penalty_rows(run: AuditRun) -> Iterator[Row]:
    call_id = run.conversation.call.call_id
    for item in run.scorecard.penalties:
        yield {
            "run_id": run.run_id,
            "call_id": call_id,
            "clause": item.clause,
            "rule_id": item.rule_id,
            "ordinal": item.ordinal,
            "points": item.points,
            "fine_yuan": item.fine_yuan,
            "supervisor_fine_yuan": item.supervisor_fine_yuan,
            "sanction": item.sanction,
            "absorbed_by": item.absorbed_by,
            "provisional": item.provisional,
            "counted": item.counted,
            "note": item.note,
        }
