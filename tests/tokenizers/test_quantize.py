import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import ComposerWarning, Score, TokenError, Track
from composer.score.events import NOTE
from composer.theory.keys import Key
from composer.tokenizers import REMI, Cells, REMIPlus
from composer.tokenizers.bins import (
    BAR_LENGTHS,
    DURATIONS,
    RESOLUTION,
    TEMPOS,
    TIME_SIGNATURES,
    Bins,
)
from composer.tokenizers.quantize import (
    MAX_PIECE_BARS,
    bar_starts,
    chord_texts,
    longest,
    on_grid,
    quantize_chords,
    quantize_signatures,
    quantize_tempos,
    signature_index,
)
from tests.strategies import chords, moderate, scores

BINS = Bins(16)


def signatures(*rows, tpq=12):
    return quantize_signatures(Score(tpq, time_signatures=rows), BINS).tolist()


def notes(*rows):
    return np.array(list(rows), NOTE)


@pytest.mark.parametrize("tokenizer", [Cells(), REMI(), REMIPlus()], ids=lambda t: t.format)
def test_a_piece_of_absurd_length_is_refused(tokenizer):
    note = (MAX_PIECE_BARS * 4 - 1, 1, 60, 90)
    longest = Score(1, (Track(notes=[note]),))
    assert tokenizer.encode(longest).size > MAX_PIECE_BARS
    with pytest.raises(TokenError, match="has 100001 bars, over the limit of 100000; cut it"):
        tokenizer.encode(Score(1, (Track(notes=[note, (note[0] + 1, 1, 60, 90)]),)))
    with pytest.raises(TokenError, match="has 100001 bars"):
        tokenizer.encode(Score(1, chords=[(MAX_PIECE_BARS * 4, "C")]))
    with pytest.raises(TokenError, match="has 536870912 bars"):
        tokenizer.encode(Score(1, (Track(notes=[(2**31 - 2, 1, 60, 90)]),)))


@pytest.mark.parametrize("tokenizer", [Cells(), REMI(), REMIPlus()], ids=lambda t: t.format)
def test_what_is_said_long_after_the_end_does_not_matter(tokenizer):
    note, late = Track(notes=[(0, 2**31 - 1, 60, 90)]), 2**31 - 1
    score = Score(1, (note,), tempos=[(late, 300_000)], time_signatures=[(late, 3, 4)])
    assert np.array_equal(tokenizer.encode(score), tokenizer.encode(Score(1, (note,))))


@given(ticks=st.lists(st.integers(0, 2**31 - 1)), tpq=st.integers(1, 32767))
def test_ticks_go_to_the_nearest_position(ticks, tpq):
    positions = BINS.to_positions(ticks, tpq)
    for tick, position in zip(ticks, positions.tolist(), strict=True):
        assert -tpq < 2 * (tick * RESOLUTION - position * tpq) < tpq or (
            2 * (position * tpq - tick * RESOLUTION) == tpq  # half a position goes up
        )


@moderate
@given(score=scores(max_tracks=0))
def test_signatures_begin_on_bar_lines_and_change_something(score):
    rows = quantize_signatures(score, BINS)
    assert rows["tick"][0] == 0
    again = rows[["numerator", "denominator"]]
    assert (again[1:] != again[:-1]).all()
    for (start, *meter), end in zip(rows.tolist(), rows["tick"][1:].tolist(), strict=False):
        length = BAR_LENGTHS[TIME_SIGNATURES.index(tuple(meter))]
        assert end > start
        assert (end - start) % length == 0
    assert np.array_equal(quantize_signatures(Score(12, time_signatures=rows), BINS), rows)


def test_a_signature_inside_a_bar_cuts_it_to_the_nearest_sixteenth():
    assert signatures((0, 4, 4), (60, 3, 4)) == [(0, 4, 4), (48, 1, 4), (60, 3, 4)]
    assert signatures((0, 4, 4), (61, 3, 4)) == [(0, 4, 4), (48, 1, 4), (60, 3, 4)]
    assert signatures((0, 4, 4), (62, 3, 4)) == [(0, 4, 4), (48, 5, 16), (63, 3, 4)]
    assert signatures((0, 4, 4), (49, 3, 4)) == [(0, 4, 4), (48, 3, 4)]
    assert signatures((0, 4, 4), (95, 3, 4)) == [(0, 4, 4), (96, 3, 4)]


def test_a_bar_longer_than_32_sixteenths_is_cut_to_an_eighth():
    assert signatures((0, 12, 4), (97, 3, 4)) == [(0, 8, 4), (96, 3, 4)]
    assert signatures((0, 12, 4), (105, 3, 4)) == [(0, 9, 4), (108, 3, 4)]


