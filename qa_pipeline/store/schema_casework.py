"""Tables of the working day: people, samples, cases, decisions, ledger, appeals, follow-up.

Everything grows by new rows: a change of a case, an appeal, a complaint or a person is an event with the next ``version`` or
``seq``; the primary key of (thing, version) is what makes two people who act at once notice each other. ``…_now`` views hold the
latest state. Times are local times of the centre, money is DECIMAL(12,2) yuan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

PEOPLE = """
CREATE TABLE people_log (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, person_id VARCHAR NOT NULL, name VARCHAR, roles VARCHAR[],
    team VARCHAR, agent_id VARCHAR, active BOOLEAN
);
CREATE VIEW people AS
    SELECT person_id, name, roles, team, agent_id, active FROM people_log
    WHERE seq IN (SELECT max(seq) FROM people_log GROUP BY person_id);
CREATE TABLE credentials (seq BIGINT PRIMARY KEY, at_time TIMESTAMP, person_id VARCHAR NOT NULL, password_hash VARCHAR);
CREATE TABLE audit_log (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP NOT NULL, person_id VARCHAR NOT NULL, action VARCHAR NOT NULL, object VARCHAR,
    detail VARCHAR, previous VARCHAR, hash VARCHAR
);
CREATE TABLE settings_log (seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, name VARCHAR, value VARCHAR);
"""

CASES = """
CREATE TABLE samples (
    sample_id VARCHAR PRIMARY KEY, created_at TIMESTAMP, by_person VARCHAR, date_from DATE, date_to DATE, level VARCHAR,
    seed VARCHAR, plan JSON, calls_seq BIGINT, frame INTEGER, frame_digest VARCHAR
);
CREATE TABLE sample_items (
    sample_id VARCHAR NOT NULL, call_id VARCHAR NOT NULL, agent_id VARCHAR, team VARCHAR, stratum VARCHAR, base BOOLEAN,
    marks VARCHAR[], population INTEGER, drawn INTEGER, weight DOUBLE
);
CREATE TABLE cases (
    case_id VARCHAR PRIMARY KEY, call_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, pair_of VARCHAR, sample_id VARCHAR,
    reason VARCHAR, opened_at TIMESTAMP, opened_by VARCHAR, agent_id VARCHAR, team VARCHAR, supervisor VARCHAR
);
CREATE TABLE case_events (
    case_id VARCHAR NOT NULL, version INTEGER NOT NULL, at_time TIMESTAMP, by_person VARCHAR, action VARCHAR, state VARCHAR,
    assignee VARCHAR, run_id VARCHAR, due_at TIMESTAMP, advice VARCHAR[], note VARCHAR, PRIMARY KEY (case_id, version)
);
CREATE VIEW cases_now AS
    SELECT item.*, last.version, last.state, last.assignee, last.run_id, last.due_at, last.advice, last.at_time AS changed_at,
        (SELECT max(at_time) FROM case_events AS done WHERE done.case_id = item.case_id AND done.action = 'finish') AS finished_at
    FROM cases AS item JOIN case_events AS last USING (case_id)
    WHERE (last.case_id, last.version) IN (SELECT (case_id, max(version)) FROM case_events GROUP BY case_id);
CREATE TABLE decisions (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, case_id VARCHAR NOT NULL, call_id VARCHAR, run_id VARCHAR,
    clause VARCHAR, rule_id VARCHAR, ordinal INTEGER, decision VARCHAR, stage VARCHAR, reason VARCHAR, carried_from BIGINT
);
CREATE VIEW decisions_now AS
    SELECT item.* FROM decisions AS item JOIN cases_now AS one ON one.case_id = item.case_id AND one.run_id = item.run_id
    WHERE item.seq IN (SELECT max(seq) FROM decisions GROUP BY case_id, run_id, rule_id, ordinal);
CREATE TABLE manual_findings (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, case_id VARCHAR NOT NULL, call_id VARCHAR, clause VARCHAR,
    rule_id VARCHAR, ordinal INTEGER, title VARCHAR, body JSON
);
CREATE TABLE corrections (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, case_id VARCHAR, call_id VARCHAR, run_before VARCHAR,
    run_after VARCHAR, turn INTEGER, field VARCHAR, before VARCHAR, after VARCHAR
);
"""

MONEY = """
CREATE TABLE ledger_entries (
    seq BIGINT PRIMARY KEY, txn BIGINT NOT NULL, at_time TIMESTAMP NOT NULL, month VARCHAR NOT NULL, action VARCHAR NOT NULL,
    case_id VARCHAR, call_id VARCHAR, run_id VARCHAR, clause VARCHAR, rule_id VARCHAR, ordinal INTEGER,
    party VARCHAR NOT NULL, person VARCHAR, account VARCHAR NOT NULL, points INTEGER NOT NULL, yuan DECIMAL(12,2) NOT NULL,
    decision BIGINT, by_person VARCHAR, note VARCHAR
);
CREATE VIEW ledger_balances AS
    SELECT case_id, call_id, clause, rule_id, ordinal, party, person, account, sum(points)::INTEGER AS points,
        sum(yuan)::DECIMAL(12,2) AS yuan
    FROM ledger_entries GROUP BY ALL HAVING sum(points) <> 0 OR sum(yuan) <> 0;
