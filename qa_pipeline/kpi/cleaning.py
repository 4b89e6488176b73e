"""From cells to values, in SQL: times, lengths, words; and what is told about them.

A cell that cannot be read leaves that value unknown and the row counted; only rows without a time, duplicates and rows that could not
be split are not counted. Every such row is in ``problems`` with its number and its effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa_pipeline.kpi.columns import INBOUND, NO, OUTBOUND, RESULTS, YES, Layout

if TYPE_CHECKING:
    import duckdb

_FORMATS = (
    "['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d', '%Y%m%d%H%M%S', '%Y%m%d %H:%M:%S', '%Y%m%d']"
)
# 2026年11月2日 9时05分07秒, 2026/11/2 9:05, 2026.11.02T09:05, 下午 3:05, 20261102090507, and Excel's day numbers
_MACROS = f"""
CREATE OR REPLACE TEMP MACRO tidy_time(t) AS trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(t, '(\\d{{4}})[年/.](\\d{{1,2}})[月/.](\\d{{1,2}})日?', '\\1-\\2-\\3'), '[Tt](\\d)', ' \\1'),
    '[上下]午|[AaPp][Mm]|秒|[Zz]$|\\+08:?00$', ' ', 'g'), '(\\d)\\s*[时点分]\\s*(\\d)', '\\1:\\2', 'g'), '\\s+', ' ', 'g'));
CREATE OR REPLACE TEMP MACRO read_time(t) AS CASE
    WHEN t IS NULL THEN NULL
    WHEN regexp_full_match(t, '[2-7]\\d{{4}}(\\.\\d+)?')
        THEN date_trunc('second', TIMESTAMP '1899-12-30' + to_microseconds((t::DOUBLE * 86400000000 + 500000)::BIGINT))
    WHEN regexp_matches(t, '下午|[Pp][Mm]') AND hour(try_strptime(tidy_time(t), {_FORMATS})) < 12
        THEN try_strptime(tidy_time(t), {_FORMATS}) + INTERVAL 12 HOUR
    ELSE try_strptime(regexp_replace(tidy_time(t), '[:时分]\\s*$|\\s*分$', ''), {_FORMATS}) END;
