"""The shape of an action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=4000)


class Versioned(Model):
    version: int | None = Field(None, description="看到的版本；别人改过就拒绝")


@dataclass(frozen=True, slots=True)
class Done:
    message: str
    data: dict[str, Any]


Work = Callable[["Site", "Tx", dict[str, str], Any], Done]


@dataclass(frozen=True, slots=True)
class Action:
    """``path`` under ``/do`` for forms and ``/api/v1`` for programs; ``prepare`` runs before the transaction is opened."""

    name: str
    path: str
    title: str
    model: type[Model]
    work: Work
    prepare: Callable[[Site], object] | None = None
    after: Callable[[Site], object] | None = None


class Note(Versioned):
    note: str = ""
