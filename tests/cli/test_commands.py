"""The commands as a user runs them: words, columns, exit codes."""

from __future__ import annotations

import csv
import io
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.cli.main import command
from qa_pipeline.resources import rules_dir, samples_dir
from tests.app.support import tone
from tests.cli.support import Qa

FINDINGS = [
    "call_id",
    "agent_id",
    "clause",
    "rule_id",
    "title",
    "verdict",
    "review",
    "role",
    "turn",
    "start_s",
    "end_s",
    "quote",
    "heard_as",
    "reason",
    "confidence",
    "points",
    "fine_yuan",
    "supervisor_fine_yuan",
    "sanction",
    "rules_digest",
    "run_id",
]
SCORES = [
    "call_id",
    "agent_id",
    "team",
    "started_at",
    "duration_s",
    "score",
    "qualified",
    "fatal",
    "violations",
    "not_evaluated",
    "fine_yuan",
    "provisional",
    "run_id",
]
TRANSCRIPTS = ["call_id", "turn", "role", "role_source", "start_s", "end_s", "text", "confidence"]


def table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return list(reader.fieldnames or []), list(reader)


def copy_calls(folder: Path, *calls: str) -> Path:
    folder.mkdir()
    lines = (samples_dir() / "manifest.csv").read_text(encoding="utf-8-sig").splitlines()
    kept = [lines[0], *(line for line in lines if line.split(",")[0] in calls)]
    (folder / "manifest.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for call in calls:
        source = next(samples_dir().glob(f"{call}.*"))
        shutil.copy(source, folder / source.name)
    return folder


def all_commands(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    children = getattr(node, "commands", {})
    below = [found for name, child in children.items() for found in all_commands(child, (*path, name))]
    return [path, *below] if path else below


@pytest.mark.parametrize("words", all_commands(command()), ids=" ".join)
def test_every_command_has_help_in_chinese(qa: Qa, words: tuple[str, ...]) -> None:
    said = qa(*words, "--help")
    assert said.code == 0
    assert f"用法： qa {' '.join(words)}" in said.out
    for english in ("Usage", "Options:", "Show this message", "Commands:"):
        assert english not in said.out


def test_no_command_shows_the_help_and_a_version_exists(qa: Qa) -> None:
    assert (qa().code, "命令：" in qa().out) == (2, True)
    assert qa("--version").out.startswith("qa-pipeline 0.")


def processor_seconds(*words: str) -> float:
    """Of one run of Python: the least of five."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def test_help_is_there_at_once() -> None:
    """Nothing heavy is imported, and of a hundred commands only the one that was asked for is made: less than three times the
    import of the command line's library alone, on a machine however slow (1.7 times measured 2026-11-30)."""
    assert processor_seconds("-m", "qa_pipeline.cli.main", "--help") < 3 * processor_seconds("-c", "import typer")
    heavy = "import sys; from qa_pipeline.cli.main import command; command(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "duckdb", "faster_whisper", "jinja2", "rich", "av", "yaml"} & set(loaded)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rum",), "没有“rum”这个命令"),
        (("run",), "还缺参数"),
        (("run", "x", "--speed", "3"), "没有 --speed 这个选项"),
        (("run", "x", "--workers", "two"), "--workers 应是整数"),
        (("run", "x", "--limit", "0"), "--limit 不能小于 1"),
        (("run", "nowhere"), "nowhere：没有这个文件夹"),
        (("run", ".", "--fail-on", "some"), "fail_on 只能是 none、any、fatal"),
        (("show", "S001"), "还没有数据库"),
        (("--config", "none.toml", "doctor"), "找不到这个配置文件"),
        (("import", "transcripts", "none.jsonl"), "none.jsonl：读不了这个文件"),
        (("eval", "none.csv"), "读不了标注文件"),
    ],
)
def test_mistakes_are_told_in_chinese_with_exit_code_2(qa: Qa, words: tuple[str, ...], message: str) -> None:
    said = qa(*words)
    assert (said.code, said.out) == (2, "")
    assert message in said.err and "Traceback" not in said.err


