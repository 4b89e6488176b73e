"""The smaller model: which tokens it keeps, and that its files are those of the whole one but for the rows left out."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from qa_pipeline.asr.models import LocalModel, made_from
from qa_pipeline.asr.vocabulary import Numbers, can_be_trimmed, numbers_of, spoken_in_chinese, trim


@pytest.mark.parametrize("token", ["æĺ¯", "Ġæĺ¯", "é³", "§ī", "A", "VIP", "ĠAPP", "10086", "ãĢĤ", "<|zh|>", "<|0.00|>", "Ð", ""])
def test_chinese_figures_marks_bytes_and_abbreviations_are_kept(token: str) -> None:
    assert spoken_in_chinese(token)


@pytest.mark.parametrize("token", ["Ġsomething", "Text", "Ð¾", "ìĿ´", "ãģ®", "ÅĽciÄħ"])
def test_words_of_other_languages_are_not(token: str) -> None:
    assert not spoken_in_chinese(token)


def test_numbers_lead_there_and_back_and_what_is_missing_is_spelled() -> None:
    numbers = Numbers(("a", "b", "abba", "<|zh|>"), (0, 1, 3))
    assert numbers.new([3, 2, 0]) == [2, 0, 1, 1, 0, 0]
    assert numbers.old([2, 0]) == [3, 0]
    assert numbers.kept([3, 2]) == [2]
    assert (Numbers().new([7]), Numbers().old((7,)), Numbers().kept([7])) == ([7], [7], [7])


def variable(name: str, values: np.ndarray) -> bytes:
    sizes = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
    kind = 4 if values.dtype == np.float16 else 0
    return text(name) + sizes + struct.pack("<BI", kind, values.nbytes) + values.tobytes()


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def model(*variables: tuple[str, np.ndarray], version: int = 6) -> bytes:
    head = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    return head + b"".join(variable(*one) for one in variables) + struct.pack("<I", 1) + text("other") + text("name")


TOKENS = ["a", "Ġsomething", "æĺ¯", "<|zh|>"]


def written(folder: Path, weights: bytes) -> Path:
    (folder / "model.bin").write_bytes(weights)
    (folder / "vocabulary.json").write_text(json.dumps(TOKENS))
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [1, 2], "lang_ids": [3], "alignment_heads": [[3, 1]]}))
    return folder


def test_rows_of_tokens_that_are_not_kept_are_left_out_and_all_else_stays(tmp_path: Path) -> None:
    embeddings, scales = np.arange(8, dtype=np.float16).reshape(4, 2), np.arange(4, dtype=np.float32)
    others = ("encoder/conv/weight", np.ones((4, 3), np.float32)), ("decoder/alignment_layer", np.array(5, np.int16))
    words = "decoder/embeddings/weight", "decoder/embeddings/weight_scale"
    folder, smaller = written(tmp_path, model((words[0], embeddings), (words[1], scales), *others)), tmp_path / "smaller"
    smaller.mkdir()
    assert can_be_trimmed(folder)
    trim(folder, smaller)
    assert numbers_of(folder, smaller).old([0, 1, 2]) == [0, 2, 3]
    rows = [0, 2, 3]
    assert (smaller / "model.bin").read_bytes() == model((words[0], embeddings[rows]), (words[1], scales[rows]), *others)
    assert json.loads((smaller / "vocabulary.json").read_text()) == ["a", "æĺ¯", "<|zh|>"]
    assert json.loads((smaller / "config.json").read_text()) == {
        "suppress_ids": [1],
        "lang_ids": [2],
        "alignment_heads": [[3, 1]],
    }


def test_what_was_learned_is_added_to_the_weights_of_that_name(tmp_path: Path) -> None:
    weights, others = np.array([[1.0, 2.0]], np.float16), np.ones((2, 2), np.float16)
    folder, smaller = written(tmp_path, model(("layer/a", weights), ("layer/b", others))), tmp_path / "smaller"
    smaller.mkdir()
    trim(folder, smaller, {"layer/a": np.array([[0.5, -1.0]], np.float32)})
    assert (smaller / "model.bin").read_bytes() == model(("layer/a", np.array([[1.5, 1.0]], np.float16)), ("layer/b", others))
    with pytest.raises(KeyError, match="layer/c"):
        trim(folder, smaller, {"layer/c": np.zeros((1, 2), np.float32)})


def test_a_model_of_another_format_is_left_as_it_is(tmp_path: Path) -> None:
    assert not can_be_trimmed(written(tmp_path, model(version=7)))


def test_what_is_made_from_a_model_is_made_once_and_without_a_place_for_one_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def make(folder: Path, target: Path) -> None:
        made.append(target)
        (target / "new").write_text(folder.name)

    source = LocalModel(name="m", path=tmp_path / "source", sha256="0123456789abcdef0")
    monkeypatch.setenv("QA_MODEL_DIR", str(tmp_path / "models"))
    for _ in range(2):
        with made_from(source, "kind", make) as folder:
            assert (folder.name, (folder / "new").read_text()) == (".kind-0123456789abcdef", "source")
    assert len(made) == 1
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QA_MODEL_DIR", str(tmp_path / "file" / "models"))
    with made_from(source, "kind", make) as folder:
        assert (folder / "new").is_file()
    assert not folder.exists()
