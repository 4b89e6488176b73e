from datetime import datetime
from pathlib import Path

import pytest

from qa_pipeline.errors import ManifestError, Problem
from qa_pipeline.intake.cells import PARSERS, TIMES, CellError, parse_phone, parse_seconds, parse_when
from qa_pipeline.intake.columns import CHINESE, FIELDS, recognise
from qa_pipeline.intake.folder import scan_folder
from qa_pipeline.intake.manifest import Manifest, find_manifest, read_manifest
from qa_pipeline.model import CallData, CallOutcome, CallType, HangupBy

CHINESE_CSV = (
    "工号,坐席姓名,班组,主管,录音文件,主叫号码,被叫号码,客户姓名,开始时间,接通时间,结束时间,挂机方,挂机时间,业务类型,结果,产品,试用天数,是否收费,是否投诉,坐席声道,线路,大区\n"
    "8012,王丽,一组,李强,a/1.wav,10088,139 0000-1111,陈明,"
    "2026/11/21 10:03,10:03:08,2026-11-21T10:05:00,坐席,95.5,营销,成功,天气预报,30天,是,否,左,10088,华东\n"
)
CHINESE_CALL = CallData(
    call_id="1",
    file="a/1.wav",
    agent_id="8012",
    agent_name="王丽",
    team="一组",
    supervisor="李强",
    line="10088",
    caller_number="10088",
    customer_number="13900001111",
    customer_name="陈明",
    started_at="2026-11-21T10:03:00",
    answered_at="2026-11-21T10:03:08",
    ended_at="2026-11-21T10:05:00",
    hangup_by=HangupBy.AGENT,
    hangup_at=95.5,
    call_type=CallType.SALE,
    outcome=CallOutcome.SUCCESS,
    product="天气预报",
    trial_days=30,
    charged=True,
    complaint=False,
    agent_channel=0,
    extra=(("大区", "华东"),),
)


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "manifest.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def problem(path: Path, line: int, col: int, message: str) -> Problem:
    return Problem(path=str(path), line=line, col=col, message=message)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_headers_and_values_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, CHINESE_CSV, encoding)
    assert read_manifest(path) == Manifest(calls=(CHINESE_CALL,), warnings=())


def test_tab_separated_with_windows_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path, CHINESE_CSV.replace(",", "\t").replace("\n", "\r\n"))
    assert read_manifest(path).calls == (CHINESE_CALL,)


def test_english_headers_in_any_spelling(tmp_path: Path) -> None:
    path = written(tmp_path, "File,Agent ID,HANGUP-BY,call_type\nx.wav,7,customer,confirm\n")
    expected = CallData(call_id="x", file="x.wav", agent_id="7", hangup_by=HangupBy.CUSTOMER, call_type=CallType.CONFIRM)
    assert read_manifest(path) == Manifest(calls=(expected,), warnings=())


def test_excel_types_are_read_as_what_they_mean(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["录音文件", "工号", "客户号码", "开始时间", "挂机时间(秒)", "是否收费", "试用天数", "备注"])
    sheet.append(["1.wav", 8012, 13900001111, datetime(2026, 11, 21, 10, 3), 95, True, 30.0, None])
    sheet.append([None] * 8)
    sheet.append(["2.wav", "8013", "139****2222", 46347.418750, None, False, "无", "转接"])
    book.save(tmp_path / "manifest.xlsx")
    assert read_manifest(tmp_path / "manifest.xlsx") == Manifest(
        calls=(
            CallData(
                call_id="1",
                file="1.wav",
                agent_id="8012",
                customer_number="13900001111",
                started_at="2026-11-21T10:03:00",
                hangup_at=95.0,
                charged=True,
                trial_days=30,
            ),
            CallData(
                call_id="2",
                file="2.wav",
                agent_id="8013",
                customer_number="139****2222",
                started_at="2026-11-21T10:03:00",
                charged=False,
                trial_days=0,
                extra=(("备注", "转接"),),
            ),
        ),
        warnings=(),
    )


def test_a_bad_cell_leaves_its_field_unknown_and_is_reported_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "file,started_at,hangup_by,trial_days,charged,agent_channel,customer_number,note\n"
        'a.wav,昨天,猫,一个月,也许,2,1.39E+10,"两行\n备注"\n'
        "b.wav,2026-02-30,,,,,,\n"
        "c.wav,2026-11-21 10:03,系统,0,0,1,+8613900000000,\n",
    )
    manifest = read_manifest(path)
    assert manifest.calls == (
        CallData(call_id="a", file="a.wav", extra=(("note", "两行\n备注"),)),
        CallData(call_id="b", file="b.wav"),
        CallData(
            call_id="c",
            file="c.wav",
            started_at="2026-11-21T10:03:00",
            hangup_by=HangupBy.SYSTEM,
            trial_days=0,
            charged=False,
            agent_channel=1,
            customer_number="+8613900000000",
        ),
    )
    assert [(item.line, item.col, item.message.split("：")[0]) for item in manifest.warnings] == [
        (2, 7, "customer_number"),
        (2, 2, "started_at"),
        (2, 3, "hangup_by"),
        (2, 4, "trial_days"),
        (2, 5, "charged"),
        (2, 6, "agent_channel"),
        (4, 2, "started_at"),
    ]
    assert str(manifest.warnings[5]) == f"{path}:2:6: agent_channel：“2”不是声道，应为 0（左）或 1（右）；按未知处理"


