"""The centre's own rule files and policy: where they lie, their versions, publishing.

The program's own rules are never changed. The first publication copies them into a folder beside the database (unless the
configuration names a folder); each publication is kept whole under ``versions/NNNN`` with who, when and why. A new version takes
the place of the old one file by file, each atomically, and only after the whole book has loaded and every example holds.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import UserError

if TYPE_CHECKING:
    from qa_pipeline.config import Settings

POLICY = "policy.yaml"
MOST_BYTES = 200_000  # of one rule file
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}\.yaml$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    number: int
    at: datetime
    by_person: str
    reason: str
    changed: tuple[str, ...]


class RuleFolder:
    """Rules, lexicons and policy in force for the pages."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = settings.rules or settings.db.resolve().parent / "rulebook" / "rules"
        self._lock = threading.Lock()

    @property
    def rules(self) -> Path:
        return self._own if self._own.is_dir() else self._settings.rules_folder()

    @property
    def lexicons(self) -> Path:
        beside = self._own.parent / "lexicons"
        if self._settings.lexicons is None and self._own.is_dir() and beside.is_dir():
            return beside
        return self._settings.lexicons_folder()

    def policy_file(self) -> Path:
        if self._settings.policy is not None:
            return self._settings.policy
        own = self._own / POLICY
        return own if own.is_file() else self._settings.policy_file()

    def settings(self) -> Settings:
        """The settings with which a judge sees this book."""
        return dataclasses.replace(self._settings, rules=self.rules, lexicons=self.lexicons, policy=self.policy_file())

    @property
    def needs_configuration(self) -> Path | None:
        """The folder that other commands do not know of yet: it has to be named in qa.toml."""
        return self._own if self._own.is_dir() and self._settings.rules is None else None

    # reading

    def files(self) -> dict[str, Path]:
        """Rule files by their name relative to the folder."""
        return {path.relative_to(self.rules).as_posix(): path for path in sorted(self.rules.rglob("*.yaml")) if path.name != POLICY}

    def policy_text(self) -> str:
        return self.policy_file().read_text(encoding="utf-8-sig")

    def versions(self) -> list[Version]:
        """Newest first."""
        found = []
        for file in sorted(self._versions.glob("*/version.json"), reverse=True):
            body = json.loads(file.read_text(encoding="utf-8"))
            found.append(
                Version(
                    number=body["number"],
                    at=datetime.fromisoformat(body["at"]),
                    by_person=body["by_person"],
                    reason=body["reason"],
                    changed=tuple(body["changed"]),
                )
            )
        return found

    def text_of(self, number: int, name: str) -> str:
        """A file of an old version, empty when it had none. ``name`` must be one that the version lists."""
        version = next((item for item in self.versions() if item.number == number), None)
        if version is None or name not in version.changed:
            raise UserError("没有这个版本。")
        file = self._versions / f"{number:04d}" / "rules" / name
        return file.read_text(encoding="utf-8-sig") if file.is_file() else ""

    # changing

    @contextmanager
    def staged(self, changes: Mapping[str, str]) -> Iterator[Settings]:
        """The settings of a copy of the book with these files changed; the copy is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="qa-rules-") as name:
            folder = Path(name)
            shutil.copytree(self.rules, folder / "rules")
            shutil.copytree(self.lexicons, folder / "lexicons")
            if not (folder / "rules" / POLICY).is_file():
                shutil.copyfile(self.policy_file(), folder / "rules" / POLICY)
            for file, text in changes.items():
                _inside(folder / "rules", file).write_text(text, encoding="utf-8")
            yield dataclasses.replace(
                self._settings, rules=folder / "rules", lexicons=folder / "lexicons", policy=folder / "rules" / POLICY
            )

    def publish(self, changes: Mapping[str, str], *, at: datetime, by_person: str, reason: str) -> Version:
        """Puts checked files in force and keeps the version. The caller has checked the book."""
        if not reason.strip():
            raise UserError("请写明这次改动的原因。")
        with self._lock:
            self._settle_in()
            number = max((version.number for version in self.versions()), default=0) + 1
            version = Version(number=number, at=at, by_person=by_person, reason=reason.strip(), changed=tuple(sorted(changes)))
            for name, text in changes.items():
                target = self.policy_file() if name == POLICY else _inside(self._own, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_suffix(".yaml.part")
                part.write_text(text, encoding="utf-8")
                part.replace(target)
            self._keep(version)
        return version

    @property
    def _versions(self) -> Path:
        return self._own.parent / "versions"

    def _settle_in(self) -> None:
        """The first publication: a folder of the centre's own, with the book as it was as version 0."""
        if self._own.is_dir():
            return
        rules, lexicons = self._settings.rules_folder(), self._settings.lexicons_folder()
        self._own.parent.mkdir(parents=True, exist_ok=True)
        if not (self._own.parent / "lexicons").is_dir():
            shutil.copytree(lexicons, self._own.parent / "lexicons")
        part = self._own.with_name("rules.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(rules, part)
        if not (part / POLICY).is_file():
            shutil.copyfile(self._settings.policy_file(), part / POLICY)
        part.replace(self._own)

    def _keep(self, version: Version) -> None:
        folder = self._versions / f"{version.number:04d}"
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(self._own, part / "rules")
        body = {
            "number": version.number,
            "at": version.at.isoformat(timespec="seconds"),
            "by_person": version.by_person,
            "reason": version.reason,
            "changed": list(version.changed),
        }
        (part / "version.json").write_text(json.dumps(body, ensure_ascii=False, indent=1), encoding="utf-8")
        part.replace(folder)


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder; a name that leads out of it is refused."""
    parts = name.split("/")
    if len(parts) > 2 or not _NAME.match(parts[-1]) or (len(parts) == 2 and not re.match(r"^[a-z0-9_-]{1,30}$", parts[0])):
        raise UserError(f"文件名“{name}”不行：用小写字母的文件夹和 字母-数字.yaml，如 a/A04.yaml。")
    return folder.joinpath(*parts)
