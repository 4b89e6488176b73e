"""How many stored transcripts of five minutes one core judges a second, and where the time goes.

    python -m benchmarks.judging [--seconds 10] [--noise 0.04] [--profile] [--memory 100000] [--length 60]

Calls of about five minutes are made by joining the labelled development calls end to start. The processor's seconds are what counts:
the clock also counts what others do on the machine. ``--noise`` mishears every call in its own way, so that nothing is read twice.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from dataclasses import dataclass, replace
from itertools import cycle

import psutil

from benchmarks.labelled.calls import load
from qa_pipeline.acts.reader import ActReader
from qa_pipeline.acts.understanding import understand
from qa_pipeline.audit import audit
from qa_pipeline.model import Conversation, Turn
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.load import load_book
from qa_pipeline.rules.noise import mutate

LENGTH_S = 300.0


def long_calls(count: int, length_s: float) -> list[Conversation]:
    """``count`` different calls of at least that length, each the development calls from another starting place."""
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
            if clock >= length_s:
                break
        call = replace(short[first % len(short)].call, call_id=f"L{first}")
        made.append(Conversation(call=call, turns=tuple(turns), duration_s=clock))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--noise", type=float, default=0.0, help="share of characters misheard, in each call others")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--memory", type=int, default=0, help="judge so many calls and print the memory in between")
    parser.add_argument("--length", type=float, default=LENGTH_S, help="seconds a call")
    options = parser.parse_args()
    began = time.process_time()
    book = load_book(rules_dir(), lexicons_dir())
    gc.freeze()  # as ``qa_pipeline.judge`` does
    loaded = time.process_time() - began
    calls = [mutate(call, options.noise, call.call.call_id) if options.noise else call for call in long_calls(84, options.length)]
    characters = sum(len(turn.text) for call in calls for turn in call.turns) / len(calls)
    print(
        f"{len(book.rules)} 条规则，读入 {loaded:.1f} 秒；每通 {options.length:.0f} 秒以上，"
        f"平均 {characters:.0f} 字、{sum(len(c.turns) for c in calls) / len(calls):.0f} 个话轮"
    )
    began = time.process_time()
    calls = [understand(call, ActReader()) for call in calls]  # as they are stored; a reader each: nothing is remembered
    print(f"按意思读一遍（存下以后不再读）：每通 {(time.process_time() - began) / len(calls) * 1000:.0f} 毫秒处理器")
    for call in calls[:20]:
        audit(book, call)
    if options.memory:
        memory(book, calls, options.memory)
        return
    profiler = cProfile.Profile(time.process_time)
    if options.profile:
        profiler.enable()
    done, least = measure(book, calls, options.seconds)
    profiler.disable()
    if options.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    else:
        print(f"{done.calls} 通，{done.elapsed_s:.1f} 秒：每秒 {done.calls / done.elapsed_s:.0f} 通")
        print(f"处理器 {done.processor_s:.1f} 秒：每秒 {done.calls / done.processor_s:.0f} 通")
        print(f"每通最少的一次平均 {least * 1000:.1f} 毫秒（别的工作没有抢占时）：每秒 {1 / least:.0f} 通")


@dataclass(frozen=True, slots=True)
class Done:
    calls: int
    elapsed_s: float
    processor_s: float


def measure(book: RuleBook, calls: list[Conversation], seconds: float) -> tuple[Done, float]:
    """Judges the calls over and over; also the mean over the calls of the shortest time that each ever took, in seconds."""
    shortest = dict.fromkeys(range(len(calls)), float("inf"))
    started, began, done = time.perf_counter(), time.process_time(), 0
    for nth, call in cycle(enumerate(calls)):
        before = time.process_time()
        audit(book, call)
        shortest[nth] = min(shortest[nth], time.process_time() - before)
        done += 1
        if time.perf_counter() - started >= seconds:
            break
    known = [value for value in shortest.values() if value < float("inf")]
    return Done(done, time.perf_counter() - started, time.process_time() - began), sum(known) / len(known)


def memory(book: RuleBook, calls: list[Conversation], count: int) -> None:
    process = psutil.Process()
    for number, call in enumerate(cycle(calls), 1):
        audit(book, call)
        if number % max(1, count // 10) == 0:
            print(f"{number} 通后 {process.memory_info().rss / 1e6:.0f} MB")
        if number >= count:
            break


if __name__ == "__main__":
    main()
