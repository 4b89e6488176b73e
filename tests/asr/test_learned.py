"""What the built-in model has learned: the file is the one released, fits the model, and can be left out."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from qa_pipeline.asr import learned as learned_module
from qa_pipeline.asr.engines import describe_engine
from qa_pipeline.asr.learned import LEARNED_SHA256, learned
from qa_pipeline.asr.models import resolve
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ModelError


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Of the variables in a model file."""
    data = path.read_bytes()
    at = 4 + 2 + struct.unpack_from("<H", data, 4)[0] + 4
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 1 + length].decode()
        at += 2 + length
        found[name] = struct.unpack_from(f"<{data[at]}I", data, at + 1)
        at += 1 + 4 * data[at]
        at += 5 + struct.unpack_from("<BI", data, at)[1]
    return found


def test_it_fits_every_linear_weight_of_the_built_in_model() -> None:
    of_model = {name: shape for name, shape in shapes(resolve("").path / "model.bin").items() if "/linear_" in name}
    assert {name: added.shape for name, added in learned().items()} == {n: s for n, s in of_model.items() if n.endswith("weight")}


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_module, "LEARNED_SHA256", "0" * 64)
    with pytest.raises(ModelError, match=r"通话适配文件 calls\.npz 和发布时不一样"):
        learned()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (AsrSettings(device="cpu"), LEARNED_SHA256[:16]),
        (AsrSettings(device="cpu", model="whisper-base"), LEARNED_SHA256[:16]),
        (AsrSettings(device="cpu", learned=False), "none"),
        (AsrSettings(device="cpu", language="yue"), "none"),
    ],
)
def test_the_record_of_a_run_says_what_was_used(settings: AsrSettings, expected: str) -> None:
    assert dict(describe_engine(settings).options)["learned"] == expected
