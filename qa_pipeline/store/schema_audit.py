"""Tables of calls, transcripts, runs and verdicts.

Base tables only ever grow. What a person asks for with plain SQL are the views: ``calls``, ``current_runs``, ``scores``,
``turns``, ``verdicts``, ``findings``, ``penalties``. Money is DECIMAL(12,2) yuan, seconds are DOUBLE from the start of the
recording, ``NULL`` means not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

TABLES = """
CREATE TABLE batches (
    batch_id VARCHAR PRIMARY KEY, started_at TIMESTAMP, command VARCHAR, source VARCHAR, options JSON
);
CREATE TABLE batch_ends (
    batch_id VARCHAR, finished_at TIMESTAMP, done INTEGER, skipped INTEGER, failed INTEGER, audio_s DOUBLE, seconds DOUBLE
);
CREATE TABLE call_versions (
    seq BIGINT PRIMARY KEY, call_id VARCHAR NOT NULL, digest VARCHAR NOT NULL, batch_id VARCHAR,
    file VARCHAR, agent_id VARCHAR, agent_name VARCHAR, team VARCHAR, supervisor VARCHAR, line VARCHAR,
    caller_number VARCHAR, customer_number VARCHAR, customer_name VARCHAR,
    started_at TIMESTAMP, answered_at TIMESTAMP, ended_at TIMESTAMP, hangup_by VARCHAR, hangup_at DOUBLE,
    call_type VARCHAR, outcome VARCHAR, product VARCHAR, trial_days INTEGER, charged BOOLEAN, complaint BOOLEAN,
    agent_channel INTEGER, extra JSON, body JSON
);
CREATE TABLE recordings (
    audio_hash VARCHAR PRIMARY KEY, path VARCHAR, duration_s DOUBLE, sample_rate INTEGER, channels INTEGER, codec VARCHAR,
    fitness JSON, body JSON
);
CREATE TABLE transcripts (
    audio_hash VARCHAR, engine_digest VARCHAR, engine VARCHAR, model VARCHAR, duration_s DOUBLE, channels INTEGER,
    segments INTEGER, voiced_s DOUBLE, uncovered_s DOUBLE, dropped_s DOUBLE, body BLOB,
    PRIMARY KEY (audio_hash, engine_digest)
);
CREATE TABLE conversations (digest VARCHAR PRIMARY KEY, call_id VARCHAR, turns INTEGER, body BLOB);
CREATE TABLE conversation_turns (
    digest VARCHAR NOT NULL, turn INTEGER NOT NULL, role VARCHAR, role_source VARCHAR, role_confidence DOUBLE,
    start_s DOUBLE, end_s DOUBLE, text VARCHAR, raw VARCHAR, confidence DOUBLE, channel INTEGER,
    loudness_db DOUBLE, pitch_st DOUBLE, after_hangup BOOLEAN
);
CREATE TABLE runs (
    run_id VARCHAR PRIMARY KEY, call_id VARCHAR NOT NULL, batch_id VARCHAR, call_digest VARCHAR, conversation_digest VARCHAR,
    audio_hash VARCHAR, content_hash VARCHAR, engine_digest VARCHAR, engine VARCHAR, model VARCHAR, model_hash VARCHAR,
    engine_options JSON, rules_digest VARCHAR, version VARCHAR, duration_s DOUBLE, channels INTEGER, body BLOB
);
CREATE TABLE run_log (seq BIGINT PRIMARY KEY, call_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, batch_id VARCHAR);
CREATE TABLE scorecards (
    run_id VARCHAR NOT NULL, score INTEGER, qualified BOOLEAN, fatal BOOLEAN, sale_invalid BOOLEAN, violations INTEGER,
    not_evaluated INTEGER, fine_yuan DECIMAL(12,2), supervisor_fine_yuan DECIMAL(12,2), case_fine_yuan DECIMAL(12,2),
    provisional BOOLEAN
);
CREATE TABLE outcomes (
    run_id VARCHAR NOT NULL, call_id VARCHAR NOT NULL, clause VARCHAR, rule_id VARCHAR, ordinal INTEGER, title VARCHAR,
    verdict VARCHAR, review BOOLEAN, advice BOOLEAN, reason VARCHAR, role VARCHAR, turn INTEGER, start_s DOUBLE, end_s DOUBLE,
    quote VARCHAR, heard_as VARCHAR, strength VARCHAR, distance DOUBLE, confidence DOUBLE, missing JSON, evidence_count INTEGER
);
CREATE TABLE run_penalties (
    run_id VARCHAR NOT NULL, call_id VARCHAR NOT NULL, clause VARCHAR, rule_id VARCHAR, ordinal INTEGER, points INTEGER,
    fine_yuan DECIMAL(12,2), supervisor_fine_yuan DECIMAL(12,2), sanction VARCHAR, absorbed_by VARCHAR, provisional BOOLEAN,
    counted BOOLEAN, note VARCHAR
);
CREATE TABLE failures (seq BIGINT PRIMARY KEY, batch_id VARCHAR, call_id VARCHAR, file VARCHAR, stage VARCHAR, message VARCHAR);
CREATE TABLE files (path VARCHAR PRIMARY KEY, size BIGINT, mtime_ns BIGINT, audio_hash VARCHAR);
"""

VIEWS = """
CREATE VIEW calls AS
    SELECT * EXCLUDE (seq, digest, body) FROM call_versions
    WHERE seq IN (SELECT max(seq) FROM call_versions GROUP BY call_id);
