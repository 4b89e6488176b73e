"""Teach whisper-base the speech of calls: low-rank additions to its weights, learned from windows of synthetic calls.

    python -m tools.hearing.train --clips FOLDER --minutes 60 --out hearing.pt [--go-on hearing.pt]

Needs torch, faster-whisper, soundfile and soxr, and the model of ``qa models list`` on this computer. The last twentieth of the
dialogues is never learned from; the loss on it is printed now and then.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import tokenizers
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch import Tensor
from torch.nn.functional import cross_entropy

from qa_pipeline.asr.models import resolve
from qa_pipeline.asr.vocabulary import numbers_of
from tools.hearing.network import Network, variables
from tools.hearing.windows import Clip, Example, batches, clips

_IGNORED = -100


class Encoder:
    """Examples → tensors."""

    def __init__(self, whole: Path, trimmed: Path) -> None:
        self._tokenizer = tokenizers.Tokenizer.from_file(str(whole / "tokenizer.json"))
        self._numbers = numbers_of(whole, trimmed)
        self._mel = FeatureExtractor()
        mark = self._tokenizer.token_to_id
        self._before = mark("<|startofprev|>")
        self._start = [mark("<|startoftranscript|>"), mark("<|zh|>"), mark("<|transcribe|>"), mark("<|notimestamps|>")]
        self._end = mark("<|endoftext|>")

    def __call__(self, examples: list[Example], draw: random.Random) -> tuple[Tensor, Tensor, Tensor]:
        """Mels, tokens that are given, tokens that are to follow."""
        length = max(len(example.samples) for example in examples)
        mels = []
        for example in examples:
            mel = self._mel(np.pad(example.samples, (0, length - len(example.samples))), padding=0)[:, : length // 160]
            mels.append(_masked(mel, draw))
        rows = []
        for example in examples:
            hint = [self._before, *self._ids(" " + example.hint)[:100]] if example.hint else []
            said = self._numbers.new(self._ids(example.text))
            row = [*self._numbers.new([*hint, *self._start]), *said, *self._numbers.new([self._end])]
            rows.append((row, len(row) - len(said) - 1))
        longest = max(len(row) for row, _ in rows) - 1
        given = torch.zeros(len(rows), longest, dtype=torch.long)
        wanted = torch.full((len(rows), longest), _IGNORED, dtype=torch.long)
        for nth, (row, first) in enumerate(rows):
            given[nth, : len(row) - 1] = torch.tensor(row[:-1])
            wanted[nth, first - 1 : len(row) - 1] = torch.tensor(row[first:])
        return torch.from_numpy(np.stack(mels)), given, wanted

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _masked(mel: np.ndarray, draw: random.Random) -> np.ndarray:
    """Some bands and moments are missing now and then."""
    if draw.random() < 0.5:
        mel = mel.copy()
        width = draw.randint(1, 10)
        band = draw.randrange(80 - width)
        mel[band : band + width] = mel.mean()
        for _ in range(draw.randint(0, 3)):
            width = draw.randint(2, 12)
            begin = draw.randrange(mel.shape[1] - width)
            mel[:, begin : begin + width] = mel.min()
    return mel


def loss_of(network: Network, mels: Tensor, given: Tensor, wanted: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(mels, given)
    return cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--go-on", type=Path)
    parser.add_argument("--keep", type=float, default=1.0, help="how much of --go-on to begin with")
    parser.add_argument("--encoder", type=float, default=0.3, help="learning rate of the encoder, as a share of --rate")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--batch", type=int, default=6)
    args = parser.parse_args()
    whole = resolve("")
    trimmed = whole.path.parent / f".chinese-{whole.sha256[:16]}"
    torch.manual_seed(1)
    network = Network(variables(trimmed / "model.bin"), args.rank)
    if args.go_on:
        saved = torch.load(args.go_on)
        network.load_state_dict({name: args.keep * value if name.startswith("up.") else value for name, value in saved.items()})
    encoder, draw = Encoder(whole.path, trimmed), random.Random(1 if not args.go_on else 2)
    dialogues: list[list[Clip]] = clips(args.clips)
    held, learned = dialogues[::20], [one for nth, one in enumerate(dialogues) if nth % 20]
    fixed = random.Random(7)
    checks = [encoder(batch, fixed) for batch, _ in zip(batches(held, 8, fixed), range(6), strict=False)]
    parts: dict[bool, list[torch.nn.Parameter]] = {True: [], False: []}
    for name, parameter in network.named_parameters():
        parts[".encoder_" in name].append(parameter)
    # One synthesiser's voices must not become all that the encoder knows: it learns more slowly than the decoder.
    groups = [{"params": parts[True], "share": args.encoder}, {"params": parts[False], "share": 1.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, weight_decay=0.05, betas=(0.9, 0.98))
    begun, mean, told = time.monotonic(), 0.0, 0.0
    for step, batch in enumerate(batches(learned, args.batch, draw)):
        done = (time.monotonic() - begun) / 60 / args.minutes
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = (
                args.rate * group["share"] * min(1.0, (step + 1) / 60) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * done)))
            )
        loss = loss_of(network, *encoder(batch, draw))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        mean = loss.item() if step == 0 else 0.98 * mean + 0.02 * loss.item()
        if time.monotonic() - told > 120:
            told = time.monotonic()
            torch.save(network.state_dict(), args.out)
            with torch.no_grad():
                unseen = sum(loss_of(network, *check).item() for check in checks) / len(checks)
            print(f"{done:5.1%}  step {step}  loss {mean:.3f}  unseen {unseen:.3f}", flush=True)
    torch.save(network.state_dict(), args.out)


if __name__ == "__main__":
    main()
