"""Settings: file < environment < command line; every mistake names its place."""

from pathlib import Path

import pytest

from qa_pipeline.config import VARIABLES, AsrSettings, Settings, explained, load_settings, unused_variables
from qa_pipeline.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "qa.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}) == Settings()


def test_file_environment_command_line_in_rising_order(tmp_path: Path) -> None:
    path = write(tmp_path, 'db = "a.duckdb"\n[asr]\nworkers = 2\nthreads = 3\nbatch = 4\n[manifest.columns]\n"录音文件" = "file"\n')
    settings = load_settings(path, environ={"QA_ASR_THREADS": "5", "QA_ASR_BATCH": "6"}, overrides={"asr.batch": 7, "db": None})
    assert settings.db == Path("a.duckdb")
    assert settings.asr == AsrSettings(workers=2, threads=5, batch=7)
    assert settings.manifest.columns == {"录音文件": "file"}


def test_the_file_is_found_in_the_current_folder_and_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'fail_on = "any"\n')
    other = tmp_path / "other.toml"
    other.write_text('fail_on = "fatal"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}).fail_on == "any"
    assert load_settings(environ={"QA_CONFIG": str(other)}).fail_on == "fatal"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dbb = 1\n", "qa.toml:1：不认识的设置“dbb”。是不是“db”？可用：asr、cache、"),
        ("workers = 1\n", "qa.toml:1：不认识的设置“workers”。是不是 [asr] 里的“workers”？可用："),
        ("second_listning = true\n", "qa.toml:1：不认识的设置“second_listning”。是不是“second_listening”？可用："),
        ("[asr]\nbatch = 1\nworker = 2\n", "qa.toml:3：不认识的设置“asr.worker”"),
        ("[asr]\n\nbatch = '5'\n", "qa.toml:3：“asr.batch”应是整数"),
        ("[asr]\nworkers = -1\n", "qa.toml:2：“asr.workers”不能是负数"),
        ("asr = 3\n", "qa.toml:1：“asr”应是一节"),
        ("cache = 1\n", "qa.toml:1：“cache”应是 true 或 false"),
        ("db = \n", "不是有效的 TOML"),
        ("[manifest]\ncolumns = {a = 1}\n", "对照表"),
        ('fail_on = "some"\n', "fail_on 只能是 none、any、fatal"),
    ],
)
def test_mistakes_name_file_line_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={})
    assert message in str(caught.value)


def test_mistakes_in_the_environment_name_the_variable(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    with pytest.raises(ConfigError, match="QA_ASR_WORKERS 应是整数"):
        load_settings(path, environ={"QA_ASR_WORKERS": "two"})
    with pytest.raises(ConfigError, match="QA_CACHE 只能是 true 或 false"):
        load_settings(path, environ={"QA_CACHE": "maybe"})
    assert load_settings(path, environ={"QA_CACHE": "no", "QA_RULES": "r"}).rules == Path("r")


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="找不到这个配置文件"):
        load_settings(tmp_path / "none.toml", environ={})


def test_own_rules_bring_their_lexicons_and_policy(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "rules" / "policy.yaml").write_text("", encoding="utf-8")
    settings = Settings(rules=tmp_path / "rules")
    assert settings.lexicons_folder() == tmp_path / "lexicons"
    assert settings.policy_file() == tmp_path / "rules" / "policy.yaml"
    assert Settings(rules=tmp_path).policy_file() == Settings().policy_file()


def test_every_setting_is_explained_with_its_variable_and_default() -> None:
    told = {one.name: (one.variable, one.default) for one in explained()}
    assert all(one.text.endswith("。") for one in explained())
    assert [told[name] for name in ("db", "rules", "cache", "asr.workers", "manifest.columns", "output.folder", "web.port")] == [
        ("QA_DB", "qa-out/qa.duckdb"),
        ("QA_RULES", ""),
        ("QA_CACHE", "true"),
        ("QA_ASR_WORKERS", "0"),
        ("", ""),
        ("QA_OUTPUT_FOLDER", "qa-out"),
        ("QA_WEB_PORT", "8000"),
    ]
    for name, (variable, default) in told.items():
        if variable and default:
            assert load_settings(environ={variable: default}) == Settings(), name


def test_a_variable_that_was_meant_as_a_setting_is_found() -> None:
    env = {"QA_WORKERS": "abc", "QA_ASR_WORKRS": "2", "QA_ASR_WORKERS": "2", "QA_GOLDEN": "write", "QA_TEAM": "x", "PATH": "/bin"}
    assert unused_variables(env | dict.fromkeys(VARIABLES, "x")) == (
        ("QA_ASR_WORKRS", "QA_ASR_WORKERS"),
        ("QA_WORKERS", "QA_ASR_WORKERS"),
    )
