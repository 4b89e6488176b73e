"""Bad logs: every odd row is named with its number and its effect, and what is good still counts."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_pipeline.errors import UserError
from qa_pipeline.kpi.compute import compute
from qa_pipeline.kpi.database import reading
from qa_pipeline.kpi.importing import Imported, import_files
from qa_pipeline.kpi.measures import MEASURES

BAD = """通话编号,工号,班组,被叫号码,开始时间,振铃时长,通话时长（秒）,后处理时长,结果
C1,1001,一组,13900000001,2026-11-02 09:00:00,10,60,15,成功
C2,1001,一组,13900000002,2026/11/2 9:05,20,0:01:30,20,拒绝
C3,1001,一组,13900000003,2026年11月2日 9时10分,15,0,0,无人接听
C3,1001,一组,13900000003,2026年11月2日 9时10分,15,0,0,无人接听
C4,1002,二组,13900000003,2026-11-02 11:30:00,5,-4,30,成功
C5,1002,二组,13900000004,昨天,5,10,30,成功
C6,1002,一组,13900000005,2026-11-02 23:59:50,5,1分20秒,30,挺好
C7,,一组,13900000006,46328.5,5,abc,30,预约
C8,1003,一组,13900000006,2026-11-03 下午 3:05,5,10
C9,1003,一组,13900000006,2026-11-03 09:05,5,10,1,成功,多了,一列
C10,1003,一组,13900000007,20261103090507,5,10,1,空号
"""
PROBLEMS = [
    (5, "重复通话", "call_key", "与第 4 行相同", "不计入"),
    (6, "负时长", "talk_s", "-4", "这个时长当作未知"),
    (7, "时间看不懂", "started_at", "昨天", "不计入"),
    (8, "换组", "team", "1002：二组 → 一组", "每通计入当时的班组"),
    (8, "结果看不懂", "result", "挺好", "按“其他”计"),
    (8, "跨零点", "started_at", "2026-11-02 23:59:50", "整通计入开始的那一天"),
    (9, "时长看不懂", "talk_s", "abc", "这个时长当作未知"),
    (9, "没有工号", "agent_id", "", "计入合计，归入“未知”"),
    (11, "列数不对", "", "C9,1003,一组,13900000006,2026-11-03 09:05,5,10,1,成功,多了,一列", "整行没有计入"),
]


def load(folder: Path, content: str | bytes, name: str = "log.csv", kind: str | None = None) -> Imported:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_files(folder / "logs.duckdb", [path], kind)[0]


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with reading(folder / "logs.duckdb") as connection:
        return connection.execute(query).fetchall()


def test_every_odd_row_is_named(tmp_path: Path) -> None:
    done = load(tmp_path, BAD)
    assert (done.rows, done.counted, dict(done.problems)) == (11, 8, {problem[1]: 1 for problem in PROBLEMS})
    assert rows(tmp_path, "SELECT row, kind, field, value, effect FROM problems ORDER BY row, kind") == PROBLEMS
    assert rows(tmp_path, "SELECT row, started_at, talk_s FROM calls WHERE counted ORDER BY row") == [
        (2, datetime(2026, 11, 2, 9, 0), 60.0),
        (3, datetime(2026, 11, 2, 9, 5), 90.0),
        (4, datetime(2026, 11, 2, 9, 10), 0.0),
        (6, datetime(2026, 11, 2, 11, 30), None),
        (8, datetime(2026, 11, 2, 23, 59, 50), 80.0),
        (9, datetime(2026, 11, 2, 12, 0), None),
        (10, datetime(2026, 11, 3, 15, 5), 10.0),
        (12, datetime(2026, 11, 3, 9, 5, 7), 10.0),
    ]


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    first = load(tmp_path, BAD)
    again = load(tmp_path, BAD, "copy.csv")
    assert (first.fresh, again.fresh, again.name) == (True, False, "log.csv")
    assert rows(tmp_path, "SELECT count(*) FROM calls") == [(10,)]


def test_a_call_of_an_earlier_file_is_a_double(tmp_path: Path) -> None:
    load(tmp_path, "call_id,start,工号\n".replace("start", "开始时间") + "A,2026-11-02 09:00,1\n")
    done = load(tmp_path, "call_id,开始时间,工号\nB,2026-11-02 09:00,1\nA,2026-11-02 09:00,1\n", "two.csv")
    assert (done.rows, done.counted, done.problems) == (2, 1, (("重复通话", 1),))
    assert rows(tmp_path, "SELECT row, value FROM problems") == [(3, "与文件 1 第 2 行相同")]


def test_without_call_numbers_agent_customer_and_time_tell_doubles(tmp_path: Path) -> None:
    done = load(tmp_path, "工号,被叫号码,开始时间\n1,139,2026-11-02 09:00\n1,139,2026-11-02 09:00\n2,139,2026-11-02 09:00\n")
    assert (done.rows, done.counted) == (3, 2)


def test_mixed_encodings_line_ends_and_damage(tmp_path: Path) -> None:
    lines = ["工号,班组,开始时间,结果".encode("gb18030"), "1,一组,2026-11-02 09:00,成功".encode("gb18030")]
    lines += ["2,二组,2026-11-02 09:01,拒绝".encode("gb18030"), "3,三组,2026-11-02 09:02,预约".encode()]
    lines += [b"4,\xff\xfe\xff,2026-11-02 09:03,", b"5,,2026-11-02 09:04,"]
    done = load(tmp_path, b"\r\n".join(lines[:3]) + b"\n" + b"\n".join(lines[3:]) + b"\n")
    assert (done.rows, done.counted, dict(done.problems)) == (5, 5, {"编码不同": 1, "编码损坏": 1})
    assert rows(tmp_path, "SELECT row, kind FROM problems ORDER BY row") == [(4, "编码不同"), (5, "编码损坏")]
    assert rows(tmp_path, "SELECT team, result FROM calls ORDER BY row")[:3] == [
        ("一组", "sold"),
        ("二组", "refused"),
        ("三组", "callback"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(("delimiter", "newline"), [(",", "\r\n"), ("\t", "\n"), (";", "\n")])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    table = [["工号", "开始时间", "结果"], ["1", "2026-11-02 09:00", "成功"], ["2", "2026-11-02 09:01", '"拒绝"']]
    content = newline.join(delimiter.join(row) for row in table) + newline
    done = load(tmp_path, content.encode(encoding))
    assert (done.rows, done.counted, done.problems) == (2, 2, ())
    assert rows(tmp_path, "SELECT agent_id, result FROM calls ORDER BY row") == [("1", "sold"), ("2", "refused")]


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["工号", "日期", "开始时间", "通话时长(分钟)", "结果"])
    book.active.append([1001, date(2026, 11, 2), datetime(2026, 11, 2, 9, 0), 1.5, "成功"])
    book.active.append([1002.0, "2026-11-02", "9:30", "2", "拒绝"])
    book.save(tmp_path / "log.xlsx")
    done = import_files(tmp_path / "logs.duckdb", [tmp_path / "log.xlsx"])[0]
    assert (done.rows, done.counted, done.problems) == (2, 2, ())
    assert rows(tmp_path, "SELECT agent_id, started_at, talk_s FROM calls ORDER BY row") == [
        ("1001", datetime(2026, 11, 2, 9, 0), 90.0),
        ("1002", datetime(2026, 11, 2, 9, 30), 120.0),
    ]


def test_talk_from_its_ends_over_midnight(tmp_path: Path) -> None:
    log = "工号,开始时间,接通时间,结束时间\n1,2026-11-02 23:58,2026-11-02 23:59:00,0:01:30\n2,2026-11-02 09:00,2026-11-02 09:00,2026-11-01 08:00\n"
    load(tmp_path, log)
    assert rows(tmp_path, "SELECT talk_s FROM calls ORDER BY row") == [(150.0,), (None,)]
    assert rows(tmp_path, "SELECT row, kind FROM problems ORDER BY row") == [(2, "跨零点"), (3, "结束早于开始")]


def test_what_cannot_be_read_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"认不出是哪种记录.*通话记录缺 “开始时间”；考勤缺 “工号”、“日期”") as told:
        load(tmp_path, "甲,乙\n1,2\n")
    assert "date" not in str(told.value)
    with pytest.raises(UserError, match="通话记录缺 “开始时间”"):
        load(tmp_path, "工号,结果\n1,成功\n", kind="calls")
    with pytest.raises(UserError, match="没有“phone”这种记录"):
        load(tmp_path, "工号\n1\n", kind="phone")
    with pytest.raises(UserError, match="空文件"):
        load(tmp_path, "")
    with pytest.raises(UserError, match="的内容不是 Excel 工作簿"):
        load(tmp_path, "x", "log.xlsx")
    with pytest.raises(UserError, match="找不到文件"):
        import_files(tmp_path / "logs.duckdb", [tmp_path / "none.csv"])
    with pytest.raises(UserError, match="还没有导入"):
        rows(tmp_path / "elsewhere", "SELECT 1")


_CALL = st.tuples(
    st.sampled_from(["1001", "1002", "1003", ""]),
    st.sampled_from(["一组", "二组"]),
    st.sampled_from(["13900000001", "13900000002", "13900000003"]),
    st.integers(1, 3),
    st.integers(0, 23 * 60),
    st.integers(-1, 300),
    st.sampled_from(["成功", "拒绝", "无人接听", "空号", "预约", "完成"]),
)


@settings(max_examples=12)
@given(st.lists(_CALL, min_size=1, max_size=25))
def test_parts_add_up_to_the_whole(calls: list[tuple[Any, ...]]) -> None:
    """Every additive measure: days, teams and agents each sum to the whole; what is shared is never more than the parts."""
    lines = ["通话编号,工号,班组,被叫号码,开始时间,振铃时长,通话时长,后处理时长,结果"]
    for nth, (agent, team, number, day, minute, talk, result) in enumerate(calls):
        lines.append(
            f"C{nth},{agent},{team},{number},2026-11-{day:02d} {minute // 60:02d}:{minute % 60:02d}:00,10,{talk},5,{result}"
        )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        load(folder, "\n".join(lines) + "\n")
        with reading(folder / "logs.duckdb") as connection:
            found = compute(connection, date(2026, 11, 1), date(2026, 11, 30))
    for name, measure in MEASURES.items():
        if measure.table not in ("calls", "agent_days", "reached"):
            continue
        whole = found.whole.get(name) or 0.0
        for way in ("day", "team", "agent"):
            parts = sum(sums.get(name) or 0.0 for sums in found.sums[way].values())
            if measure.table == "calls":
                assert parts == pytest.approx(whole), (name, way)
            elif name in ("called", "reached", "completed", "sold"):
                assert parts >= whole, (name, way)
    assert found.whole["dialled"] == len(calls)