def test_rows_that_cannot_be_used_are_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "call_id,file\n"
        "1,\n"  # no file
        "2,../else.wav\n"  # leaves the folder
        "3,x.wav,surplus\n"
        ",\n"
        "4,ok.wav\n"
        "4,again.wav\n"
        "5,ok.wav\n"
        "6,/abs/ok.wav\n"
        r"7,day\1.wav" + "\n",
    )
    assert read_manifest(path) == Manifest(
        calls=(
            CallData(call_id="4", file="ok.wav"),
            CallData(call_id="5", file="ok.wav"),
            CallData(call_id="6", file="/abs/ok.wav"),
            CallData(call_id="7", file="day/1.wav"),
        ),
        warnings=(
            problem(path, 2, 2, "没有填写录音文件，本行已跳过"),
            problem(path, 3, 2, "“../else.wav”指向清单文件夹之外，本行已跳过；确需使用请填写绝对路径"),
            problem(path, 4, 3, "多出 1 列，无法确定各列含义，本行已跳过；文字里有逗号时请加英文双引号"),
            problem(path, 7, 1, "通话编号“4”与第 6 行重复，本行已跳过"),
            problem(path, 8, 2, "与第 6 行是同一个录音文件，两行都会质检"),
        ),
        left_out=4,
    )


def test_call_numbers_from_file_names_stay_unique(tmp_path: Path) -> None:
    path = written(tmp_path, "file\nd1/001.wav\nd2/001.wav\nd2/001.wav\n")
    manifest = read_manifest(path)
    assert [(call.call_id, call.file) for call in manifest.calls] == [("001", "d1/001.wav"), ("d2-001.wav", "d2/001.wav")]
    assert [item.line for item in manifest.warnings] == [3, 4]


def test_times_in_order_across_midnight(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "file,started_at,answered_at,ended_at\na.wav,2026-11-21 23:59,23:59:10,00:02\nb.wav,2026-11-21 10:00,2026-11-20 10:00,\n",
    )
    manifest = read_manifest(path)
    assert [(call.answered_at, call.ended_at) for call in manifest.calls] == [
        ("2026-11-21T23:59:10", "2026-11-22T00:02:00"),
        (None, None),
    ]
    assert [str(item) for item in manifest.warnings] == [
        f"{path}:3:3: answered_at：2026-11-20T10:00:00 早于开始时间 2026-11-21T10:00:00；按未知处理"
    ]


def test_a_clock_under_hangup_time_is_the_end_of_the_call(tmp_path: Path) -> None:
    path = written(tmp_path, "录音文件,挂机时间\na.wav,2026-11-21 10:05:00\n")
    manifest = read_manifest(path)
    assert manifest.calls == (CallData(call_id="a", file="a.wav", ended_at="2026-11-21T10:05:00"),)
    assert [(item.line, item.col) for item in manifest.warnings] == [(2, 2)]


def test_own_mapping_wins_over_the_built_in_names(tmp_path: Path) -> None:
    path = written(tmp_path, "录音文件,工号,分机,片区\n1.wav,A1,8012,东\n")
    assert read_manifest(path, {"分机": "agent_id", "片区": "extra.region"}) == Manifest(
        calls=(CallData(call_id="1", file="1.wav", agent_id="8012", extra=(("region", "东"), ("工号", "A1"))),), warnings=()
    )


def test_two_columns_of_one_field(tmp_path: Path) -> None:
    path = written(tmp_path, "file,被叫号码,客户号码\n1.wav,13900000001,13900000002\n")
    assert read_manifest(path) == Manifest(
        calls=(CallData(call_id="1", file="1.wav", customer_number="13900000001", extra=(("客户号码", "13900000002"),)),),
        warnings=(problem(path, 1, 3, "列“客户号码”与“被叫号码”都对应 customer_number，只用前者，本列按附加属性保留"),),
    )


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "清单是空的"),
        ("工号,姓名\n1,2\n".encode(), "找不到录音文件列；表头是：工号、姓名"),
        (b"\xff\xff\xff\x00", "编码不是 UTF-8、GB18030"),
        (b"PK\x03\x04abc", "这是 Excel 文件"),
        (b'file\n"' + b"x" * 200_000 + b'"\n', "清单格式有误"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, wanted: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=wanted):
        read_manifest(path)


