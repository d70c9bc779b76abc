"""A cell's mask: what its own arguments say, step by step. See test_sampler for whole requests."""

import numpy as np
import pytest

from composer.constraints.pitches import allowed_chords
from composer.masks.cell import CellMask, Close, NoteMask
from composer.masks.chord import ChordCellMask, sounding_at
from composer.theory.chords import Chord
from composer.theory.keys import Key
from composer.tokenizers.bins import DURATIONS

FREE, WIDE = np.zeros(128, np.int64), np.full((48, 128), 480)


class Walk:
    """A cell that a test writes token by token; the piece is in D, so pitches are two lower."""

    def __init__(self, cells, program="Program_0", part="Part_0"):
        self.cells = cells
        self.cursor = cells.grammar.start()
        self.ids = {cells.vocabulary.token(i): i for i in range(cells.vocab_size)}
        head = f"BOS Key_2maj TimeSig_4/4 Tempo_120 Part_0 {program} Fill Bar_0 {part}"
        for token in head.split():
            cells.grammar.advance(self.cursor, self.ids[token])
        self.after = self.ids["EOS"]

    def notes(self, **changes):
        arguments = {
            "pitches": np.ones((48, 128), bool),
            "sounding_until": FREE,
            "latest_offset": WIDE,
            "most_notes": 6,
            **changes,
        }
        budget = arguments.pop("budget", 100)
        self.mask = NoteMask(self.cells.grammar, self.after, budget, **arguments)
        return self

    def say(self, *tokens):
        for token in tokens:
            assert token in self.open(), token
            self.cells.grammar.advance(self.cursor, self.ids[token])
            self.mask.accept(self.cursor, self.ids[token])
        return self

    def open(self):
        allowed = np.flatnonzero(self.mask.allowed(self.cursor))
        return {self.cells.vocabulary.token(int(i)) for i in allowed}

    def open_of(self, family):
        return sorted(int(t.split("_")[1]) for t in self.open() if t.startswith(family + "_"))


@pytest.fixture
def walk(cells):
    return Walk(cells)


def test_notes_are_heard_in_the_pieces_own_key(walk):
    walk.notes().say("Position_3", "Velocity_9", "Pitch_60", "Duration_7", "Pitch_64", "Duration_1")
    assert walk.mask.rows == [(3, 62, 7, 76), (3, 66, 1, 76)]


def test_rules_are_kept_position_by_position(walk):
    pitches = np.zeros((48, 128), bool)
    pitches[6, [60, 70]] = True
    pitches[9, 72] = True
    walk.notes(pitches=pitches)
    assert walk.open_of("Position") == [6, 9]
    walk.say("Position_6", "Velocity_9")
    assert walk.open_of("Pitch") == [58, 68]
    walk.say("Pitch_68", "Duration_1")
    assert not walk.open_of("Pitch")
    assert not walk.open_of("Velocity")  # no note could follow it
    assert walk.open() == {"Position_9", "EOS"}


def test_the_last_note_is_near_where_it_can_be(walk):
    pitches = np.zeros((48, 128), bool)
    pitches[0, 70] = True
    pitches[24, [60, 65, 77]] = True
    close = Close((24,), pitches)
    walk.notes(pitches=close.narrowed(pitches), monophonic=True, close=close)
    walk.say("Position_0", "Velocity_9", "Pitch_68", "Duration_1", "Position_24")
    assert walk.open_of("Pitch") == [63, 75]  # two lower; not ten away


@pytest.mark.parametrize(("least", "first", "last"), [(None, 48, 36), (24, 24, 24), (42, 42, 36)])
def test_the_last_note_is_held_to_the_end_or_as_long_as_is_asked(walk, least, first, last):
    room = np.full((48, 128), 48)
    close = Close((0, 12), np.ones((48, 128), bool), least)
    walk.notes(latest_offset=room, monophonic=True, close=close)
    walk.say("Position_0", "Velocity_9", "Pitch_58")
    lengths = np.array(walk.open_of("Duration"))
    assert lengths[lengths > 12].tolist() == [n for n in DURATIONS if first <= n <= 48]
    assert 12 in lengths  # and then there is another one
    walk.say("Duration_12", "Position_12", "Velocity_3", "Pitch_58")
    assert walk.open_of("Duration") == [n for n in DURATIONS if last <= n <= 36]


def test_a_pitch_that_sounds_may_not_begin(walk):
    busy = FREE.copy()
    busy[60] = 20
    walk.notes(sounding_until=busy).say("Position_4", "Velocity_9")
    assert 58 not in walk.open_of("Pitch")
    assert 59 in walk.open_of("Pitch")
    walk.say("Pitch_59", "Duration_9", "Position_12")
    assert 59 not in walk.open_of("Pitch")
    walk.say("Pitch_70", "Duration_1", "Position_20")
    assert {58, 59} <= set(walk.open_of("Pitch"))


def test_a_note_ends_where_its_pitch_begins_again(walk):
    room = WIDE.copy()
    room[:, 60] = 50
    walk.notes(latest_offset=room).say("Position_40", "Velocity_9", "Pitch_58")
    assert walk.open_of("Duration") == list(range(1, 11))
    walk.say("Duration_1", "Pitch_60")
    assert max(walk.open_of("Duration")) == 384


