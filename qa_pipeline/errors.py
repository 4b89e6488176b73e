"""Every error of the product, one tree.

``QaError`` ─ ``UserError``  the user can mend it: wrong input, file, option (exit code 2)
           ├ ``StageError``  one recording could not be processed; the batch goes on (exit code 3)
           └ ``StoreError``  the store refused: locked, full, newer schema

Messages are Chinese and say what is wrong, where, and what to do. What only helps at the command line (an option, a command, a path
of this machine) is given as ``command``: the command line says both, pages say the message alone.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

# What the operating system says most, in Chinese; numbers differ between systems, names do not.
_REASONS = {
    "ENOENT": "找不到文件或文件夹",
    "EACCES": "没有权限",
    "EPERM": "没有权限",
    "EROFS": "所在的磁盘只能读",
    "EISDIR": "这是文件夹，不是文件",
    "ENOTDIR": "路径中间有一段不是文件夹",
    "EEXIST": "已经有同名的文件或文件夹",
    "ENOTEMPTY": "文件夹不是空的",
    "ENAMETOOLONG": "名称太长",
    "ELOOP": "链接绕成了圈",
    "EBUSY": "正被别的程序使用",
    "ETXTBSY": "正被别的程序使用",
    "ENOSPC": "磁盘已满",
    "EDQUOT": "磁盘限额已满",
    "EFBIG": "超过了允许的文件大小",
    "EMFILE": "同时打开的文件太多",
    "ENFILE": "同时打开的文件太多",
    "ENOMEM": "内存不足",
    "EIO": "磁盘读写出错",
    "ENXIO": "没有这个设备",
    "ENODEV": "没有这个设备",
    "EINVAL": "系统不接受这个名称或操作",
    "EADDRINUSE": "地址和端口已被别的程序占用",
    "EADDRNOTAVAIL": "这台电脑没有这个地址",
    "ECONNREFUSED": "对方没有应答",
    "ECONNRESET": "连接断开",
    "EPIPE": "连接断开",
    "ETIMEDOUT": "等待超时",
    "ENETUNREACH": "网络不通",
    "EHOSTUNREACH": "网络不通",
    "ESTALE": "网络共享已断开",
    "ENOTCONN": "网络共享已断开",
}


def reason_of(error: OSError) -> str:
    """Why the system refused, in Chinese; what is not in the table is told by its number, a message without one as it is."""
    if type(error).__name__ == "gaierror":  # its numbers are not those of the other errors, and neither are those of ssl
        return "找不到这台主机"
    if type(error).__module__ == "ssl":
        return "加密连接没有建成"
    if isinstance(error, TimeoutError):
        return "等待超时"
    if not error.errno:
        return str(error)
    return _REASONS.get(errno.errorcode.get(error.errno, ""), f"系统错误 {error.errno}")


class QaError(Exception):
    """Root of all errors that the program raises on purpose."""

    def __init__(self, message: str = "", *, command: str = "") -> None:
        self.command = command
        super().__init__(message)

    @property
    def at_the_command_line(self) -> str:
        return f"{self}{self.command}"


class UserError(QaError):
    """Something the user can mend."""


class ConfigError(UserError):
    """The configuration file, an option or an environment variable is wrong."""


class ManifestError(UserError):
    """A manifest as a whole cannot be read (a bad row is only a warning)."""


class ModelError(UserError):
    """The speech model is missing, half written or not the one that was pinned."""


class CaseworkError(UserError):
    """An action that the state of a case, appeal or ledger entry does not allow."""


class ConflictError(CaseworkError):
    """Somebody else changed the same thing in the meantime; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a file of the author's: ``path:line:col: message``."""

    path: str
    line: int
    col: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col}: {self.message}"


class RuleFileError(UserError):
    """Rule, lexicon or policy files are wrong; carries every mistake of every file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class StageError(QaError):
    """One recording failed in one stage; the others go on."""

    def __init__(self, stage: str, message: str) -> None:
        self.stage = stage
        super().__init__(message)


class AudioError(StageError):
    """The recording cannot be read: missing, truncated, not audio."""

    def __init__(self, message: str) -> None:
        super().__init__("intake", message)


class StoreError(QaError):
    """The store cannot do what was asked."""


class StoreLockedError(StoreError):
    """Another process holds the database file; retried before it is raised."""
