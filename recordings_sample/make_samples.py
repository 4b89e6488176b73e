"""Render call scripts (YAML) to telephone recordings with a manifest, the truth and the labels.

    python make_samples.py --scripts scripts.yaml --out .

Needs the packages of requirements-tts.txt; see README.md. The product itself never imports this.
"""

import argparse
import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from spoken_text import speak_as
from telephone import AudioSpec, Placed, hold_music, record, seeded, write

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from voices import VOICES, Synthesiser  # after the line above: TensorFlow reads its log level when it is imported

MANIFEST_COLUMNS = (
    *("call_id", "file", "agent_id", "agent_name", "team", "supervisor", "line", "caller_number", "customer_number"),
    *("customer_name", "started_at", "answered_at", "ended_at", "hangup_by", "hangup_at", "call_type", "outcome", "product"),
    *("trial_days", "charged", "complaint", "agent_channel"),
)
TURN_KEYS = {"role", "text", "gap_s", "pace", "gain_db", "after_hangup", "silence_s", "hold_music_s"}
LEAD_S, TAIL_S, RING_S = 0.5, 0.6, 6
DEFAULT_GAP_S, DEFAULT_PACE = 0.4, 250.0
MUSIC_GAIN_DB = -8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    role: str
    text: str
    gap_s: float = DEFAULT_GAP_S
    """Silence before the turn; negative overlaps the turn before it."""
    pace: float | None = None
    gain_db: float = 0.0
    after_hangup: bool = False
    silence_s: float = 0.0
    """Pure waiting after the turn."""
    hold_music_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    call_id: str
    data: Mapping[str, Any]
    turns: tuple[Turn, ...]
    audio: AudioSpec
    expect: tuple[str, ...]
    not_counted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    call: Call
    file: str
    duration_s: float
    spans: tuple[tuple[float, float], ...]
    """Start and end of the speech of each turn, in seconds."""
    hangup_at: float


def read_calls(source: Path, audio: Mapping[str, Any]) -> Iterator[Call]:
    """The calls with an `audio:` key, file by file; `audio` (by call_id) replaces it. Raises ValueError naming a bad call."""
    for path in sorted(source.glob("*.yaml")) if source.is_dir() else [source]:
        for item in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
            if not item.get("audio"):
                continue
            try:
                yield _call(item | {"audio": audio.get(item["call_id"], item["audio"])})
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}: {item.get('call_id')}: {error}") from error


def _call(item: Mapping[str, Any]) -> Call:
    turns = []
    for turn in item["turns"]:
        if unknown := set(turn) - TURN_KEYS:
            raise ValueError(f"unknown turn keys {', '.join(sorted(unknown))}")
        turns.append(Turn(**turn))
    spec = AudioSpec.parse(item["audio"])
    return Call(
        call_id=item["call_id"],
        data=item.get("call") or {},
        turns=tuple(turns),
        audio=replace(spec, voice=_cast(item["call_id"], spec.voice)),
        expect=tuple(item.get("expect") or ()),
        not_counted=tuple(item.get("not_counted") or ()),
    )


def _cast(call_id: str, named: Mapping[str, str]) -> dict[str, str]:
    """Two different voices; the pair depends on the call's name alone."""
    if unknown := set(named.values()) - set(VOICES):
        raise ValueError(f"unknown voice {', '.join(sorted(unknown))}; there are {', '.join(VOICES)}")
    shuffled = [str(name) for name in seeded(call_id, "voices").permutation(sorted(VOICES))]
    agent = named.get("agent") or next(v for v in shuffled if v != named.get("customer"))
    others = [v for v in shuffled if v != agent]
    # Two women or two men in one channel are hard to tell apart even for people: prefer one of each.
    others.sort(key=lambda v: VOICES[v].sex == VOICES[agent].sex)
    return {"agent": agent, "customer": named.get("customer") or others[0]}


