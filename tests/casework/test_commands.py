"""Casework by command line: what is refused, told in Chinese with the exit code of the interface; JSON where scripts want it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from casework_make import Centre, finding

from qa_pipeline.cli.main import command, run

AT = ("--at", "2026-11-02T18:00")


@pytest.fixture
def quiet(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Centre:
    monkeypatch.setenv("QA_DB", str(centre.store.path))
    monkeypatch.delenv("QA_PERSON", raising=False)
    return centre


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["cases"], "--as"),
        (["cases", "--as", "nobody"], "没有编号为“nobody”的人员"),
        (["cases", "--as", "lead", "--state", "忙"], "工单没有“忙”这个状态"),
        (["cases", "--as", "a1001"], "没有这个权限"),
        (["case", "show", "K1", "--as", "qa1"], "没有工单 K1"),
        (["review", "reject", "K20261102-0001", "A04", "--as", "qa1"], "写明原因"),
        (["review", "confirm", "K20261102-0001", "A99", "--as", "qa1"], "写的是“A99”，可用：A04"),
        (["review", "role", "K20261102-0001", "0", "boss", "--as", "qa1"], "角色只能是"),
        (["review", "finish", "K20261102-0001", "--as", "qa2"], "分给了 qa1，不是您"),
        (
            ["review", "confirm", "K20261102-0001", "A04", "--as", "qa1", "--version", "1"],
            "方组长 09:01 分给您自己。请刷新后再操作",
        ),
        (["ledger", "close", "2026-11", "--as", "lead"], "还没有过完"),
        (["sample", "--date", "昨天", "--as", "lead"], "日期“昨天”看不懂"),
        (["sample", "--date", "2026-10-01", "--as", "lead"], "没有有效录音可抽"),
        (["rates", "--by", "city", "--as", "lead"], "合格率只能按 agent（坐席）、team（班组）或 all（合计）统计，写的是“city”"),
        (["rates", "--from", "2026-12-01", "--to", "2026-11-01", "--as", "lead"], "--from 2026-12-01 晚于 --to 2026-11-01"),
        (["ledger", "show", "--month", "2026-13", "--as", "lead"], "月份写成 2026-11 这样，写的是“2026-13”"),
        (["ledger", "show", "--month", "", "--as", "lead"], "月份写成 2026-11 这样，写的是“”"),
        (["ledger", "entries", "--month", "xx", "--as", "lead"], "月份写成 2026-11 这样，写的是“xx”"),
        (["appeal", "list", "--state", "胡说", "--as", "lead"], "申诉没有“胡说”这个状态。可用：待班组长意见、"),
        (["review", "role", "K20261102-0001", "0", "agent", "--as", "qa1"], "没有第 0 轮：话轮从 1 数起"),
        (["review", "text", "K20261102-0001", "4", "好", "--as", "qa1"], "没有第 4 轮，共 3 轮"),
        (["review", "text", "K20261102-0001", "1", " ", "--as", "qa1"], "第 1 轮的文字是空的，没有改动"),
        (["review", "add", "K20261102-0001", "A04", "--turn", "0", "--reason", "x", "--as", "qa1"], "话轮从 1 数起"),
        (["review", "add", "K20261102-0001", "A04", "--turn", "4", "--reason", "x", "--as", "qa1"], "没有第 4 轮，共 3 轮"),
        (["followup", "callbacks", "--show-private", "--as", "chief9"], "没有这个权限：需要质检员、质检组长、经理"),
        (["day", "2026-11-02", "--as", "lead"], "请给出录音文件夹"),
        (["purge", "--as", "boss"], "--dry-run"),
        (["people", "add", "x", "新人", "--post", "质检员"], "第一个人必须是管理员"),
        (["people", "add", "x", "新人", "--post", "管理员"], "人员已经建好"),
        (["settings", "set", "appeal_days", "三", "--as", "boss"], "应是整数"),
        (["today", "--as", "nobody"], "没有编号为“nobody”"),
        (["appeal", "file", "K20261102-0001", "A04", "--reason", "x", "--as", "a1001"], "还没有完成复核"),
        (["simulate-month"], "已经存在"),
    ],
)
def test_refusals(quiet: Centre, capsys: pytest.CaptureFixture[str], argv: list[str], told: str) -> None:
    from qa_pipeline.casework import people
    from qa_pipeline.casework.values import Person, Post

    quiet.case(finding("A04"))
    with quiet.act("admin") as tx:
        people.save_person(tx, Person(person_id="chief9", name="韩青", posts=(Post.TEAM_LEADER,), team="一组"))
    timed = argv if argv[0] in ("people", "simulate-month") else [*argv, *AT]
    code = run(timed)
    said = capsys.readouterr()
    assert code == 2
    assert told in said.err
    assert said.out == ""


def test_eval_without_labels_goes_by_the_reviews(quiet: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval"]) == 0
    assert "还没有完成的复核" in capsys.readouterr().out
    quiet.done(finding("A04"), confirm=("A04",))
    quiet.done(finding("A04"))
    quiet.done(finding("A06"), confirm=("A06",))
    assert run(["eval", "--json"]) == 0
    found = {item["clause"]: item for item in json.loads(capsys.readouterr().out)["clauses"]}
    assert [(name, item["confirmed"], item["rejected"]) for name, item in found.items()] == [("A04", 1, 1), ("A06", 1, 0)]
    assert run(["eval"]) == 0
    by_eval = capsys.readouterr().out
    assert run(["calibrate", "--as", "lead", *AT]) == 0
    assert capsys.readouterr().out == by_eval
    assert "50.0%" in by_eval


def test_every_argument_is_explained_in_chinese() -> None:
    found = []

    def walk(part: Any, words: tuple[str, ...]) -> None:
        for name, child in getattr(part, "commands", {}).items():
            walk(child, (*words, name))
        arguments = [item for item in getattr(part, "params", ()) if item.param_type_name == "argument"]
        found.extend((words, item.name, item.help or "") for item in arguments)

    walk(command(), ())
    assert ("settings", "set") in {words for words, _, _ in found}
    assert [(words, name) for words, name, told in found if not re.search("[一-龥]", told)] == []


def test_a_bad_time_and_a_missing_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["today", "--db", str(tmp_path / "none.duckdb")]) == 2
    assert "还没有数据库" in capsys.readouterr().err
    assert not (tmp_path / "none.duckdb").exists()


def test_json(quiet: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    case = quiet.case(finding("A04"))

    def answer(*argv: str) -> object:
        assert run([*argv, "--json", *AT]) == 0
        return json.loads(capsys.readouterr().out)

    shown = answer("case", "show", case.case_id, "--as", "qa1")
    assert isinstance(shown, dict)
    assert shown["findings"] == [
        {
            "finding": "A04",
            "clause": "A04",
            "title": "服务忌语",
            "reason": "服务忌语的理由",
            "quote": "A04 的原话0",
            "turn": 0,
            "start_s": 3.0,
            "end_s": 5.0,
            "decision": None,
            "manual": False,
            "advice": False,
        }
    ]
    assert shown["dues"][0]["amount"] == {"points": 10, "yuan": "10"}
    listed = answer("cases", "--as", "lead")
    assert isinstance(listed, list)
    assert [(item["case_id"], item["state"], item["version"]) for item in listed] == [(case.case_id, "待复核", 2)]
    assert answer("today", "--as", "qa1") == [
        {
            "person": "qa1",
            "waiting": [{"what": "工单待复核", "things": [case.case_id], "overdue": 0, "command": "qa case show 工单编号"}],
        }
    ]
    for argv in (
        ("ledger", "show", "--as", "lead"),
        ("ledger", "entries", "--as", "lead"),
        ("calibrate", "--as", "lead"),
        ("rates", "--as", "lead"),
        ("followup", "recheck", "--as", "lead"),
        ("followup", "callbacks", "--as", "lead"),
        ("followup", "confirmations", "--as", "lead"),
        ("complaint", "list", "--as", "lead"),
        ("appeal", "list", "--as", "lead"),
        ("sanction", "list", "--as", "lead"),
        ("purge", "--dry-run", "--as", "boss"),
        ("log", "--as", "admin"),
    ):
        assert answer(*argv) is not None


SECRETS = ("13900000001", "赵小满")


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_customers_are_masked_until_asked_for_and_that_is_logged(
    quiet: Centre, capsys: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    from qa_pipeline.casework import complaints

    trial = {"trial_days": 30, "charged": True}
    case = quiet.done(finding("C1", quote="赵小满先生，您的电话是13900000001"), confirm=("C1",), **trial)
    got = complaints.Received(customer_number=SECRETS[0], content=f"打我 {SECRETS[0]} 推销", received_at=quiet.now)
    with quiet.act("qa1") as tx:
        complaints.register(tx, got)
    for words, what in (
        (("case", "show", case.case_id), "工单，客户号码和姓名全文"),
        (("followup", "callbacks"), "回访名单，客户号码全文"),
        (("followup", "confirmations"), "二次确认名单，客户号码全文"),
        (("complaint", "list"), "投诉登记簿，客户号码全文"),
    ):
        command_line = [*words, *form, "--as", "qa1", *AT]
        assert run(command_line) == 0
        hidden = capsys.readouterr().out
        assert run([*command_line, "--show-private"]) == 0
        shown = capsys.readouterr().out
        assert "139****0001" in hidden and SECRETS[0] in shown, words
        assert not any(secret in hidden for secret in SECRETS), words
        with quiet.store.read() as connection:
            logged = connection.execute("SELECT person_id, action, detail FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
        assert logged == ("qa1", "access", json.dumps({"what": what}, ensure_ascii=False))


def test_the_setting_shows_numbers_to_those_who_may_see_them(
    quiet: Centre, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qa_pipeline.casework import people
    from qa_pipeline.casework.values import Person, Post

    monkeypatch.setenv("QA_OUTPUT_SHOW_PRIVATE", "true")
    quiet.done(finding("C1"), confirm=("C1",))
    with quiet.act("admin") as tx:
        people.save_person(tx, Person(person_id="chief9", name="韩青", posts=(Post.TEAM_LEADER,), team="一组"))
    for person, number in (("qa1", "13900000001"), ("chief9", "139****0001")):
        assert run(["followup", "callbacks", "--as", person, *AT]) == 0
        assert number in capsys.readouterr().out


def test_the_turn_that_is_shown_is_the_turn_that_is_corrected(quiet: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    case = quiet.case(finding("A04", turn=2))
    assert run(["case", "show", case.case_id, "--as", "qa1", *AT]) == 0
    assert "第 3 轮" in capsys.readouterr().out
    assert run(["show", case.call_id]) == 0
    assert "  3 [00:08] 坐席\t再见" in capsys.readouterr().out.splitlines()
    assert run(["rules", "explain", case.call_id, "A02"]) == 0
    assert "第 3 轮，0:08.0–0:11.5，“再见”" in capsys.readouterr().out
    assert run(["review", "add", case.case_id, "A04", "--turn", "3", "--reason", "机器漏了", "--as", "qa1", *AT]) == 0
    assert run(["review", "text", case.case_id, "3", "再会", "--as", "qa1", *AT]) == 0
    assert run(["review", "role", case.case_id, "2", "agent", "--as", "qa1", *AT]) == 0
    with quiet.store.read() as connection:
        kept = connection.execute("SELECT turn, field, before, after FROM corrections ORDER BY seq").fetchall()
        (body,) = connection.execute("SELECT body FROM manual_findings").fetchone() or ("",)
    assert kept == [(2, "text", "再见", "再会"), (1, "role", "customer", "agent")]
    assert json.loads(body)["evidence"][0]["quote"] == "再见"


def test_blind_reviews_stay_blind(quiet: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    from qa_pipeline.casework import assigning, cases
    from qa_pipeline.casework.cases import Opening
    from qa_pipeline.casework.values import CaseKind

    case = quiet.done(finding("A04"), confirm=("A04",))
    with quiet.act("lead") as tx:
        blind = cases.open_case(tx, Opening(call_id=case.call_id, reason="盲评", kind=CaseKind.BLIND, pair_of=case.case_id))
        assigning.assign(tx, blind.case_id, "qa2")
    assert run(["case", "show", case.case_id, "--as", "qa2", *AT]) == 2
    assert "互相看不到" in capsys.readouterr().err
    assert run(["cases", "--as", "qa2", "--json", *AT]) == 0
    assert [item["case_id"] for item in json.loads(capsys.readouterr().out)] == [blind.case_id]