def test_missing_and_broken_manifest_files(tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ManifestError, match="内容不是 Excel 工作簿，或者不完整"):
        read_manifest(tmp_path / "broken.xlsx")
    for name in ("none.csv", "none.xlsx"):
        with pytest.raises(ManifestError, match="找不到清单文件"):
            read_manifest(tmp_path / name)
    with pytest.raises(ManifestError, match="没有这个字段"):
        read_manifest(written(tmp_path, "file\n"), {"分机": "agent"})


def test_a_header_alone_is_no_calls(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path, "file\n")) == Manifest(calls=(), warnings=())


def test_folder_scan_is_sorted_and_takes_recordings_only(tmp_path: Path) -> None:
    for name in ("b.wav", "a.MP3", "d/2.amr", "d/1.opus", "d/e/1.wav", "notes.txt", ".hidden.wav", "b.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "c").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")  # some recorders write no ending
    (tmp_path / "README").write_text("这不是录音", encoding="utf-8")
    assert scan_folder(tmp_path) == Manifest(
        calls=(
            CallData(call_id="a", file="a.MP3"),
            CallData(call_id="b", file="b.mp3"),
            CallData(call_id="b.wav", file="b.wav"),
            CallData(call_id="c", file="c"),
            CallData(call_id="d-1", file="d/1.opus"),
            CallData(call_id="d-2", file="d/2.amr"),
            CallData(call_id="d-e-1", file="d/e/1.wav"),
        ),
        warnings=(),
    )


def test_folder_scan_of_nothing(tmp_path: Path) -> None:
    assert scan_folder(tmp_path) == Manifest(calls=(), warnings=())
    with pytest.raises(ManifestError, match="没有这个文件夹"):
        scan_folder(tmp_path / "none")


def test_find_manifest_prefers_csv(tmp_path: Path) -> None:
    assert find_manifest(tmp_path) is None
    (tmp_path / "manifest.xlsx").touch()
    assert find_manifest(tmp_path) == tmp_path / "manifest.xlsx"
    (tmp_path / "manifest.csv").touch()
    assert find_manifest(tmp_path) == tmp_path / "manifest.csv"


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2026-11-21T10:03:05", "2026-11-21T10:03:05"),
        ("2026-11-21 10:03:05.250", "2026-11-21T10:03:05"),
        ("2026/1/2 9:03", "2026-01-02T09:03:00"),
        ("2026年11月21日 10时03分", "2026-11-21T10:03:00"),
        ("２０２６－１１－２１　１０：０３", "2026-11-21T10:03:00"),
        ("20261121100305", "2026-11-21T10:03:05"),
        ("20261121", "2026-11-21"),
        ("2026.11.21", "2026-11-21"),
        ("2026-11-21T02:03:05Z", "2026-11-21T10:03:05"),
        ("2026-11-21T10:03:05+08:00", "2026-11-21T10:03:05"),
        ("2026-11-20T21:03:05-05:00", "2026-11-21T10:03:05"),
    ],
)
def test_points_in_time(cell: str, wanted: str) -> None:
    assert parse_when(cell) == wanted


@pytest.mark.parametrize("cell", ["10:03", "2026-13-01", "2026-11-21 25:00", "11/21/2026", "2026112", "明天"])
def test_what_is_not_a_point_in_time(cell: str) -> None:
    with pytest.raises(CellError):
        parse_when(cell)


def test_seconds_and_numbers() -> None:
    assert [parse_seconds(cell) for cell in ("95", 95.5, "95秒", "1分35秒", "2分钟")] == [95.0, 95.5, 95.0, 95.0, 120.0]
    assert [parse_phone(cell) for cell in (" +86 139-0000-0000", 13900000000.0, "'021-5555", '="10086"')] == [
        "+8613900000000",
        "13900000000",
        "0215555",
        "10086",
    ]
    for bad in ("10:03:20", "秒", "-3"):
        with pytest.raises(CellError):
            parse_seconds(bad)


def test_tables_name_existing_fields_only() -> None:
    assert set(CHINESE) == set(FIELDS)
    assert set(PARSERS) | set(TIMES) <= set(FIELDS)
    headers = [name for names in CHINESE.values() for name in names]
    assert len(headers) == len(set(headers))
    assert recognise(["file"], {}).fields == (("file", 0),)


def test_a_hang_up_like_a_short_clock_time_is_one_complaint(tmp_path: Path) -> None:
    """0:31 is meant as a length: nothing is said about ended_at, a column that the file does not have."""
    path = written(tmp_path, "录音文件,开始时间,挂机时间\na.wav,2026-11-21 10:03:00,0:31\nb.wav,2026-11-21 10:03:00,10:05:00\n")
    manifest = read_manifest(path)
    assert [str(problem).partition(": ")[2] for problem in manifest.warnings] == [
        "hangup_at：“0:31”不是秒数，应为录音开始后的秒数，例如 95.5 或 1分35秒；按未知处理",
        "hangup_at：“10:05:00”不是秒数，应为录音开始后的秒数，例如 95.5 或 1分35秒；按未知处理",
    ]
    assert [call.ended_at for call in manifest.calls] == [None, "2026-11-21T10:05:00"]