CREATE OR REPLACE TEMP MACRO read_clock(t) AS try_strptime('2000-01-01 ' || tidy_time(t), ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M']);
CREATE OR REPLACE TEMP MACRO part(t, pattern) AS coalesce(nullif(regexp_extract(t, pattern, 1), '')::DOUBLE, 0);
CREATE OR REPLACE TEMP MACRO read_length(t, unit) AS CASE
    WHEN t IS NULL THEN NULL
    WHEN regexp_full_match(t, '[-+]?\\d+(\\.\\d+)?') THEN t::DOUBLE * unit
    WHEN regexp_full_match(t, '-?\\d{{1,3}}:\\d{{1,2}}:\\d{{1,2}}(\\.\\d+)?') THEN (CASE WHEN t[1] = '-' THEN -1 ELSE 1 END)
        * (3600 * abs(split_part(t, ':', 1)::DOUBLE) + 60 * split_part(t, ':', 2)::DOUBLE + split_part(t, ':', 3)::DOUBLE)
    WHEN regexp_full_match(t, '-?\\d{{1,4}}:\\d{{1,2}}') THEN (CASE WHEN t[1] = '-' THEN -1 ELSE 1 END)
        * (60 * abs(split_part(t, ':', 1)::DOUBLE) + split_part(t, ':', 2)::DOUBLE)
    WHEN t <> '' AND regexp_full_match(t, '(\\d+(\\.\\d+)?(小时|时|h))?\\s*(\\d+(\\.\\d+)?(分钟|分|min))?\\s*(\\d+(\\.\\d+)?(秒|s))?')
        THEN 3600 * part(t, '([\\d.]+)(?:小时|时|h)') + 60 * part(t, '([\\d.]+)(?:分|min)') + part(t, '([\\d.]+)(?:秒|s)')
    END;
"""
_LENGTHS = ("prep_s", "ring_s", "talk_s", "hold_s", "acw_s", "queue_s")


def clean(connection: duckdb.DuckDBPyConnection, file_id: int, layout: Layout) -> tuple[int, int]:
    """Moves the temporary table ``log`` into the table of its kind; returns (rows read, rows that count)."""
    connection.execute(_MACROS)
    {"calls": _calls, "attendance": _attendance, "accounts": _accounts, "costs": _costs}[layout.kind](connection, file_id, layout)
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER (counted) FROM {layout.kind} WHERE file_id = ?", [file_id]
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


class _Cells:
    """SQL of a field: the cell where the file has the column, else NULL; lengths in seconds by the unit of the header."""

    def __init__(self, layout: Layout) -> None:
        self._units = {name: unit for name, _, unit in layout.fields}

    def has(self, name: str) -> bool:
        return name in self._units

    def text(self, name: str) -> str:
        return name if self.has(name) else "NULL::VARCHAR"

    def length(self, name: str) -> str:
        return f"read_length({name}, {self._units[name]!r})" if self.has(name) else "NULL::DOUBLE"

    def word(self, name: str, *lists: tuple[Sequence[str], str], default: str = "NULL") -> str:
        """A word of one of the lists; NULL for an empty cell, ``default`` for a word that is in none."""
        if not self.has(name):
            return "NULL"
        folded = f"lower(replace({name}, ' ', ''))"
        cases = " ".join(f"WHEN {folded} IN ({', '.join(_quoted(word) for word in words)}) THEN {value}" for words, value in lists)
        return f"CASE WHEN {name} IS NULL THEN NULL {cases} ELSE {default} END"

    def flag(self, name: str) -> str:
        return f"({self.word(name, (YES, 'true'), (NO, 'false'))})::BOOLEAN"


def _quoted(word: str) -> str:
    return "'" + word.lower().replace("'", "''") + "'"


def _note(
    connection: duckdb.DuckDBPyConnection, file_id: int, kind: str, field: str, where: str, *, effect: str, value: str = "''"
) -> None:
    connection.execute(
        f"INSERT INTO problems SELECT {file_id}, row, ?, ?, left(coalesce(({value})::VARCHAR, ''), 200), ? FROM typed WHERE {where}",
        [kind, field, effect],
    )


def _calls(connection: duckdb.DuckDBPyConnection, file_id: int, layout: Layout) -> None:
    cells = _Cells(layout)
    results = cells.word("result", *((words, _quoted(code)) for code, words in RESULTS.items()), default="'?'")
    day = f"strftime(read_time({cells.text('day')})::DATE, '%Y-%m-%d') || ' '"
    begun = f"coalesce(read_time(started_at), read_time({day} || started_at))" if cells.has("day") else "read_time(started_at)"
    ended = f"coalesce(read_time({cells.text('ended_at')}), date_trunc('day', {begun}) + (read_clock({cells.text('ended_at')}) - TIMESTAMP '2000-01-01'))"  # fmt: skip
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE typed AS
            SELECT row, {cells.text("call_key")} AS call_key, {cells.text("agent_id")} AS agent_id,
                {cells.text("agent_name")} AS agent_name, {cells.text("team")} AS team,
                coalesce({cells.word("direction", (INBOUND, "true"), (OUTBOUND, "false"))}, false)::BOOLEAN AS inbound,
                coalesce({cells.text("account")}, {cells.text("number")}) AS account, {begun} AS started_at,
                read_time({cells.text("answered_at")}) AS answered_at, {ended} AS ended_at, started_at AS started_raw,
                {", ".join(f"{cells.length(name)} AS {name}" for name in _LENGTHS)},
                try_cast({cells.text("rings")} AS DOUBLE) AS rings, {results} AS result, {cells.flag("transferred")} AS transferred,
                {cells.flag("resolved")} AS resolved, {cells.text("result")} AS result_raw,
                {", ".join(f"{cells.text(name)} AS {name}_raw" for name in _LENGTHS)}
            FROM log"""
    )
    # a talk that is not told follows from its ends; a clock before the start is after midnight
    connection.execute(
        """UPDATE typed SET ended_at = ended_at + INTERVAL 1 DAY WHERE ended_at < started_at
           AND ended_at >= started_at - INTERVAL 1 DAY AND ended_at::DATE = started_at::DATE AND hour(ended_at) < 6"""
    )
    if cells.has("ended_at"):
        _note(connection, file_id, "结束早于开始", "ended_at", "ended_at < started_at", effect="结束时间不用", value="ended_at")
        if cells.has("answered_at"):
            connection.execute(
                """UPDATE typed SET talk_s = date_diff('millisecond', answered_at, ended_at) / 1000.0
                   WHERE talk_s IS NULL AND talk_s_raw IS NULL AND ended_at >= answered_at"""
            )
    _tell_calls(connection, file_id, cells)
    for name in _LENGTHS:
        connection.execute(f"UPDATE typed SET {name} = NULL WHERE {name} < 0")
    connection.execute("UPDATE typed SET result = 'other' WHERE result = '?'")
    _store_calls(connection, file_id, cells)
    _tell_changes(connection, file_id, cells)


