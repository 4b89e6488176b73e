"""Text as expressions look at it: characters, their sounds, both in turn, and the halves of the sounds."""

from __future__ import annotations

from functools import cached_property

from qa_pipeline.text.phonetic import phonetics


class Stream:
    """A stretch of stripped text; ``chars`` and ``sounds`` have the same length. What is not asked for is not made."""

    def __init__(self, chars: str, sounds: str | None = None) -> None:
        self.chars = chars
        self.sounds = phonetics().sound(chars) if sounds is None else sounds

    @cached_property
    def both(self) -> str:
        """Each sound followed by its character, so that one expression can ask for either; twice as long."""
        return interleave(self.sounds, self.chars)

    @cached_property
    def split(self) -> str:
        """The sounds as ``Phonetics.split`` gives them; twice as long."""
        return phonetics().split(self.sounds)


def interleave(first: str, second: str) -> str:
    """``"ab", "cd"`` → ``"acbd"``; four bytes a character, so that the bytes can be laid between each other in one step."""
    one = memoryview(first.encode("utf-32-le", "surrogatepass")).cast("I")
    other = memoryview(second.encode("utf-32-le", "surrogatepass")).cast("I")
    whole = bytearray(4 * (len(one) + len(other)))
    mixed = memoryview(whole).cast("I")
    mixed[::2] = one
    mixed[1::2] = other
    return whole.decode("utf-32-le", "surrogatepass")
