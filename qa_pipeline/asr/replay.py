"""Recorded output as an engine: what was heard once is heard again, without a model. For tests, demonstrations, comparisons.

The file has one transcript a line (JSON), found by the audio's hash. ``record`` writes such files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.asr.base import ListenRequest
from qa_pipeline.errors import ConfigError, StageError, reason_of
from qa_pipeline.model import EngineInfo, Segment, Transcript

if TYPE_CHECKING:
    from qa_pipeline.intake.decode import Decoded

NAME = "replay"


class ReplayEngine:
    """See ``asr.base.Engine``. A second hearing gives the recorded segments inside the span: nothing new is heard."""

    def __init__(self, path: Path) -> None:
        self._transcripts = {transcript.audio_hash: transcript for transcript in _read(path)}
        engines = {transcript.engine for transcript in self._transcripts.values()}
        # The recorded engine made the text: with one engine in the file, its provenance is kept.
        self.info = engines.pop() if len(engines) == 1 else EngineInfo(name=NAME, model=path.name, model_hash="")

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        for decoded in items:
            recording = decoded.recording
            found = self._transcripts.get(recording.audio_hash)
            if found is None:
                raise StageError("asr", f"{recording.path}：识别记录里没有这段录音。请换用真正的识别引擎，或重新录制记录。")
            yield found

    def listen_again(self, decoded: Decoded, requests: Sequence[ListenRequest]) -> tuple[tuple[Segment, ...], ...]:
        found = self._transcripts.get(decoded.recording.audio_hash)
        segments = found.segments if found else ()
        return tuple(
            tuple(one for one in segments if one.channel == span.channel and one.start_s < span.end_s and one.end_s > span.start_s)
            for span, _ in requests
        )


def record(transcripts: Iterable[Transcript], path: Path) -> int:
    """Write transcripts for ``ReplayEngine``, sorted by audio hash; the number written. Replaces the file at once."""
    import msgspec

    rows = sorted(transcripts, key=lambda transcript: transcript.audio_hash)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    temporary.replace(path)
    return len(rows)


def _read(path: Path) -> Iterator[Transcript]:
    import msgspec

    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f'{path}：读不了识别记录（{reason_of(error)}）。engine = "replay" 时，model 要写记录文件的路径。'
        ) from None
    decoder = msgspec.json.Decoder(Transcript)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield decoder.decode(line)
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                raise ConfigError(f"{path}:{number}：不是有效的识别记录（{error}）。请重新录制。") from None
