"""An instrument gets a role, a register and the rules that go with them."""

import numpy as np
import pytest

from composer.constraints.pitches import BassNotes, ChordTones, InScale, PitchRange
from composer.errors import RequestError, SymbolError
from composer.planning.roles import (
    BASSES,
    REGISTERS,
    given_rules,
    part_roles,
    part_rules,
    register,
    role_of,
    tune_middle,
    under,
)
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.score.instruments import parse_instrument, sounding_range
from composer.theory.keys import Key
from composer.theory.pitches import parse_pitch, parse_range


def grid_of(*parts):
    """Return a bar of parts: (program or "drums", pitches of chords at each quarter)."""
    rows = [
        (0, row, 12 * i, pitch, 12, 76)
        for row, (_, chords) in enumerate(parts)
        for i, chord in enumerate(chords)
        for pitch in chord
    ]
    players = tuple(Part("", 0 if p == "drums" else p, p == "drums") for p, _ in parts)
    bars = np.array([(4, 4, 500_000)], BAR)
    return Grid(Key(0), players, bars, np.array(rows, CELL_NOTE), np.empty(0, CELL_CHORD))


@pytest.mark.parametrize(
    ("text", "pitch"), [("C4", 60), ("c-1", 0), ("G9", 127), ("Bb3", 58), ("F#5", 78), ("Cb4", 59)]
)
def test_note_names(text, pitch):
    assert parse_pitch(text) == pitch


@pytest.mark.parametrize("text", ["G#9", "Cb-1", "H4", "C", "4", ""])
def test_what_is_no_note_is_refused(text):
    with pytest.raises(SymbolError, match="cannot be read; write one such as"):
        parse_pitch(text)


@pytest.mark.parametrize("given", ["C4-C6", "c4 to c6", "C4..C6", " C4 – C6 ", (60, 84), [60, 84]])
def test_ranges(given):
    assert parse_range(given) == (60, 84)


def test_a_range_may_lie_below_zero():
    assert parse_range("C-1-C1") == (0, 24)


@pytest.mark.parametrize("given", ["C6-C4", "C4", "high", (84, 60), (0, 128), (-1, 60)])
def test_what_is_no_range_is_refused(given):
    with pytest.raises(RequestError, match="range"):
        parse_range(given)


@pytest.mark.parametrize("program", range(128))
@pytest.mark.parametrize("role", sorted(REGISTERS))
def test_a_register_is_wide_enough_and_within_reach(program, role):
    low, high = register(parse_instrument(program), role)
    reach_low, reach_high = sounding_range(program)
    assert reach_low <= low < high <= reach_high
    assert high - low >= min(12, reach_high - reach_low)


@pytest.mark.parametrize(
    ("name", "role", "inside"),
    [
        ("soprano", "accompaniment", (60, 81)),
        ("alto", "accompaniment", (55, 74)),
        ("tenor", "accompaniment", (48, 69)),
        ("bass voice", "bass", (40, 62)),
    ],
)
def test_singers_keep_to_their_voices_one_note_at_a_time(name, role, inside):
    rules = part_rules(parse_instrument(name), role_of(parse_instrument(name)))
    assert rules.role == role
    assert rules.monophonic
    assert inside[0] <= rules.range.low < rules.range.high <= inside[1]


def test_roles_of_instruments():
    assert role_of(parse_instrument("drums")) is None
    assert role_of(parse_instrument("double bass")) == "bass"
    assert role_of(parse_instrument("piano")) == "accompaniment"
    assert all(role_of(parse_instrument(program)) == "bass" for program in BASSES)


def test_rules_of_a_melody():
    rules = part_rules(parse_instrument("flute"), "melody")
    assert rules.rules == (PitchRange(60, 84), InScale(), ChordTones())
    assert rules.monophonic
    wide = part_rules(parse_instrument("flute"), "melody", given_range="C4-C5", in_key=False)
    assert wide.rules == (PitchRange(60, 72),)


def test_rules_of_bass_chords_and_drums():
    bass = part_rules(parse_instrument("bass"), "bass")
    assert BassNotes() in bass.rules
    assert bass.monophonic
    piano = part_rules(parse_instrument("piano"), "accompaniment")
    assert not piano.monophonic
    assert (piano.least_notes, piano.most_notes) == (3, 4)
    drums = part_rules(parse_instrument("drums"), None)
    assert drums.rules == (PitchRange(35, 81),)


def test_accompaniments_go_under_the_tune_but_keep_an_octave():
    piano = part_rules(parse_instrument("piano"), "accompaniment")
    assert under(piano, 67).rules[0] == PitchRange(40, 67)
    assert under(piano, 45).rules[0] == PitchRange(40, 52)
    assert under(piano, 90) == piano
    assert under(piano, 67).rules[1:] == piano.rules[1:]
    grid = grid_of((73, MELODY), (0, BLOCKS))
    assert tune_middle(grid, given_rules(grid)) == 74
    assert tune_middle(grid, given_rules(grid)[1:]) == 127
    for name, role in (("bass", "bass"), ("flute", "melody"), ("drums", None)):
        rules = part_rules(parse_instrument(name), role)
        assert under(rules, 45) == rules


MELODY = [[72], [74], [76], [74]]
BASS = [[36], [43], [36], [43]]
BLOCKS = [[60, 64, 67]] * 4


@pytest.mark.parametrize(
    ("parts", "roles"),
    [
        ([], []),
        ([(73, MELODY)], ["melody"]),
        ([(0, BLOCKS)], ["melody"]),
        ([(33, BASS), (0, BLOCKS), (73, MELODY)], ["bass", "accompaniment", "melody"]),
        ([("drums", BASS), (73, MELODY), (0, [])], [None, "melody", None]),
        ([(40, MELODY), (41, [[60], [62], [60], [59]])], ["melody", "accompaniment"]),
        # A high pad of chords is not a melody where another part plays one note at a time.
        ([(48, [[84, 88, 91]] * 4), (73, MELODY)], ["accompaniment", "melody"]),
    ],
)
def test_roles_are_judged_by_the_notes(parts, roles):
    assert part_roles(grid_of(*parts)) == roles


def test_given_parts_keep_their_register():
    melody, blocks, silent, drums = given_rules(
        grid_of((73, MELODY), (0, [[48, 60, 72]]), (33, []), ("drums", BASS))
    )
    assert melody.monophonic
    low, high = melody.rules[0].low, melody.rules[0].high
    assert low <= 72
    assert high >= 76
    assert high - low >= 12
    assert not blocks.monophonic
    assert (blocks.rules[0].low, blocks.rules[0].high) == (48, 72)
    assert silent.role == "bass"  # by its instrument
    assert drums.role is None
    assert melody.least_onsets == blocks.least_onsets == 0