def _tell_calls(connection: duckdb.DuckDBPyConnection, file_id: int, cells: _Cells) -> None:
    unknown = "started_raw IS NOT NULL AND started_at IS NULL"
    _note(connection, file_id, "时间看不懂", "started_at", unknown, effect="不计入", value="started_raw")
    _note(connection, file_id, "没有时间", "started_at", "started_raw IS NULL", effect="不计入")
    for name in _LENGTHS:
        if cells.has(name):
            unread = f"{name}_raw IS NOT NULL AND {name} IS NULL"
            _note(connection, file_id, "时长看不懂", name, unread, effect="这个时长当作未知", value=f"{name}_raw")
            _note(connection, file_id, "负时长", name, f"{name} < 0", effect="这个时长当作未知", value=f"{name}_raw")
    if cells.has("result"):
        _note(connection, file_id, "结果看不懂", "result", "result = '?'", effect="按“其他”计", value="result_raw")
    if cells.has("agent_id"):
        _note(connection, file_id, "没有工号", "agent_id", "agent_id IS NULL", effect="计入合计，归入“未知”")
    _note(
        connection, file_id, "跨零点", "started_at",
        """started_at IS NOT NULL AND started_at::DATE <> (started_at + to_milliseconds(((greatest(coalesce(ring_s, 0), 0)
           + greatest(coalesce(talk_s, 0), 0)) * 1000)::BIGINT))::DATE""",
        effect="整通计入开始的那一天", value="started_at",
    )  # fmt: skip


def _store_calls(connection: duckdb.DuckDBPyConnection, file_id: int, cells: _Cells) -> None:
    """The first of calls that are the same counts; those of files imported before come first."""
    same = "call_key" if cells.has("call_key") else "agent_id, account, started_at"
    told = "call_key IS NOT NULL" if cells.has("call_key") else "account IS NOT NULL"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE doubles AS
            SELECT row, first FROM (
                SELECT row, file_id, first_value(file_id || ':' || row) OVER w AS first, row_number() OVER w AS nth
                FROM (SELECT row, {file_id} AS file_id, {same} FROM typed WHERE {told} AND started_at IS NOT NULL
                      UNION ALL SELECT row, file_id, {same} FROM calls WHERE counted AND {told})
                WINDOW w AS (PARTITION BY {same} ORDER BY file_id, row))
            WHERE nth > 1 AND file_id = {file_id}"""
    )
    connection.execute(
        """INSERT INTO problems SELECT ?, row, '重复通话', 'call_key',
           '与' || CASE WHEN split_part(first, ':', 1) = ? THEN '' ELSE '文件 ' || split_part(first, ':', 1) || ' ' END || '第 '
           || split_part(first, ':', 2) || ' 行相同', '不计入' FROM doubles""",
        [file_id, str(file_id)],
    )
    connection.execute(
        f"""INSERT INTO calls SELECT {file_id}, row, call_key, agent_id, agent_name, team, inbound, account, started_at, prep_s, ring_s,
                talk_s, hold_s, acw_s, queue_s, rings, result, transferred, resolved,
                started_at IS NOT NULL AND row NOT IN (SELECT row FROM doubles)
            FROM typed ORDER BY row"""
    )


def _tell_changes(connection: duckdb.DuckDBPyConnection, file_id: int, cells: _Cells) -> None:
    """An agent's first call in another team than the one before it; each call counts for the team it names."""
    if not (cells.has("agent_id") and cells.has("team")):
        return
    connection.execute(
        """INSERT INTO problems SELECT ?, row, '换组', 'team', agent_id || '：' || before || ' → ' || team, '每通计入当时的班组'
           FROM (SELECT row, agent_id, team, lag(team) OVER (PARTITION BY agent_id ORDER BY started_at, row) AS before
                 FROM typed WHERE agent_id IS NOT NULL AND team IS NOT NULL AND started_at IS NOT NULL
                   AND agent_id IN (SELECT agent_id FROM typed GROUP BY agent_id HAVING count(DISTINCT team) > 1))
           WHERE before IS NOT NULL AND before <> team""",
        [file_id],
    )