def test_a_run_prints_scores_and_the_exports_have_their_columns(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S010", "S013")
    said = qa("run", folder, "--db", qa.db, "--report", tmp_path / "r.html")
    assert said.code == 0
    assert "S013" in said.out and "处理 3 通" in said.err and f"结果在 {qa.db}" in said.err
    assert (tmp_path / "r.html").stat().st_size > 20_000
    for kind, columns in (("findings", FINDINGS), ("scores", SCORES), ("transcripts", TRANSCRIPTS)):
        exported = qa("export", kind, "--db", qa.db)
        assert exported.code == 0 and exported.out.startswith("\ufeff")
        assert table(exported.out)[0] == columns
    again = qa("run", folder, "--db", qa.db)
    assert "跳过已完成的 3 通" in again.err and "识别音频" not in again.err


def test_findings_carry_quote_and_seconds_and_hide_the_customer(qa: Qa, tmp_path: Path) -> None:
    qa("run", copy_calls(tmp_path / "day", "S013", "S018"), "--db", qa.db)
    _, rows = table(qa("export", "findings", "--db", qa.db).out)
    assert any(row["verdict"] == "违规" and row["quote"] and float(row["start_s"]) >= 0 for row in rows)
    _, every = table(qa("export", "findings", "--db", qa.db, "--all").out)
    assert {row["verdict"] for row in rows} <= {"违规", "无法判定"} and len(every) > len(rows)
    hidden, shown = (qa("show", "S013", "--db", qa.db, *extra).out for extra in ((), ("--show-private",)))
    assert "139****1363" in hidden and "13900001363" not in hidden and "13900001363" in shown


def test_silence_has_no_score_and_enters_no_pass_rate(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001")
    tone(folder / "silence.wav", 6, level=0.0)
    tone(folder / "moment.wav", 0.05)
    manifest = folder / "manifest.csv"
    columns = manifest.read_text(encoding="utf-8").splitlines()[0].split(",")
    known = {"call_type": "sale", "hangup_by": "customer", "started_at": "2026-11-21T10:00", "agent_id": "8012", "team": "一组"}
    rows = [
        ",".join({**known, "call_id": name, "file": f"{name}.wav"}.get(column, "") for column in columns)
        for name in ("silence", "moment")
    ]
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n".join(rows) + "\n", encoding="utf-8")
    said = qa("run", folder, "--db", qa.db, "--report", tmp_path / "r.html")
    assert said.code == 0
    shown = [line.split() for line in said.out.splitlines() if line.startswith((" silence", "silence", " moment", "moment"))]
    assert [(line[0], line[-3:-1]) for line in shown] == [("moment", ["不评分", "无法判定"]), ("silence", ["不评分", "无法判定"])]
    scores = table(qa("export", "scores", "--db", qa.db).out)[1]
    assert [(row["call_id"], row["score"], row["qualified"]) for row in scores] == [
        ("S001", "100", "true"),
        ("moment", "", ""),
        ("silence", "", ""),
    ]
    assert "无法判定，不评分   不扣款" in qa("show", "silence", "--db", qa.db).out
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<b>1</b><span>已评分通话；另有 2 通无法判定，不评分</span>" in page and "<b>1 / 1</b><span>合格</span>" in page
    team = json.loads(qa("report", "team", "--db", qa.db, "--from", "2026-11-21", "--to", "2026-11-21", "--format", "json").out)
    rows_of = [row for part in team["sections"] for row in part["rows"] if "scored" in row]
    assert [(row["team"], row["scored"], row["qualified"]) for row in rows_of][:1] == [("一组", 1, 1)], team


def test_fail_on_gives_exit_code_1(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S013")
    assert [qa("run", folder, "--db", qa.db, "--fail-on", level).code for level in ("none", "any", "fatal")] == [0, 1, 1]
    clean = copy_calls(tmp_path / "clean", "S001")
    assert qa("run", clean, "--db", tmp_path / "clean.duckdb", "--fail-on", "any").code == 0


def test_a_bad_recording_gives_exit_code_3_and_the_others_are_stored(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S010")
    (folder / "S010.wav").write_text("文字", encoding="utf-8")
    said = qa("run", folder, "--db", qa.db, "--fail-on", "any")
    assert said.code == 3
    assert "未处理 S010" in said.err and "不是可识别的录音" in said.err
    assert [row["call_id"] for row in table(qa("export", "scores", "--db", qa.db).out)[1]] == ["S001"]


def test_rows_left_out_give_exit_code_3_and_recordings_that_nobody_listed_are_told(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001")
    for name in ("b.wav", "a.wav"):
        tone(folder / name, 1)
    said = qa("run", folder, "--db", qa.db)
    assert said.code == 0
    assert "清单里没有的录音 2 个，没有处理：a.wav、b.wav。要质检请加进清单。" in said.err
    manifest = folder / "manifest.csv"
    again = manifest.read_text(encoding="utf-8").splitlines()[1]
    manifest.write_text(manifest.read_text(encoding="utf-8") + again + "\n", encoding="utf-8")
    said = qa("run", folder, "--db", qa.db)
    assert said.code == 3
    assert "通话编号“S001”与第 2 行重复，本行已跳过" in said.err and "跳过了 1 行清单（或读不了的文件夹），原因见上。" in said.err
    answer = json.loads(qa("run", folder, "--db", qa.db, "--json").out)
    assert (answer["left_out"], answer["unlisted"]) == (1, ["a.wav", "b.wav"])


def test_a_copy_of_a_recording_is_told_and_can_be_taken_out(qa: Qa, tmp_path: Path) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    for name in ("d.wav", "d(1).wav"):
        shutil.copy(samples_dir() / "S001.wav", folder / name)
    said = qa("run", folder, "--db", qa.db)
    warning = "注意：d、d(1) 是同一段录音，各自评分、扣款。多余的用 qa purge --call 通话编号 --dry-run 查看后删除。\n"
    assert said.code == 0 and said.err.endswith(warning)
    assert json.loads(qa("run", folder, "--db", qa.db, "--json").out)["same_recording"] == [["d", "d(1)"]]
    assert qa("people", "add", "admin", "管理员", "--post", "管理员", "--db", qa.db).code == 0
    purge = ("purge", "--call", "d(1)", "--as", "admin", "--db", qa.db)
    planned = qa(*purge, "--dry-run")
    assert planned.out.startswith("将删除通话 d(1)：得分 100，判定 1 次，文字 ")
    assert len(table(qa("export", "scores", "--db", qa.db).out)[1]) == 2
    done = qa(*purge, "--yes")
    assert done.code == 0 and done.out.startswith("已删除通话 d(1)：") and "凭证 R" in done.out
    assert done.err == "录音文件不动：它还在文件夹和清单里的话，下次 qa run 会再判。\n"
    for kind in ("scores", "findings", "transcripts", "penalties"):
        rows = table(qa("export", kind, "--db", qa.db, *(["--all"] if kind == "findings" else [])).out)[1]
        assert {row["call_id"] for row in rows} <= {"d"}
    (folder / "d(1).wav").unlink()
    again = qa("run", folder, "--db", qa.db)
    assert "跳过已完成的 1 通" in again.err and "注意" not in again.err
    assert qa("purge", "--call", "d(1)", "--yes", "--as", "admin", "--db", qa.db).err.startswith("错误：库里没有通话“d(1)”")


def test_json_is_for_scripts(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S013")
    said = qa("run", folder, "--db", qa.db, "--json")
    answer = json.loads(said.out)
    assert (said.err, answer["done"], answer["failed"], [row["call_id"] for row in answer["scores"]]) == (
        "",
        2,
        0,
        ["S001", "S013"],
    )
    shown = json.loads(qa("show", "S013", "--db", qa.db, "--json").out)
    assert shown["call"]["customer_number"] == "139****1363" and shown["scorecard"]["fatal"] is True


def test_the_other_formats_hold_the_same_rows(qa: Qa, tmp_path: Path) -> None:
    import duckdb
    import openpyxl

    qa("run", copy_calls(tmp_path / "day", "S001", "S013"), "--db", qa.db)
    _, rows = table(qa("export", "scores", "--db", qa.db).out)
    as_json = json.loads(qa("export", "scores", "--db", qa.db, "--format", "json").out)
    for form in ("parquet", "xlsx"):
        assert qa("export", "scores", "--db", qa.db, "--format", form, "--out", tmp_path / f"scores.{form}").code == 0
        assert "二进制文件，请用 --out" in qa("export", "scores", "--db", qa.db, "--format", form).err
    sheet = openpyxl.load_workbook(tmp_path / "scores.xlsx").active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    with duckdb.connect() as connection:
        parquet = connection.execute(f"SELECT call_id, score, fine_yuan FROM '{tmp_path}/scores.parquet' ORDER BY 1").fetchall()
    wanted = [(row["call_id"], int(row["score"]), float(row["fine_yuan"])) for row in rows]
    assert [(row["call_id"], row["score"], float(row["fine_yuan"])) for row in as_json] == wanted
    assert [(row[0], row[5], float(row[10])) for row in cells[1:]] == wanted  # type: ignore[arg-type]
    assert [(call, score, float(fine)) for call, score, fine in parquet] == wanted


def test_the_file_is_what_its_name_says(qa: Qa, tmp_path: Path) -> None:
    qa("run", copy_calls(tmp_path / "day", "S001"), "--db", qa.db)
    starts = {
        "f.xlsx": b"PK",
        "f.parquet": b"PAR1",
        "f.json": b"[",
        "f.csv": b"\xef\xbb\xbf",
        "f.CSV": b"\xef\xbb\xbf",
        "f.txt": b"\xef\xbb\xbf",
    }
    for name, start in starts.items():
        assert qa("export", "findings", "--db", qa.db, "--out", tmp_path / name).code == 0
        assert (tmp_path / name).read_bytes().startswith(start), name
    said = qa("export", "findings", "--db", qa.db, "--format", "csv", "--out", tmp_path / "g.xlsx")
    assert (said.code, said.out) == (2, "")
    assert (
        said.err == f"错误：--format csv 与文件名 {tmp_path}/g.xlsx 不一致，没有写。请去掉 --format，或把文件名改为 .csv 结尾。\n"
    )
    assert not (tmp_path / "g.xlsx").exists()
    assert qa("kpi", "problems", "--db", qa.db, "--out", tmp_path / "p.xlsx", "--format", "json").code == 2


def test_exports_by_day(qa: Qa, tmp_path: Path) -> None:
    qa("run", copy_calls(tmp_path / "day", "S001"), "--db", qa.db)
    counts = [
        len(table(qa("export", "scores", "--db", qa.db, *days).out)[1])
        for days in (("--from", "2026-11-21"), ("--to", "2026-11-21"), ("--from", "2026-11-22"), ("--to", "2026-11-20"))
    ]
    assert counts == [1, 1, 0, 0]
    assert qa("export", "scores", "--db", qa.db, "--from", "21.11.2026").code == 2
    turned = qa("export", "scores", "--db", qa.db, "--from", "2026-12-01", "--to", "2026-11-01")
    assert (turned.code, turned.out, turned.err) == (2, "", "错误：日期写反了：--from 2026-12-01 晚于 --to 2026-11-01。\n")
    lake = qa("export", "lake", "--out", tmp_path / "l", "--name", "a", "--db", qa.db, "--from", "2026-12-01", "--to", "2026-11-01")
    assert (lake.code, lake.err) == (turned.code, turned.err)
    assert "没有“all”这种导出" in qa("export", "all", "--db", qa.db).err


def test_the_same_input_gives_the_same_bytes(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S010", "S013")
    exports = []
    for name in ("one", "two"):
        qa("run", folder, "--db", tmp_path / f"{name}.duckdb")
        exports.append(
            tuple(qa("export", kind, "--db", tmp_path / f"{name}.duckdb").out for kind in ("findings", "scores", "transcripts"))
        )
    assert exports[0] == exports[1]


def test_ready_transcripts_are_judged(qa: Qa, tmp_path: Path) -> None:
    turns = [{"role": "agent", "text": "喂，什么事"}, {"role": "customer", "text": "我想退订"}]
    lines = [
        json.dumps(
            {"call_id": "T1", "call": {"agent_id": 8012, "customer_number": "13911112222", "charged": True}, "turns": turns}
        ),
        "不是 JSON",
        json.dumps({"call_id": "T2"}),
        json.dumps({"call_id": "T3", "call": {"trial_days": "一个月"}, "turns": turns}),
    ]
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    said = qa("import", "transcripts", path, "--db", qa.db)
    assert said.code == 3
    assert "calls.jsonl:2:1: 不是有效的 JSON" in said.err and "calls.jsonl:3:1: 缺少 turns" in said.err
    assert "calls.jsonl:4:1: T3：trial_days：" in said.err
    scores = table(qa("export", "scores", "--db", qa.db).out)[1]
    assert [(row["call_id"], row["agent_id"], row["duration_s"]) for row in scores] == [("T1", "8012", ""), ("T3", "", "")]


def test_an_import_tells_by_its_exit_code_what_was_left_out(qa: Qa, tmp_path: Path) -> None:
    """0 all of it, 3 some lines are missing, 2 there is nothing."""
    good = json.dumps({"call_id": "T1", "turns": [{"role": "agent", "text": "您好"}]}, ensure_ascii=False)
    other = good.replace("您好", "喂")
    path = tmp_path / "calls.jsonl"
    told = {}
    for name, lines in {
        "good": [good],
        "twice": [good, "", other],
        "null": ["null", good],
        "bad": ["{", "[]"],
        "empty": [],
    }.items():
        path.write_text("\n".join(lines), encoding="utf-8")
        said = qa("import", "transcripts", path, "--db", tmp_path / f"{name}.duckdb")
        assert "Traceback" not in said.err
        told[name] = (said.code, [line for line in said.err.splitlines() if "calls.jsonl" in line])
    missing = f'错误：{path} 里没有一通能导入。一行写一通：{{"call_id": …, "turns": [{{"role": …, "text": …}}]}}。'
    assert told == {
        "good": (0, []),
        "twice": (3, [f"{path}:3:1: 通话编号“T1”与第 1 行重复；这一行没有导入"]),
        "null": (3, [f"{path}:1:1: 缺少 turns（话轮列表）；这一行没有导入"]),
        "bad": (
            2,
            [
                f"{path}:1:2: 不是有效的 JSON；一行写一通电话；这一行没有导入",
                f"{path}:2:1: 缺少 turns（话轮列表）；这一行没有导入",
                missing,
            ],
        ),
        "empty": (2, [missing]),
    }
    assert table(qa("export", "transcripts", "--db", tmp_path / "twice.duckdb").out)[1][0]["text"] == "您好"


def test_rescore_diff_tells_and_rescore_stores(qa: Qa, tmp_path: Path) -> None:
    qa("run", copy_calls(tmp_path / "day", "S010", "S013"), "--db", qa.db)
    shutil.copytree(rules_dir(), tmp_path / "rules")
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace('case_fine: "50"', 'case_fine: "80"'), encoding="utf-8")
    same = qa("rescore", "--db", qa.db, "--diff")
    assert "没有变化" in same.out
    told = qa("rescore", "--db", qa.db, "--rules", tmp_path / "rules", "--diff")
    assert "50 → 80" in told.out and "什么也没有写入" in told.out
    as_json = json.loads(qa("rescore", "--db", qa.db, "--rules", tmp_path / "rules", "--diff", "--json").out)
    assert as_json["agents"]["8071"]["fine_after"] == "80"
    kept = qa("rescore", "--db", qa.db, "--rules", tmp_path / "rules")
    assert kept.code == 0 and f'在 qa.toml 里写 rules = "{tmp_path}/rules"' in kept.err
    assert table(qa("export", "scores", "--db", qa.db).out)[1][1]["fine_yuan"] == "80.00"


def test_a_rule_set_in_force_is_not_lost_without_a_word(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S010", "S013")
    shutil.copytree(rules_dir(), tmp_path / "mine" / "rules")
    policy = tmp_path / "mine" / "rules" / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace('case_fine: "50"', 'case_fine: "80"'), encoding="utf-8")
    qa("run", folder, "--db", qa.db)
    assert qa("rescore", "--db", qa.db, "--rules", "mine/rules").err == (
        f"重新判定 2 通，其中 2 通与以前存过的都不同，已写入 {qa.db}。\n"
        '要一直有效：在 qa.toml 里写 rules = "mine/rules"（写在所有 [段] 之前），或每次都加 --rules mine/rules。'
        "不写的话，下一次 qa run 会用自带的规则重新判定这些通话。\n"
    )
    same = qa("run", folder, "--db", qa.db, "--rules", "mine/rules")
    assert same.err.startswith("处理 0 通，跳过已完成的 2 通")
    (tmp_path / "qa.toml").write_text('rules = "mine/rules"\n', encoding="utf-8")
    assert qa("run", folder, "--db", qa.db).err.startswith("处理 0 通，跳过已完成的 2 通")
    assert "qa.toml" not in qa("rescore", "--db", qa.db, "--rules", "mine/rules").err
    (tmp_path / "qa.toml").unlink()
    lost = qa("run", folder, "--db", qa.db)
    assert lost.err.startswith(
        "注意：2 通（S010、S013）是用规则文件夹 mine/rules 判定的。这次没有写 --rules，会用自带的规则重新判定它们。\n"
        '要沿用：加上 --rules mine/rules，或在 qa.toml 里写 rules = "mine/rules"。\n'
        "处理 2 通，其中 2 通用已有转写"
    )
    assert qa("run", folder, "--db", qa.db).err.startswith("处理 0 通，跳过已完成的 2 通")


def test_the_difference_names_clauses_that_cost_nothing(qa: Qa, tmp_path: Path) -> None:
    qa("run", copy_calls(tmp_path / "day", "S010", "S013"), "--db", qa.db)
    shutil.copytree(rules_dir(), tmp_path / "rules")
    assert qa("rules", "new", "X01", "--out", tmp_path / "rules" / "x" / "X01.yaml").code == 0
    rule = tmp_path / "rules" / "x" / "X01.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("(请|麻烦)~2示例违规说法", "您好"), encoding="utf-8")
    told = qa("rescore", "--db", qa.db, "--rules", tmp_path / "rules", "--diff")
    assert told.out.splitlines()[-2] == "政策文件（policy.yaml 的 clauses）里没有 X01：新增的违规照记，但不扣分、不扣款。"
    as_json = json.loads(qa("rescore", "--db", qa.db, "--rules", tmp_path / "rules", "--diff", "--json").out)
    assert as_json["unpriced"] == ["X01"]


def test_a_clause_stands_under_one_heading(qa: Qa, tmp_path: Path) -> None:
    qa("run", samples_dir(), "--db", qa.db)
    for call in (row["call_id"] for row in table(qa("export", "scores", "--db", qa.db).out)[1]):
        lines = qa("show", call, "--db", qa.db).out.splitlines()
        violated = {line.split()[1] for line in lines if line.strip().startswith("▲")}
        unjudged = (
            [line.split()[0] for line in lines[lines.index("无法判定：") + 1 :] if line.startswith("  ")]
            if "无法判定：" in lines
            else []
        )
        clear, skipped = (
            next(line for line in lines if line.startswith(name)).removeprefix(name).split() for name in ("合规：", "不适用：")
        )
        said = [*violated, *unjudged, *clear, *skipped]
        assert len(said) == len(set(said)), call


def test_a_typo_in_a_rule_is_told_with_its_place(qa: Qa, tmp_path: Path) -> None:
    shutil.copytree(rules_dir(), tmp_path / "rules")
    rule = tmp_path / "rules" / "a" / "A06.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("title:", "titel:", 1), encoding="utf-8")
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("base_score:", "base_skore:", 1), encoding="utf-8")
    said = qa("run", copy_calls(tmp_path / "day", "S001"), "--db", qa.db, "--rules", tmp_path / "rules")
    assert said.code == 2
    assert "A06.yaml:" in said.err and "titel" in said.err and "policy.yaml:" in said.err and "base_skore" in said.err


def test_evaluation_of_the_samples(qa: Qa, tmp_path: Path) -> None:
    qa("run", samples_dir(), "--db", qa.db)
    said = qa("eval", samples_dir() / "labels.csv", "--db", qa.db)
    assert said.code == 0
    assert "合计" in said.out and "标注 28 通" in said.out and "角色正确率" in said.out and "字错率 0.0%" in said.out
    answer = json.loads(qa("eval", samples_dir() / "labels.csv", "--db", qa.db, "--json").out)
    counts = answer["overall"]
    assert counts["true_positive"] + counts["false_negative"] == sum(
        1 for row in csv.DictReader((samples_dir() / "labels.csv").open(encoding="utf-8-sig")) if row["expected"] == "违规"
    )
    assert answer["role_accuracy"] > 0.95


def test_a_store_lays_its_tables_into_a_lake(qa: Qa, tmp_path: Path) -> None:
    assert qa("run", copy_calls(tmp_path / "day", "S004"), "--db", qa.db).code == 0
    refused = qa("export", "lake", "--db", qa.db)
    assert refused.code == 2 and "要写明 --out 文件夹 和 --name 库名" in refused.err
    done = qa("export", "lake", "--db", qa.db, "--out", tmp_path / "lake", "--name", "成都")
    assert done.code == 0 and "scores 1 行" in done.err
    assert (tmp_path / "lake/scores/day=2026-11-21/store=成都/rows.parquet").is_file()


def test_the_morning_hears_and_judges_as_a_run_does(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S010")
    (row,) = csv.DictReader((folder / "manifest.csv").read_text(encoding="utf-8").splitlines())
    assert qa("people", "add", "admin", "管理员", "--post", "管理员", "--db", qa.db).code == 0
    assert qa("people", "add", "lead", "方敏", "--post", "质检组长", "--as", "admin", "--db", qa.db).code == 0
    done = qa("day", row["started_at"][:10], folder, "--all", "--as", "lead", "--db", qa.db, "--sheet", tmp_path / "s.md")
    assert done.code == 0, done.err
    run = tmp_path / "run.duckdb"
    assert qa("run", folder, "--db", run).code == 0
    of_day, of_run = qa("export", "findings", "--db", qa.db).out, qa("export", "findings", "--db", run).out
    assert of_day == of_run
    assert "复听后仍没有听到" in of_day


def test_the_commands_that_the_demo_prints_can_be_pasted(qa: Qa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After make demo nobody has activated .venv: the path is printed; ``qa`` alone where the shell finds this very program."""
    script = tmp_path / "my venv" / "bin" / "qa"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m qa_pipeline.cli.main \"$@\"\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", ["my venv/bin/qa", "demo"])
    said = qa("demo", "--out", tmp_path / "a folder")
    shown, exported = (line.partition("：")[2].strip() for line in said.err.splitlines()[-2:])
    assert (shown, exported) == (
        f"'my venv/bin/qa' show S002 --db '{tmp_path}/a folder/qa.duckdb'",
        f"'my venv/bin/qa' export findings --db '{tmp_path}/a folder/qa.duckdb' --out findings.csv",
    )
    assert "S002" in subprocess.run(shown, shell=True, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    assert qa("demo", "--out", tmp_path / "a folder").err.splitlines()[-2].startswith("看一通电话：qa show S002 ")


def test_labels_as_people_write_them(qa: Qa, tmp_path: Path) -> None:
    """GBK, clauses in another case; an unknown clause, or no call in common, is refused with what to do."""
    qa("run", copy_calls(tmp_path / "day", "S001", "S002"), "--db", qa.db)
    labels = tmp_path / "labels.csv"
    labels.write_bytes("call_id,clause,expected\nS002,b4,违规\nS002,B4,违规\nS001,A14,违规\n".encode("gbk"))
    said = qa("eval", labels, "--db", qa.db)
    assert said.code == 0, said.err
    missed = [line for line in said.out.splitlines() if "漏判" in line and "S001" in line]
    assert len(missed) == 1 and missed[0].startswith("  漏判 S001 A14：") and not missed[0].endswith("：")
    answer = json.loads(qa("eval", labels, "--db", qa.db, "--json").out)
    assert answer["clauses"]["B4"]["true_positive"] == 1 and "b4" not in answer["clauses"]
    labels.write_text("call_id,clause,expected\nS002,A06,违规\nS002,Q9,违规\nS001,M99,违规\n", encoding="utf-8")
    said = qa("eval", labels, "--db", qa.db)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"错误：{labels}:3: 没有“Q9”这个条款\n{labels}:4: 没有“M99”这个条款\n可用：A01、A02、")
    labels.write_text("call_id,clause,expected\nX1,B4,违规\n", encoding="utf-8")
    assert qa("eval", labels, "--db", qa.db).err == (
        f"错误：标注的 1 通（X1）都不在库 {qa.db} 里，没有可以评估的。请先用 qa run 处理，或核对 call_id；库里的通话编号见 qa export scores。\n"
    )


def test_today_without_people_says_how_to_begin(qa: Qa) -> None:
    assert qa("people", "list", "--db", qa.db).code == 2  # no store yet
    qa("people", "add", "admin", "管理员", "--post", "管理员", "--db", qa.db)
    assert qa("today", "--db", qa.db).code == 0
    assert qa("today", "--as", "x", "--db", qa.db).err == "错误：没有编号为“x”的在岗人员。用 qa people list 查看。\n"
    from qa_pipeline.store import open_store

    empty = qa.db.with_name("empty.duckdb")
    with open_store(empty).write():
        pass
    said = qa("today", "--db", empty)
    assert (said.code, said.err) == (2, "错误：还没有任何人员。第一个人是管理员：qa people add admin 管理员 --post 管理员。\n")


def test_the_examples_come_with_the_program(qa: Qa, tmp_path: Path) -> None:
    names = ["examples/working_month/README.md", "examples/working_month/calls.jsonl"]
    assert qa("examples").out.splitlines() == names
    assert qa("examples").out.splitlines() == names  # once more is harmless
    (tmp_path / names[1]).write_text("我的", encoding="utf-8")
    said = qa("examples")
    assert (said.code, said.err) == (2, f"错误：{names[1]} 已经有了，而且改动过，没有覆盖。请换一个文件夹，或先移走它。\n")
    assert qa("examples", "elsewhere").out.splitlines() == [f"elsewhere/{name}" for name in names]
