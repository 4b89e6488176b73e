"""Every error of the product, one tree.

``QaError`` ─ ``UserError``  the user can mend it: wrong input, file, option (exit code 2)
           ├ ``StageError``  one recording could not be processed; the batch goes on (exit code 3)
           └ ``StoreError``  the store refused: locked, full, newer schema

Messages are Chinese and say what is wrong, where, and what to do. What only helps at the command line (an option, a command, a path
of this machine) is given as ``command``: the command line says both, pages say the message alone.
"""

from __future__ import annotations

from dataclasses import dataclass


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
