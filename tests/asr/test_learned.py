"""What the built-in model has learned: the file is the one released, fits the model, and can be left out."""

from __future__ import annotations

import pytest

from qa_pipeline.asr import learned as learned_module
from qa_pipeline.asr.engines import describe_engine
from qa_pipeline.asr.learned import LEARNED_SHA256, learned
from qa_pipeline.asr.models import resolve
from qa_pipeline.asr.vocabulary import variables
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ModelError


def test_it_fits_every_linear_weight_of_the_built_in_model() -> None:
    of_model = {one.name: one.sizes for one in variables((resolve("").path / "model.bin").read_bytes()) if "/linear_" in one.name}
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
