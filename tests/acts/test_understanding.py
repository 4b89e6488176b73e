"""Acts are read once, kept with the turns, and forgotten where they no longer hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.reader import ActReader, Reading
from qa_pipeline.acts.understanding import acts_of, forget, twice, understand
from qa_pipeline.model import Act, Role, RoleSource
from tests.signals.support import call


class Echo(ActReader):
    """Tells what it was asked: the side, and how much was said before."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def read(self, said: Said, before: Sequence[Said]) -> Reading:
        self.asked.append(said.text)
        return (Act("greets" if said.agent else "refuses", round(len(before) / 10, 2), 0),)


def test_every_turn_is_read_as_words_of_its_side_with_the_two_before_it() -> None:
    understood = understand(call("坐：甲", "客：乙", "坐：丙", "？：丁"), Echo())
    assert [turn.acts for turn in understood.turns] == [
        (Act("greets", 0.0, 0),),
        (Act("refuses", 0.1, 0),),
        (Act("greets", 0.2, 0),),
        (Act("greets", 0.2, 0),),
    ]


def test_a_guessed_role_is_read_as_either_side() -> None:
    guessed = call("客：甲")
    guessed = replace(guessed, turns=tuple(replace(turn, role_source=RoleSource.CUES) for turn in guessed.turns))
    assert [act.name for act in understand(guessed, Echo()).turns[0].acts or ()] == ["greets", "refuses"]


def test_what_is_understood_is_not_read_again() -> None:
    reader = Echo()
    understood = understand(call("坐：甲", "客：乙"), reader)
    assert understand(understood, reader) is understood
    assert acts_of(reader, understood.turns, understood.turns[0], True) == (Act("greets", 0.0, 0),)
    assert reader.asked == ["甲", "乙"]


def test_a_changed_turn_and_those_that_follow_it_are_read_again() -> None:
    reader = Echo()
    understood = understand(call("坐：甲", "客：乙", "坐：丙", "客：丁", "坐：戊"), reader)
    turns = [replace(turn, role=Role.AGENT) if turn.index == 1 else turn for turn in understood.turns]
    assert [turn.acts is None for turn in forget(turns, {1})] == [False, True, True, True, False]
    reader.asked.clear()
    understand(replace(understood, turns=forget(turns, {1})), reader)
    assert reader.asked == ["乙", "丙", "丁"]


def test_nothing_said_is_nothing_to_read() -> None:
    empty = call()
    assert understand(empty, Echo()) is empty


class Longer(ActReader):
    """The longer the words, the surer; a goodbye at their last character."""

    def read(self, said: Said, before: Sequence[Said]) -> Reading:
        return (Act("greets", round(len(said.text) / 100, 2), 0), Act("says_goodbye", 0.1, len(said.text) - 1))


def test_heard_twice_a_turn_does_what_the_surer_hearing_says_at_its_place() -> None:
    turns = understand(call("坐：甲乙", "客：丙"), Longer()).turns
    assert twice(Longer(), turns, turns[0], "甲乙丙") == (Act("greets", 0.03, 3), Act("says_goodbye", 0.1, 1))
    assert twice(Longer(), turns, turns[0], "甲") == (Act("greets", 0.02, 0), Act("says_goodbye", 0.1, 1))
