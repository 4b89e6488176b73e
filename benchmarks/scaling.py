"""What one call costs beside its recognition: seconds to judge and to store, rows and bytes it leaves, size of the lake.

    qa run recordings_sample --db heard.duckdb
    python -m benchmarks.scaling --heard heard.duckdb [--calls 1000] [--length 180]
    python -m benchmarks.scaling --heard heard.duckdb --recognition

Calls of the wanted length are made by joining what was really heard in the two-channel calls of a store, words and measured
levels included. They go through the same stages as in ``qa run`` after the hearing, 20 a transaction, into two stores; both
lay their tables into one lake, and one reader asks for the sums. ``--recognition`` hears the recordings of the store once
more in this process on one thread, and every span of the second listening.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from qa_pipeline.config import load_settings
from qa_pipeline.export import KINDS, Wanted
from qa_pipeline.hearing import Heard
from qa_pipeline.judge import FIRST_ONLY, open_judge
from qa_pipeline.lake import lay
from qa_pipeline.model import Acoustics, AuditRun, CallData, ChannelSpan, Recording, Segment, Transcript, Word
from qa_pipeline.pipeline import BATCH_CALLS
from qa_pipeline.speakers import converse
from qa_pipeline.store import BatchInfo, Store, open_store

AGENTS = 200
DAYS = 10
BEGIN = datetime(2026, 11, 2, 9, 0)
CENTRES = ("chengdu", "wuhan")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCall:
    call: CallData
    recording: Recording
    transcript: Transcript


def heard_calls(path: Path) -> list[HeardCall]:
    """The two-channel calls of a store, as they were heard."""
    store = open_store(path)
    found = []
    for one in store.iter_runs():
        run = store.load_run(one.conversation.call.call_id)
        if run is not None and run.transcript is not None and run.recording is not None and run.recording.channels == 2:
            found.append(HeardCall(call=run.conversation.call, recording=run.recording, transcript=run.transcript))
    return found


def long_call(parts: list[HeardCall], number: int, length_s: float) -> HeardCall:
    """Calls from the ``number``-th on, end to start, until they last ``length_s``; a call of its own with a day and an agent."""
    clock, segments, voiced, uncovered = 0.0, [], [], []
    levels: tuple[list[float], ...] = ([], [])
    pitches: tuple[list[float | None], ...] = ([], [])
    first = parts[number % len(parts)]
    for part in cycle(parts[number % len(parts) :] + parts[: number % len(parts)]):
        heard = part.transcript
        segments += [_later(item, clock) for item in heard.segments]
        voiced += [_span_later(item, clock) for item in heard.voiced]
        uncovered += [_span_later(item, clock) for item in heard.uncovered]
        assert heard.acoustics is not None
        for channel in (0, 1):
            levels[channel].extend(heard.acoustics.level_db[channel])
            pitches[channel].extend(heard.acoustics.pitch_st[channel])
        clock += heard.duration_s
        if clock >= length_s:
            break
    assert first.transcript.acoustics is not None
    acoustics = Acoustics(
        hop_s=first.transcript.acoustics.hop_s,
        level_db=(tuple(levels[0]), tuple(levels[1])),
        pitch_st=(tuple(pitches[0]), tuple(pitches[1])),
    )
    identity = hashlib.sha256(f"scaling {number}".encode()).hexdigest()
    transcript = replace(
        first.transcript,
        audio_hash=identity,
        duration_s=clock,
        segments=tuple(segments),
        voiced=tuple(voiced),
        uncovered=tuple(uncovered),
        acoustics=acoustics,
    )
    started = BEGIN + timedelta(days=number % DAYS, seconds=number // DAYS * 20)
    call = replace(
        first.call,
        call_id=f"L{number:06}",
        agent_id=str(8000 + number % AGENTS),
        started_at=started.isoformat(timespec="seconds"),
        answered_at=None,
        ended_at=None,
        hangup_at=None,
    )
    return HeardCall(call=call, recording=replace(first.recording, audio_hash=identity, duration_s=clock), transcript=transcript)


def _later(segment: Segment, by_s: float) -> Segment:
    words = tuple(_word_later(word, by_s) for word in segment.words)
    return replace(segment, start_s=segment.start_s + by_s, end_s=segment.end_s + by_s, words=words)


def _word_later(word: Word, by_s: float) -> Word:
    return replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s)


def _span_later(span: ChannelSpan, by_s: float) -> ChannelSpan:
    return replace(span, start_s=span.start_s + by_s, end_s=span.end_s + by_s)


@dataclass(slots=True, kw_only=True)
class Cost:
    """Processor seconds and counts over all calls."""

    judging_s: float = 0.0
    storing_s: float = 0.0
    calls: int = 0
    second_listening: int = 0  # calls with at least one suspicion that a second listening would have to settle


def audit_all(store: Store, calls: Iterator[HeardCall], cost: Cost) -> None:
    judge = open_judge(load_settings(environ={}), store)
    batch = BatchInfo(batch_id="scaling", started_at=BEGIN.isoformat())
    while portion := list(islice(calls, BATCH_CALLS)):
        began = time.process_time()
        runs: list[AuditRun] = []
        for one in portion:
            conversation = converse(one.call, one.recording, one.transcript)
            heard = Heard(engine=one.transcript.engine, recording=one.recording, transcript=one.transcript, path="")
            runs.append(judge(conversation, heard))
        judged = time.process_time()
        store.save(runs, batch)
        cost.judging_s += judged - began
        cost.storing_s += time.process_time() - judged
        cost.calls += len(runs)
        cost.second_listening += sum(run.provenance.rules_digest.endswith(FIRST_ONLY) for run in runs)


def tell_store(store: Store, calls: int) -> None:
    print(f"\n数据库 {store.path.stat().st_size / calls / 1024:.1f} KiB/通")
    with store.read() as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        for table in tables:
            rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            columns = [
                name
                for (name,) in connection.execute(
                    "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND data_type = 'BLOB'", [table]
                ).fetchall()
            ]
            body = connection.execute(f"SELECT sum(octet_length({columns[0]})) FROM {table}").fetchone() if columns else None
            if rows and rows[0] >= calls:
                size = f"，其中 {columns[0]} {body[0] / calls:,.0f} 字节/通" if body and body[0] else ""
                print(f"  {table:20} {rows[0] / calls:8.1f} 行/通{size}")


def tell_lake(stores: list[Store], folder: Path, calls: int) -> None:
    began = time.process_time()
    for name, store in zip(CENTRES, stores, strict=True):
        lay(store, folder, name, Wanted(kind="scores", every_verdict=True))
    print(f"\n湖：写 {(time.process_time() - began) / calls * 1000:.1f} 处理器秒/千通")
    for kind in KINDS:
        size = sum(path.stat().st_size for path in (folder / kind).rglob("*.parquet"))
        print(f"  {kind:12} {size / calls:8,.0f} 字节/通")
    import duckdb

    with duckdb.connect() as connection:
        began = time.perf_counter()
        found = connection.execute(
            f"SELECT store, count(*), sum(fine_yuan) FROM read_parquet('{folder}/scores/*/*/*.parquet', hive_partitioning = true) "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        print(f"  一条查询读两个库的得分：{found}，{time.perf_counter() - began:.3f} 秒")


def tell_recognition(path: Path) -> None:
    """Processor seconds of both listenings, by one thread."""
    from qa_pipeline.asr.engines import open_engine
    from qa_pipeline.config import AsrSettings
    from qa_pipeline.intake.decode import decode
    from qa_pipeline.store.codec import unpack

    with open_store(path).read() as connection:
        kept = [unpack(bytes(body), Transcript) for (body,) in connection.execute("SELECT body FROM transcripts").fetchall()]
        paths = dict(connection.execute("SELECT audio_hash, path FROM recordings").fetchall())
    engine = open_engine(AsrSettings(device="cpu", threads=1))
    began = time.process_time()
    audio_s = sum(one.duration_s for one in engine.transcribe_many(decode(Path(path)) for path in paths.values()))
    hearing_s = time.process_time() - began
    spans = [(one.audio_hash, dict(one.engine.options)) for one in kept if "listen_again" in dict(one.engine.options)]
    began = time.process_time()
    for audio_hash, options in spans:
        channel, _, times = options["listen_again"].partition(":")
        start, _, end = times.partition("-")
        span = ChannelSpan(channel=int(channel), start_s=float(start), end_s=float(end))
        engine.listen_again(decode(Path(paths[audio_hash])), span, tuple(options["listen_again_hotwords"].split()))
    again_s = time.process_time() - began
    print(f"{len(paths)} 通，{audio_s:.0f} 秒录音：识别 {hearing_s:.1f} 处理器秒，即每核 {audio_s / hearing_s:.1f} 倍实时")
    print(
        f"复听 {len({name for name, _ in spans})} 通的 {len(spans)} 段：{again_s:.1f} 处理器秒，每段 {again_s / len(spans):.2f} 秒"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--heard", type=Path, required=True, help="a store with calls that were really heard")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--length", type=float, default=180.0, help="seconds a call")
    parser.add_argument("--recognition", action="store_true")
    options = parser.parse_args()
    if options.recognition:
        tell_recognition(options.heard)
        return
    parts = heard_calls(options.heard)
    made = [long_call(parts, number, options.length) for number in range(options.calls)]
    length_s = sum(one.recording.duration_s for one in made) / len(made)
    words = sum(len(item.words) for one in made for item in one.transcript.segments) / len(made)
    print(f"{len(made)} 通，平均 {length_s:.0f} 秒、{words:.0f} 个词，由 {len(parts)} 通听过的电话接成")
    cost = Cost()
    with tempfile.TemporaryDirectory() as folder:
        stores = [open_store(Path(folder) / f"{name}.duckdb") for name in CENTRES]
        half = len(made) // 2
        for store, part in zip(stores, (made[:half], made[half:]), strict=True):
            audit_all(store, iter(part), cost)
        print(
            f"分角色与判定 {cost.judging_s / cost.calls * 1000:.1f} 处理器秒/千通，入库 {cost.storing_s / cost.calls * 1000:.1f} 处理器秒/千通"
        )
        print(f"要复听的 {cost.second_listening / cost.calls:.0%}")
        tell_store(stores[0], half)
        tell_lake(stores, Path(folder) / "lake", cost.calls)


if __name__ == "__main__":
    main()
