"""Leanings say which ids become likelier or less likely, and where."""

import dataclasses

import numpy as np
import pytest

import composer
from composer import PitchRange, Sampling, metrics
from composer.generate.logit_bias import LogitBias
from composer.masks.chord import ChordCellMask
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.theory.chords import QUALITIES, parse_chord
from composer.theory.keys import Key
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.families import transposition
from composer.verbs.melody import MELODIC

TOKENIZER = Cells()
VOCABULARY = TOKENIZER.vocabulary
PARTS = (Part("Flute", 73), Part("Piano"), Part("Bass", 33), Part("Drums", 0, True))
# Flute and drums on 1, the flute again on 2, the bass on 2; in bar 2 the bass on 1.
NOTES = [(0, 0, 0, 72, 12, 80), (0, 0, 12, 74, 12, 80), (0, 2, 12, 38, 12, 80),
         (0, 3, 0, 36, 1, 80), (1, 2, 0, 40, 12, 80)]  # fmt: skip


def grid(key="C", bars=3):
    rows = np.array([(4, 4, 500_000)] * bars, BAR)
    return Grid(Key.parse(key), PARTS, rows, np.array(NOTES, CELL_NOTE), np.empty(0, CELL_CHORD))


class At:
    """As much of a cursor as leanings look at: where it stands, and where MIDI pitch 0 lies."""

    def __init__(self, position, lowest=6, state="note"):
        self.position, self.lowest, self.state = position, lowest, state


def doubled(column, bar=0, position=12, factor=0.1):
    """Return the pitches that a cell leans away from."""
    leanings = LogitBias(Sampling(double_notes=factor), VOCABULARY, grid(), bar, column)
    changes = leanings.changes(At(position), None)
    assert {*changes.values()} <= {factor}
    return {index - VOCABULARY.base["Pitch"] - 6 for index in changes}


def test_pitches_of_other_parts_are_those_that_begin_at_the_position():
    assert doubled(column=2) == {74, 38}
    assert doubled(column=2, position=0) == {72}  # drums have no pitch
    assert doubled(column=2, position=6) == set()
    assert doubled(column=3) == {74}
    assert doubled(column=2, bar=1, position=0) == {40}
    assert doubled(column=2, factor=1) == set()


def test_a_melody_leans_away_from_the_ends_of_its_range():
    leanings = LogitBias(
        Sampling(extremes=0.5), VOCABULARY, grid(), 0, 1, tessitura=PitchRange(60, 84)
    )
    changes = leanings.changes(At(6), None)
    factors = {index - VOCABULARY.base["Pitch"] - 6: by for index, by in changes.items()}
    assert factors.get(72, 1) == factors.get(79, 1) == factors.get(65, 1) == 1
    assert [factors[pitch] for pitch in (80, 81, 84, 90)] == [0.5, 0.25, 0.5**5, 0.5**5]
    assert [factors[pitch] for pitch in (64, 60, 50)] == [0.5, 0.5**5, 0.5**5]


def test_melodies_lie_in_the_middle_of_their_range_unless_a_register_is_asked_for():
    usual = MELODIC.extremes

    def highest(factor, **settings):
        sampling = dataclasses.replace(MELODIC, extremes=factor)
        songs = [
            composer.melody("C Am F G", bars=4, seed=seed, sampling=sampling, **settings)
            for seed in range(8)
        ]
        return np.mean([song.tracks[-1].notes["pitch"].mean() for song in songs])

    assert highest(0.5) < highest(usual) < highest(1) - 1
    assert highest(usual, register="C6") == highest(1, register="C6")


def tonic_chords(key, bar, **options):
    leanings = LogitBias(Sampling(tonic_ends=5), VOCABULARY, grid(key), bar, 0, **options)
    changes = leanings.changes(At(0), None)
    assert {*changes.values()} <= {5}
    texts = [VOCABULARY.tokens[index] for index in changes]
    return {text.removeprefix("Chord_") for text in texts}


def test_tonic_chords_are_relative_to_the_home_key_and_of_its_mode():
    major, minor = tonic_chords("Eb", 0), tonic_chords("F# minor", 0)
    assert {"0:maj", "0:maj7", "0:7"} < major
    assert {"9:m", "9:m7"} < minor
    assert not {"0:m", "0:sus4"} & major
    assert not {"9:maj", "9:5"} & minor


def test_the_chord_of_the_bar_before_is_leant_away_from():
    settings = Sampling(repeat_chords=0.5)
    chords = np.array([(0, 0, 3, 0, -1), (0, 24, 5, 4, -1), (1, 0, 7, 2, -1)], CELL_CHORD)

    def named(bar, rows=chords):
        written = grid("Eb").replace(chords=rows)
        changes = LogitBias(settings, VOCABULARY, written, bar, 0).changes(At(0), None)
        return {VOCABULARY.tokens[index]: factor for index, factor in changes.items()}

    assert named(0) == {}
    assert named(1) == {"Chord_2:m7": 0.5}  # Fm7, the second of Eb major
    assert named(2) == {"Chord_4:7": 0.5}
    silent = np.array([(0, 0, -1, 0, -1)], CELL_CHORD)
    assert named(1, silent) == {}