def render(call: Call, synthesiser: Synthesiser, rate: int, out: Path) -> Rendered:
    """Speak, place, mix and write one call."""
    sounds: list[Placed] = []
    spans: list[tuple[float, float]] = []
    ends = {"agent": 0.0, "customer": 0.0}
    wait_until, hangup_at = LEAD_S, None
    for turn in call.turns:
        pace = turn.pace or call.audio.pace.get(turn.role, DEFAULT_PACE)
        speech = synthesiser.turn(speak_as(turn.text), VOICES[call.audio.voice[turn.role]], pace, rate)
        if not spans:
            start_s = wait_until + max(0.0, turn.gap_s - DEFAULT_GAP_S)
        elif turn.gap_s < 0:
            start_s = max(spans[-1][1] + turn.gap_s, ends[turn.role] + 0.05, LEAD_S)
        else:
            start_s = wait_until + turn.gap_s
        if turn.after_hangup and hangup_at is None:
            hangup_at = (max(ends.values()) + start_s) / 2
        end_s = start_s + len(speech) / rate
        sounds.append(Placed(role=turn.role, start_s=start_s, audio=speech, gain_db=turn.gain_db))
        spans.append((start_s, end_s))
        ends[turn.role] = end_s
        wait_until = max(*ends.values(), wait_until) + turn.silence_s
        if turn.hold_music_s:
            who = "agent" if call.audio.hold_music == "both" else call.audio.hold_music
            music = hold_music(turn.hold_music_s, rate, call.call_id)
            sounds.append(Placed(role=who, start_s=wait_until + 0.2, audio=music, gain_db=MUSIC_GAIN_DB, music=True))
            wait_until += turn.hold_music_s + 0.2
    duration_s = wait_until + TAIL_S
    file = f"{call.call_id}.{'mp3' if call.audio.codec == 'mp3' else 'wav'}"
    write(out / file, record(sounds, duration_s, call.audio, rate, call.call_id), call.audio, rate)
    hangup_s = wait_until + 0.3 if hangup_at is None else hangup_at
    return Rendered(call=call, file=file, duration_s=duration_s, spans=tuple(spans), hangup_at=hangup_s)


def manifest_row(done: Rendered) -> dict[str, str]:
    """Call data of the script plus what only the finished recording knows."""
    spec, data = done.call.audio, dict(done.call.data)
    if unknown := set(data) - set(MANIFEST_COLUMNS):
        raise ValueError(f"{done.call.call_id}: unknown call data {', '.join(sorted(unknown))}")
    if "hangup_by" in data or any(turn.after_hangup for turn in done.call.turns):
        data["hangup_at"] = f"{done.hangup_at:.1f}"
    if "started_at" in data:
        answered = datetime.fromisoformat(str(data["started_at"])) + timedelta(seconds=RING_S)
        data.setdefault("answered_at", answered.isoformat())
        data.setdefault("ended_at", (answered + timedelta(seconds=round(done.duration_s))).isoformat())
    data |= {"call_id": done.call.call_id, "file": done.file}
    data["agent_channel"] = spec.agent_channel if spec.channels == 2 else ""
    return {name: _cell(data.get(name, "")) for name in MANIFEST_COLUMNS}


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def truth(done: Rendered) -> dict[str, Any]:
    turns = []
    for turn, (start_s, end_s) in zip(done.call.turns, done.spans, strict=True):
        channel = done.call.audio.channel_of(turn.role)
        times = {"start_s": round(start_s, 3), "end_s": round(end_s, 3), "channel": channel}
        turns.append({"role": turn.role, "text": turn.text, **times})
    return {"call_id": done.call.call_id, "turns": turns}


def label_rows(call: Call) -> Iterator[dict[str, str]]:
    """Clauses not listed are 合规; a clean call keeps one row, so that it is known to be labelled at all."""
    rows = [(clause, "违规") for clause in call.expect] + [(clause, "不计") for clause in call.not_counted]
    for clause, expected in rows or [("A01", "合规")]:
        yield {"call_id": call.call_id, "clause": clause, "expected": expected}


def reference_row(call: Call) -> dict[str, str]:
    said = {role: "".join(t.text for t in call.turns if t.role == role) for role in ("agent", "customer")}
    return {"call_id": call.call_id, "reference": "".join(t.text for t in call.turns), **said}


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scripts", type=Path, required=True, help="a YAML file of calls, or a folder of them")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=8000, help="hertz (default 8000)")
    parser.add_argument("--only", metavar="ID", help="render this call alone; tables are left as they are")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="YAML, call_id: audio mapping; goes before the scripts' own")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    audio = yaml.safe_load(args.audio.read_text(encoding="utf-8")) if args.audio else {}
    calls = [call for call in read_calls(args.scripts, audio) if args.only in (None, call.call_id)]
    synthesiser = Synthesiser()
    done: list[Rendered] = []
    for call in calls:
        done.append(render(call, synthesiser, args.rate, args.out))
        print(f"{done[-1].file}  {done[-1].duration_s:.1f} s  {call.audio.voice}")
    if args.only:
        return
    write_csv(args.out / "manifest.csv", MANIFEST_COLUMNS, map(manifest_row, done))
    write_csv(args.out / "labels.csv", ("call_id", "clause", "expected"), (row for call in calls for row in label_rows(call)))
    write_csv(args.out / "reference.csv", ("call_id", "reference", "agent", "customer"), map(reference_row, calls))
    lines = (json.dumps(truth(one), ensure_ascii=False) + "\n" for one in done)
    (args.out / "truth.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