def test_a_line_waits_for_its_own_note(walk):
    busy = np.full(128, 5)
    walk.notes(sounding_until=busy, monophonic=True)
    assert walk.open_of("Position")[0] == 5
    walk.say("Position_6", "Velocity_9", "Pitch_60", "Duration_12")
    assert not walk.open_of("Pitch")
    assert walk.open_of("Position")[0] == 18
    walk.say("Position_18")
    assert walk.open_of("Velocity")
    assert walk.open_of("Pitch")


def test_no_more_notes_begin_together_than_most_notes(walk):
    walk.notes(most_notes=2).say("Position_0", "Velocity_9", "Pitch_60", "Duration_1")
    walk.say("Pitch_64", "Duration_1")
    assert not walk.open_of("Pitch")
    assert walk.open_of("Position") == list(range(1, 48))


def test_a_strong_onset_holds_on_until_it_has_its_notes_and_keeps_room_for_them(walk):
    triad = np.zeros((48, 128), bool)
    triad[:, [62, 66, 69]] = True  # in D, so Pitch 60, 64 and 67
    walk.notes(pitches=triad, least_notes=3, strong=[0, 24]).say("Position_0", "Velocity_9")
    assert walk.open_of("Pitch") == [60]
    walk.say("Pitch_60", "Duration_1")
    assert walk.open_of("Pitch") == [64]
    assert not walk.open_of("Position")
    assert "EOS" not in walk.open()
    walk.say("Pitch_64", "Duration_1", "Pitch_67", "Duration_1")
    assert "EOS" in walk.open()
    walk.say("Position_12")
    assert walk.open_of("Pitch") == [60, 64, 67]
    walk.say("Pitch_67", "Duration_1")
    assert "EOS" in walk.open()


def test_a_strong_onset_makes_do_with_the_notes_there_are(walk):
    lone = np.zeros((48, 128), bool)
    lone[:, 62] = True
    walk.notes(pitches=lone, least_notes=3, strong=[0])
    walk.say("Position_0", "Velocity_9", "Pitch_60", "Duration_1")
    assert "EOS" in walk.open()


def test_a_cell_ends_when_it_has_its_onsets(walk):
    walk.notes(least_onsets=2)
    note = ("Velocity_9", "Pitch_60", "Duration_1")
    assert "EOS" not in walk.open()
    walk.say("Position_0", *note)
    assert "EOS" not in walk.open()
    walk.say("Position_1", "Pitch_60", "Duration_1")
    assert "EOS" in walk.open()


def test_a_cell_without_room_ends_though_it_owes_onsets(walk):
    assert walk.notes(sounding_until=np.full(128, 48), least_onsets=2).open() == {"EOS"}


def test_a_cell_over_its_budget_ends_at_its_next_note(walk):
    walk.notes(budget=1, least_onsets=9).say("Position_0", "Velocity_9", "Pitch_60", "Duration_1")
    assert walk.open() == {"EOS"}


def test_drum_hits(cells):
    walk = Walk(cells, program="Program_drums").notes(most_notes=2)
    walk.say("Position_0", "Velocity_9", "Drum_36", "Velocity_3", "Drum_42")
    assert walk.mask.rows == [(0, 36, 1, 76), (0, 42, 1, 28)]
    assert not walk.open_of("Drum")
    walk.say("Position_1")
    assert walk.open_of("Drum") == list(range(128))


def test_every_bar_has_a_chord_and_chords_begin_on_strong_beats(cells):
    walk = Walk(cells, part="Part_chords")
    key = Key.parse("D")
    open_chords = {0: allowed_chords(key, [2]), 24: allowed_chords(key)}
    walk.mask = ChordCellMask(cells.grammar, walk.after, 50, chords=open_chords, shift=-2)
    assert walk.open() == {"Position_0"}
    walk.say("Position_0")
    chords = [token for token in walk.open() if token.startswith("Chord_")]
    assert chords
    first = chords[0]
    walk.say(first)
    (row,) = walk.mask.rows
    assert row[0] == 0
    assert 2 in Chord(row[1], row[2]).tones
    assert set(walk.open_of("Bass")) < set(range(12))
    assert {"Position_24", "EOS"} <= walk.open()
    walk.say("Position_24")
    assert first not in walk.open()


def test_a_bass_is_a_tone_of_its_chord(cells):
    walk = Walk(cells, part="Part_chords")
    key = Key.parse("D")
    walk.mask = ChordCellMask(
        cells.grammar, walk.after, 50, chords={0: allowed_chords(key)}, shift=-2
    )
    walk.say("Position_0")
    for token in sorted(t for t in walk.open() if t.startswith("Chord_")):
        other = Walk(cells, part="Part_chords")
        other.mask = ChordCellMask(
            cells.grammar, other.after, 50, chords={0: allowed_chords(key)}, shift=-2
        )
        other.say("Position_0", token)
        basses = [t for t in other.open() if t.startswith("Bass_")]
        other.say(basses[0])
        ((_, root, quality, bass),) = other.mask.rows
        assert bass in Chord(root, quality).tones
        assert bass != root
        assert len(basses) == len(Chord(root, quality).tones) - 1


def test_what_sounds_at_a_position():
    notes = np.array([[-12, 5, 60], [0, 24, 64], [24, 48, 67]])
    assert sounding_at([0, 5, 24, 48], notes) == [[0, 4], [4], [7], []]


def test_the_base_is_no_mask(walk):
    mask = CellMask(walk.cells.grammar, walk.after, 10)
    with pytest.raises(TypeError, match="only a base"):
        mask.allowed(walk.cursor)