@pytest.mark.parametrize("bar", [0, 1, 2])
def test_only_the_first_and_the_last_bar_lean_to_the_tonic(bar):
    assert bool(tonic_chords("C", bar)) == (bar != 1)
    assert not tonic_chords("C", bar, endless=True)


def test_notes_of_other_parts_are_doubled_as_often_as_asked():
    tune = composer.melody("C G Am F", seed=1)

    def share(factor):
        settings = Sampling(0.9, 0.95, double_notes=factor)
        songs = [composer.arrange(tune, ["violin", "viola"], seed=s, sampling=settings)
                 for s in range(3)]  # fmt: skip
        return np.mean([metrics.doubled_notes(song) for song in songs])

    assert share(0.01) < share(1) < share(100)


def bass_changes(sampling, rows, bar=1, bars=3, state="bass", chords=None):
    """Return what is leant to behind chords of a cell of Eb major, by token."""
    before = np.array([(0, 0, 3, 0, -1)], CELL_CHORD)  # Eb
    written = grid("Eb", bars).replace(chords=before)
    leanings = LogitBias(sampling, VOCABULARY, written, bar, 0)
    every = np.ones((12, len(QUALITIES)), bool)
    mask = ChordCellMask(
        TOKENIZER.grammar,
        0,
        9,
        chords=chords or {0: every, 12: every},
        shift=transposition(written.key),
    )
    mask.rows = rows
    changes = leanings.changes(At(0, state=state), mask)
    return {VOCABULARY.tokens[index]: factor for index, factor in changes.items()}


def test_inversions_lead_from_bass_to_bass():
    many, few = Sampling(inversions=5), Sampling(inversions=0.2)
    # On C, relative: steps around it, and around F once F is the chord before.
    assert bass_changes(many, [(0, 10, 0, -1)]) == {f"Bass_{at}": 5 for at in (10, 11, 0, 1, 2)}
    later = [(0, 8, 0, -1), (24, 10, 0, -1)]
    assert bass_changes(many, later) == {f"Bass_{at}": 5 for at in (3, 4, 5, 6, 7)}
    inverted = [(0, 8, 0, 0), (24, 10, 0, -1)]  # Ab/C, A relative
    assert bass_changes(many, inverted) == {f"Bass_{at}": 5 for at in (7, 8, 9, 10, 11)}
    assert bass_changes(many, later, bar=2) == {}  # the last one
    assert bass_changes(few, later, bar=2) == {f"Bass_{at}": 0.2 for at in range(12)}


def test_the_last_bar_goes_on_until_it_is_home_and_no_further():
    settings = Sampling(tonic_ends=5)
    for state in ("bass", "after bass"):
        home = bass_changes(settings, [(0, 3, 0, -1)], bar=2, state=state)
        away = bass_changes(settings, [(0, 10, 0, -1)], bar=2, state=state)
        assert {*home.values()} == {1 / 5}
        assert all(name.startswith("Position_") for name in home)
        assert away == {"Position_12": 25}
    inverted = bass_changes(settings, [(0, 3, 0, 7)], bar=2)
    assert {*inverted.values()} == {25}  # Eb/G is no end
    some = np.zeros((12, len(QUALITIES)), bool)
    some[10] = True
    only = {0: ~some, 12: some, 24: ~some}
    assert bass_changes(settings, [(0, 10, 0, -1)], bar=2, chords=only) == {"Position_24": 25}
    assert bass_changes(settings, [(0, 3, 0, -1)], bar=1) == {}


def test_chords_of_more_than_three_notes_are_sevenths():
    changes = LogitBias(Sampling(sevenths=0.5), VOCABULARY, grid(), 1, 0).changes(At(0), None)
    names = {VOCABULARY.tokens[index].removeprefix("Chord_") for index in changes}
    assert {*changes.values()} == {0.5}
    assert {"0:7", "5:m7", "7:9", "11:maj7"} < names
    assert not {"0:maj", "9:m", "4:dim", "7:sus4"} & names


def test_onsets_of_other_parts_are_shared_less_but_by_bass_and_drums():
    def named(column, role=None, bar=0):
        settings = Sampling(share_onsets=0.1)
        leanings = LogitBias(settings, VOCABULARY, grid(), bar, column, role=role)
        changes = leanings.changes(At(0), None)
        assert {*changes.values()} <= {0.1}
        return {VOCABULARY.tokens[index] for index in changes}

    assert named(2) == {"Position_0", "Position_12"}
    assert named(1) == {"Position_12"}  # its own do not count, nor drums
    assert named(2, bar=1) == {"Position_0"}
    assert named(3, role="bass") == named(4) == set()


def test_pieces_end_on_the_tonic_as_often_as_asked():
    def share(factor):
        settings = Sampling(1.0, tonic_ends=factor)
        ends = [composer.chords(key="D", bars=2, seed=s, part=None, sampling=settings).chords[0]
                for s in range(12)]  # fmt: skip
        return np.mean([parse_chord(text).root == 2 for _, text in ends])

    assert share(0.01) < share(100)