CREATE TABLE month_closings (
    month VARCHAR PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, last_seq BIGINT, points INTEGER, yuan DECIMAL(12,2),
    supervisor_yuan DECIMAL(12,2), digest VARCHAR
);
CREATE TABLE sanctions (
    sanction_id VARCHAR PRIMARY KEY, at_time TIMESTAMP, case_id VARCHAR, call_id VARCHAR, clause VARCHAR, rule_id VARCHAR,
    ordinal INTEGER, sanction VARCHAR, agent_id VARCHAR, supervisor VARCHAR
);
CREATE TABLE sanction_events (
    sanction_id VARCHAR NOT NULL, version INTEGER NOT NULL, at_time TIMESTAMP, by_person VARCHAR, state VARCHAR, manager VARCHAR,
    note VARCHAR, PRIMARY KEY (sanction_id, version)
);
CREATE VIEW sanctions_now AS
    SELECT item.*, last.version, last.state, last.manager, last.note, last.at_time AS changed_at
    FROM sanctions AS item JOIN sanction_events AS last USING (sanction_id)
    WHERE (last.sanction_id, last.version) IN (SELECT (sanction_id, max(version)) FROM sanction_events GROUP BY sanction_id);
CREATE TABLE appeals (
    appeal_id VARCHAR PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, case_id VARCHAR, call_id VARCHAR, run_id VARCHAR,
    clause VARCHAR, rule_id VARCHAR, ordinal INTEGER, agent_id VARCHAR, team VARCHAR, reason VARCHAR
);
CREATE TABLE appeal_events (
    appeal_id VARCHAR NOT NULL, version INTEGER NOT NULL, at_time TIMESTAMP, by_person VARCHAR, action VARCHAR, state VARCHAR,
    due_at TIMESTAMP, note VARCHAR, PRIMARY KEY (appeal_id, version)
);
CREATE VIEW appeals_now AS
    SELECT item.*, last.version, last.state, last.due_at, last.at_time AS changed_at, last.by_person AS changed_by
    FROM appeals AS item JOIN appeal_events AS last USING (appeal_id)
    WHERE (last.appeal_id, last.version) IN (SELECT (appeal_id, max(version)) FROM appeal_events GROUP BY appeal_id);
"""

FOLLOWUP = """
CREATE TABLE complaints (
    complaint_id VARCHAR PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, call_id VARCHAR, customer_number VARCHAR,
    received_at TIMESTAMP, channel VARCHAR, content VARCHAR
);
CREATE TABLE complaint_events (
    complaint_id VARCHAR NOT NULL, version INTEGER NOT NULL, at_time TIMESTAMP, by_person VARCHAR, state VARCHAR, note VARCHAR,
    PRIMARY KEY (complaint_id, version)
);
CREATE VIEW complaints_now AS
    SELECT item.*, last.version, last.state, last.note, last.at_time AS changed_at
    FROM complaints AS item JOIN complaint_events AS last USING (complaint_id)
    WHERE (last.complaint_id, last.version) IN (SELECT (complaint_id, max(version)) FROM complaint_events GROUP BY complaint_id);
CREATE TABLE blacklist_log (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, number VARCHAR NOT NULL, listed BOOLEAN, reason VARCHAR,
    complaint_id VARCHAR
);
CREATE VIEW blacklist AS
    SELECT number, reason, complaint_id, at_time FROM blacklist_log
    WHERE seq IN (SELECT max(seq) FROM blacklist_log GROUP BY number) AND listed;
CREATE TABLE revisits (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, call_id VARCHAR NOT NULL, purpose VARCHAR, result VARCHAR,
    standards_met BOOLEAN, note VARCHAR
);
CREATE TABLE day_reports (seq BIGINT PRIMARY KEY, day DATE, at_time TIMESTAMP, by_person VARCHAR, digest VARCHAR, path VARCHAR);
CREATE TABLE purge_receipts (receipt_id VARCHAR PRIMARY KEY, at_time TIMESTAMP, by_person VARCHAR, before DATE, body JSON);
"""


RESULTS = """
CREATE TABLE case_results (
    seq BIGINT PRIMARY KEY, at_time TIMESTAMP, case_id VARCHAR NOT NULL, call_id VARCHAR, score INTEGER, qualified BOOLEAN,
    fatal BOOLEAN, sale_invalid BOOLEAN, violations INTEGER, fine_yuan DECIMAL(12,2), supervisor_fine_yuan DECIMAL(12,2)
);
CREATE VIEW case_results_now AS
    SELECT item.*, one.agent_id, one.team, one.supervisor, one.state, one.assignee, one.finished_at, one.sample_id
    FROM case_results AS item JOIN cases_now AS one USING (case_id)
    WHERE item.seq IN (SELECT max(seq) FROM case_results GROUP BY case_id);
"""


def add_results(connection: duckdb.DuckDBPyConnection) -> None:
    """What a reviewed call came to by people's decisions: one row when a case is finished and after each later change."""
    connection.execute(RESULTS)


def create(connection: duckdb.DuckDBPyConnection) -> None:
    for part in (PEOPLE, CASES, MONEY, FOLLOWUP):
        connection.execute(part)
