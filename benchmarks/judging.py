"""How many stored transcripts of five minutes one core judges a second, and where the time goes.

    python -m benchmarks.judging [--seconds 10] [--profile] [--memory 100000]

Calls of about five minutes are made by joining the labelled development calls end to start.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
import tracemalloc
from dataclasses import replace
from itertools import cycle

from benchmarks.labelled.calls import load
from qa_pipeline.audit import audit
from qa_pipeline.model import Conversation, Turn
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.load import load_book

LENGTH_S = 300.0


def long_calls(count: int) -> list[Conversation]:
    """``count`` different calls of at least five minutes, each the development calls from another starting place."""
    short = [item.conversation for item in load("dev") if item.conversation.turns]
    made = []
    for first in range(count):
        turns: list[Turn] = []
        clock = 0.0
        for conversation in cycle(short[first % len(short) :] + short[: first % len(short)]):
            for turn in conversation.turns:
                start, end = clock + (turn.start_s or 0.0), clock + (turn.end_s or 0.0)
                turns.append(replace(turn, index=len(turns), start_s=start, end_s=end))
            clock = turns[-1].end_s or 0.0
            if clock >= LENGTH_S:
                break
        call = replace(short[first % len(short)].call, call_id=f"L{first}")
        made.append(Conversation(call=call, turns=tuple(turns), duration_s=clock))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--memory", type=int, default=0, help="judge so many calls and print the memory in between")
    options = parser.parse_args()
    book = load_book(rules_dir(), lexicons_dir())
    calls = long_calls(84)
    characters = sum(len(turn.text) for call in calls for turn in call.turns) / len(calls)
    print(
        f"{len(book.rules)} 条规则；每通 {LENGTH_S:.0f} 秒以上，平均 {characters:.0f} 字、{sum(len(c.turns) for c in calls) / len(calls):.0f} 个话轮"
    )
    for call in calls[:5]:
        audit(book, call)
    if options.memory:
        memory(book, calls, options.memory)
        return
    profiler = cProfile.Profile()
    if options.profile:
        profiler.enable()
    started, done = time.perf_counter(), 0
    for call in cycle(calls):
        audit(book, call)
        done += 1
        if time.perf_counter() - started >= options.seconds:
            break
    elapsed = time.perf_counter() - started
    profiler.disable()
    print(f"{done} 通，{elapsed:.1f} 秒，每秒 {done / elapsed:.0f} 通")
    if options.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def memory(book: object, calls: list[Conversation], count: int) -> None:
    tracemalloc.start()
    for number, call in enumerate(cycle(calls), 1):
        audit(book, call)  # type: ignore[arg-type]
        if number % max(1, count // 10) == 0:
            print(f"{number} 通后 {tracemalloc.get_traced_memory()[0] / 1e6:.1f} MB")
        if number >= count:
            break


if __name__ == "__main__":
    main()