CREATE VIEW current_runs AS
    SELECT runs.* EXCLUDE (body), run_log.seq
    FROM run_log JOIN runs USING (run_id, call_id)
    WHERE run_log.seq IN (SELECT max(seq) FROM run_log GROUP BY call_id);
CREATE VIEW scores AS
    SELECT run.call_id, call.agent_id, call.agent_name, call.team, call.supervisor, call.started_at, call.call_type, call.outcome,
        run.duration_s, card.* EXCLUDE (run_id), run.rules_digest, run.run_id
    FROM current_runs AS run JOIN scorecards AS card USING (run_id) LEFT JOIN calls AS call USING (call_id);
CREATE VIEW turns AS
    SELECT run.call_id, run.run_id, line.* EXCLUDE (digest)
    FROM current_runs AS run JOIN conversation_turns AS line ON line.digest = run.conversation_digest;
CREATE VIEW penalties AS
    SELECT item.* FROM run_penalties AS item JOIN current_runs AS run USING (run_id);
CREATE VIEW verdicts AS
    SELECT item.call_id, call.agent_id, call.team, call.started_at, item.clause, item.rule_id, item.ordinal, item.title,
        item.verdict, item.review, item.advice, item.role, item.turn, item.start_s, item.end_s, item.quote, item.heard_as,
        item.reason, item.confidence, item.strength, item.distance,
        coalesce(money.points, 0) AS points, coalesce(money.fine_yuan, 0)::DECIMAL(12,2) AS fine_yuan,
        coalesce(money.supervisor_fine_yuan, 0)::DECIMAL(12,2) AS supervisor_fine_yuan, coalesce(money.sanction, '') AS sanction,
        coalesce(money.absorbed_by, '') AS absorbed_by, coalesce(money.provisional, false) AS provisional,
        run.rules_digest, item.run_id
    FROM outcomes AS item
    JOIN current_runs AS run USING (run_id)
    LEFT JOIN calls AS call ON call.call_id = item.call_id
    LEFT JOIN run_penalties AS money
        ON money.run_id = item.run_id AND money.rule_id = item.rule_id AND money.ordinal = item.ordinal
        AND item.verdict = '违规';
CREATE VIEW findings AS SELECT * FROM verdicts WHERE verdict = '违规';
"""


def create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(TABLES)
    connection.execute(VIEWS)
