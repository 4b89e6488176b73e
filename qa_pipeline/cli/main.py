"""``qa``: parses, calls, chooses the exit code. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from qa_pipeline.cli import auditing, looking, trying
from qa_pipeline.cli.asked import only_asked
from qa_pipeline.cli.common import CONTEXT, Exit, say

# Commands of their own modules: name of the group (None: the module registers its commands itself), module.
_GROUPS: tuple[tuple[str | None, str], ...] = (
    ("rules", "qa_pipeline.cli.rules"),
    ("lexicon", "qa_pipeline.cli.lexicon"),
    ("models", "qa_pipeline.cli.models"),
    (None, "qa_pipeline.cli.bench"),
    (None, "qa_pipeline.cli.casework"),
    (None, "qa_pipeline.cli.reporting"),
    (None, "qa_pipeline.cli.serve"),
)


def _version(wanted: bool) -> None:
    if wanted:
        from qa_pipeline import __version__

        print(f"qa-pipeline {__version__}")
        raise typer.Exit


def _start(
    config: Annotated[
        Path | None, typer.Option("--config", help="配置文件，默认当前文件夹的 qa.toml。", show_default=False)
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="显示版本。", callback=_version, is_eager=True)] = False,
) -> None:
    CONTEXT.config = config


def build() -> typer.Typer:
    """The whole command tree."""
    app = typer.Typer(
        name="qa",
        help="呼叫中心录音质检：录音进，有证据的评分出。第一次使用：qa demo。",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_start)
    trying.register(app)
    auditing.register(app)
    looking.register(app)
    for name, module in _GROUPS:
        if importlib.util.find_spec(module) is None:
            continue
        loaded = importlib.import_module(module)
        if name is None:
            loaded.register(app)
        else:
            app.add_typer(loaded.app, name=name)
    return app


def command(words: Collection[str] | None = None) -> Any:
    """The click command of ``qa``, in Chinese; with ``words`` only as much of it as this command line needs."""
    from qa_pipeline.cli.chinese import in_chinese

    app = build()
    return in_chinese(typer.main.get_command(app if words is None else only_asked(app, words)))


def main(argv: list[str] | None = None) -> None:
    """Entry point: runs a command and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Runs a command; every error becomes a Chinese sentence on stderr and an exit code of the interface."""
    from qa_pipeline.errors import StageError, StoreError, UserError

    CONTEXT.config = None
    CONTEXT.told.clear()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console that is not UTF-8 must not stop a run
            stream.reconfigure(errors="replace")
    try:
        code = _outcome(command(argv).main(args=argv, prog_name="qa", standalone_mode=False))
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except typer.Abort:  # Ctrl-C or Ctrl-D at a question
        say("已取消，什么也没有改动。")
        return Exit.INTERRUPTED
    except (UserError, StoreError) as error:
        say(f"错误：{error.at_the_command_line}")
        return Exit.USER
    except StageError as error:
        say(f"错误：{error}")
        return Exit.INCOMPLETE
    except BrokenPipeError:
        _close_quietly()
        return Exit.DONE
    except OSError as error:
        say(f"错误：{_system_error(error)}")
        return Exit.USER
    except Exception as error:
        if not _is_usage(error):
            raise
        return _usage(error)
    if code == Exit.INTERRUPTED:
        say("\n已中断。再运行同一条命令会接着做，已保存的不再重做。")
    return code


def _outcome(value: Any) -> int:
    return int(value) if isinstance(value, int) else Exit.DONE


def _is_usage(error: Exception) -> bool:
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _usage(error: Any) -> int:
    """A mistake on the command line, or no command at all: then the help is the answer."""
    from qa_pipeline.cli.chinese import translate_error

    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        print(context.command.get_help(context))
        return Exit.USER
    say(f"错误：{translate_error(error.format_message())}")
    if context is not None:
        say(f"用 {context.command_path} --help 查看用法。")
    return Exit.USER


def _system_error(error: OSError) -> str:
    import errno

    from qa_pipeline.errors import reason_of

    place = f"{error.filename}：" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{place}磁盘已满。请腾出空间后重新运行；已完成的结果都还在。"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{place}没有权限。请检查权限，或换一个位置。"
    if error.errno == errno.EFBIG:
        return f"{place}超过了允许的文件大小。请检查磁盘限额后重新运行；已完成的结果都还在。"
    return f"{place}{reason_of(error)}。"


def _close_quietly() -> None:
    """The reader of our output has gone (``qa export | head``); nothing is wrong."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