def _attendance(connection: duckdb.DuckDBPyConnection, file_id: int, layout: Layout) -> None:
    cells = _Cells(layout)
    lengths = ("planned_s", "paid_s", "ontime_s", "logged_s", "productive_s", "waiting_s", "away_s")
    clocks = ("planned_start", "planned_end", "sign_in", "sign_out")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE typed AS SELECT row, agent_id, {cells.text("agent_name")} AS agent_name,
                {cells.text("team")} AS team, read_time(day)::DATE AS day, day AS day_raw,
                {", ".join(f"{cells.length(name)} AS {name}, {cells.text(name)} AS {name}_raw" for name in lengths)},
                {", ".join(f"coalesce(read_time(read_time(day)::DATE::VARCHAR || ' ' || {cells.text(name)}), read_time({cells.text(name)})) AS {name}" for name in clocks)},
                {cells.flag("present")} AS present, {cells.flag("resigned")} AS resigned
            FROM log"""
    )
    for start, end in (("planned_start", "planned_end"), ("sign_in", "sign_out")):
        connection.execute(f"UPDATE typed SET {end} = {end} + INTERVAL 1 DAY WHERE {end} < {start}")
    _note(connection, file_id, "日期看不懂", "day", "day IS NULL", effect="不计入", value="day_raw")
    for name in lengths:
        _note(connection, file_id, "时长看不懂", name, f"{name}_raw IS NOT NULL AND {name} IS NULL", effect="当作未知", value=f"{name}_raw")  # fmt: skip
        _note(connection, file_id, "负时长", name, f"{name} < 0", effect="当作未知", value=f"{name}_raw")
        connection.execute(f"UPDATE typed SET {name} = NULL WHERE {name} < 0")
    _doubles(connection, file_id, "agent_id, day", "重复考勤", "agent_id IS NOT NULL AND day IS NOT NULL")
    span = "date_diff('second', {0}, {1})"
    connection.execute(
        f"""INSERT INTO attendance SELECT {file_id}, row, agent_id, agent_name, team, day,
                coalesce(planned_s, {span.format("planned_start", "planned_end")}), paid_s, ontime_s,
                coalesce(logged_s, {span.format("sign_in", "sign_out")}), productive_s, waiting_s, away_s,
                coalesce(present, CASE WHEN coalesce(logged_s, {span.format("sign_in", "sign_out")}) > 0 THEN true END), resigned,
                CASE WHEN planned_start IS NOT NULL AND sign_in IS NOT NULL THEN
                    greatest(0, {span.format("greatest(planned_start, sign_in)", "least(planned_end, sign_out)")}) END,
                CASE WHEN planned_start IS NOT NULL AND sign_in IS NOT NULL THEN {span.format("planned_start", "planned_end")} END,
                day IS NOT NULL AND row NOT IN (SELECT row FROM doubles)
            FROM typed ORDER BY row"""
    )


def _doubles(connection: duckdb.DuckDBPyConnection, file_id: int, same: str, kind: str, told: str) -> None:
    """Within the file; the first counts."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE doubles AS
            SELECT row, first FROM (SELECT row, first_value(row) OVER w AS first, row_number() OVER w AS nth FROM typed
                WHERE {told} WINDOW w AS (PARTITION BY {same} ORDER BY row)) WHERE nth > 1"""
    )
    connection.execute(
        "INSERT INTO problems SELECT ?, row, ?, '', '与第 ' || first || ' 行相同', '不计入' FROM doubles", [file_id, kind]
    )


def _accounts(connection: duckdb.DuckDBPyConnection, file_id: int, layout: Layout) -> None:
    cells = _Cells(layout)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE typed AS SELECT row, account, {cells.text("team")} AS team,
                read_time({cells.text("day")})::DATE AS day, {cells.flag("valid")} AS valid, valid AS valid_raw FROM log"""
    )
    _note(connection, file_id, "没有客户编号", "account", "account IS NULL", effect="不计入")
    _note(connection, file_id, "状态看不懂", "valid", "valid IS NULL", effect="按有效数据计", value="valid_raw")
    _doubles(connection, file_id, "account", "重复客户", "account IS NOT NULL")
    connection.execute(
        f"""INSERT INTO accounts SELECT {file_id}, row, account, team, day, coalesce(valid, true),
                account IS NOT NULL AND row NOT IN (SELECT row FROM doubles) FROM typed ORDER BY row"""
    )


def _costs(connection: duckdb.DuckDBPyConnection, file_id: int, layout: Layout) -> None:
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE typed AS SELECT row,
               coalesce(read_time(day), read_time(regexp_replace(day, '[年/.月]', '-', 'g') || '-01'),
                   read_time(rtrim(regexp_replace(day, '[年/.月]', '-', 'g'), '-') || '-01'))::DATE AS day,
               try_cast(replace(amount, ',', '') AS DECIMAL(14,2)) AS amount, day AS day_raw, amount AS amount_raw FROM log"""
    )
    _note(connection, file_id, "日期看不懂", "day", "day IS NULL", effect="不计入", value="day_raw")
    _note(connection, file_id, "金额看不懂", "amount", "amount IS NULL", effect="不计入", value="amount_raw")
    connection.execute(
        f"INSERT INTO costs SELECT {file_id}, row, day, amount, day IS NOT NULL AND amount IS NOT NULL FROM typed ORDER BY row"
    )