def test_a_cut_bar_replaces_the_signature_it_leaves_no_bar_of():
    assert signatures((0, 7, 8), (42, 7, 16), (57, 3, 4)) == [(0, 7, 8), (42, 5, 16), (57, 3, 4)]


def test_without_a_signature_bars_are_common_time():
    assert signatures() == [(0, 4, 4)]
    assert signatures((96, 3, 4)) == [(0, 4, 4), (96, 3, 4)]


@pytest.mark.parametrize(
    ("signature", "near"),
    [
        ((3, 32), (1, 8)),
        ((1, 64), (1, 16)),
        ((255, 1), (8, 4)),
        ((13, 4), (13, 8)),
        ((2, 1), (8, 4)),
    ],
)
def test_signatures_without_a_token_become_the_nearest_or_are_halved(signature, near):
    assert TIME_SIGNATURES[signature_index(*signature)] == near


def test_signatures_with_a_token_keep_it():
    assert [signature_index(*pair) for pair in TIME_SIGNATURES] == list(range(len(TIME_SIGNATURES)))


def quantize_notes(rows, tpq, bins, is_drum=False):
    grid = on_grid(rows, tpq, Bins(bins), np.full(len(rows), is_drum))
    return grid[longest(grid, grid["onset"] * 128 + grid["pitch"])]


def test_of_notes_at_one_place_and_pitch_the_longest_stays():
    rows = notes((0, 5, 60, 120), (0, 12, 60, 40), (1, 12, 60, 40), (0, 3, 61, 40))
    quantized = quantize_notes(rows, 12, 128 // 8)
    assert quantized.tolist() == [(0, 12, 60, 44), (0, 3, 61, 44), (1, 12, 60, 44)]


def test_no_note_is_shorter_than_a_position():
    assert quantize_notes(notes((0, 0, 60, 64)), 480, 16)["duration"].tolist() == [1]


def test_drum_hits_last_one_position():
    assert quantize_notes(notes((0, 96, 36, 64)), 12, 16, is_drum=True)["duration"].tolist() == [1]


def test_a_note_keeps_its_end_rather_than_its_length():
    # 0.4 to 1.6 positions: rounded ends make it two positions, its rounded length would be one.
    assert quantize_notes(notes((4, 12, 60, 64)), 120, 16)["duration"].tolist() == [DURATIONS[1]]


def test_tempos_move_to_bar_lines_if_asked():
    score = Score(12, tempos=[(0, TEMPOS[9]), (23, TEMPOS[8]), (70, TEMPOS[7]), (73, TEMPOS[7])])
    lines = bar_starts(quantize_signatures(score, BINS), BINS, 96)
    kept = quantize_tempos(score, BINS)
    moved = quantize_tempos(score, BINS, on_bars=lines)
    assert kept["tick"].tolist() == [0, 23, 70]
    assert moved.tolist() == [(0, TEMPOS[8]), (48, TEMPOS[7])]


@moderate
@given(score=scores(max_tracks=0), on_bars=st.booleans())
def test_tempos_change_something_and_stay(score, on_bars):
    signatures = quantize_signatures(score, BINS)
    lines = bar_starts(signatures, BINS, score.end) if on_bars else None
    rows = quantize_tempos(score, BINS, on_bars=lines)
    assert rows["tick"][0] == 0
    assert (np.diff(rows["tick"]) > 0).all()
    assert (np.diff(BINS.tempo_bin(rows["mspq"])) != 0).all()
    quantized = Score(12, tempos=rows, time_signatures=signatures)
    again = quantize_tempos(quantized, BINS, on_bars=lines)
    assert np.array_equal(again, rows)


@given(chord=chords(), tonic=st.integers(0, 11), mode=st.sampled_from(("major", "minor", None)))
def test_a_quantised_chord_is_the_same_chord(chord, tonic, mode):
    key = mode and Key(tonic, mode)
    once = quantize_chords(Score(12, chords=[(0, chord.symbol())]), BINS)
    (symbol,) = chord_texts(once, key)
    assert symbol == (0, chord.symbol(key))
    assert np.array_equal(quantize_chords(Score(12, chords=[symbol]), BINS), once)


def test_chords_stand_where_they_change():
    rows = [(0, "Am"), (12, "a-"), (24, "N.C."), (25, "G"), (30, "F"), (30, "C"), (40, "Cmaj")]
    changes = chord_texts(quantize_chords(Score(12, chords=rows), BINS), None)
    assert [tuple(chord) for chord in changes] == [(0, "Am"), (24, "N.C."), (25, "G"), (30, "C")]


def test_chords_that_cannot_be_read_are_named():
    with pytest.warns(ComposerWarning, match="left out: H7, riff"):
        kept = quantize_chords(Score(12, chords=[(0, "H7"), (1, "C"), (2, "riff")]), BINS)
    assert [chord.text for chord in chord_texts(kept, None)] == ["C"]
