"""Each measure gives what one counts by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import RequestError, Score, Track, metrics
from composer.controls.controls import measured
from composer.metrics.columns import count_bars
from composer.theory.keys import Key
from composer.tokenizers import Cells
from tests.strategies import scores

# Two bars of 4/4 in C: a melody of C5 E5 | G5 G5, the second half of bar 1 empty of onsets, a piano
# of C major held under bar 1 and F A in bar 2, a bass of C2 and E2, and drums.
MELODY = Track(
    "Melody", 73, notes=[(0, 480, 72, 80), (480, 1440, 76, 80), (1920, 960, 79, 60),
                         (2880, 960, 79, 60)],
)  # fmt: skip
PIANO = Track(
    "Piano", 0, notes=[(0, 1920, 60, 70), (0, 1920, 64, 70), (0, 1920, 67, 70),
                       (1920, 480, 65, 70), (1920, 480, 81, 70)],
)  # fmt: skip
BASS = Track("Bass", 33, notes=[(0, 1920, 36, 90), (1920, 1920, 40, 90)])
DRUMS = Track("Drums", 0, True, [(0, 120, 36, 100), (960, 120, 38, 100)])
SCORE = Score(
    tpq=480,
    tracks=(MELODY, PIANO, BASS, DRUMS),
    key_signatures=[(0, 0, 0)],
    chords=[(0, "C"), (960, "C"), (1920, "F")],
)


def line(*pitches, length=480, tpq=480, **fields):
    """Return a score of one part whose notes follow on each other."""
    notes = [(length * i, length, pitch, 90) for i, pitch in enumerate(pitches)]
    return Score(tpq=tpq, tracks=(Track("Line", notes=notes),), **fields)


def test_chord_tones_are_counted_on_strong_beats_and_where_chords_begin():
    # On 1 and 3: C in C; then G and G in F. E begins on a weak beat.
    assert metrics.chord_tones(SCORE, "Melody") == pytest.approx(1 / 3)
    assert metrics.chord_tones(SCORE, "Piano") == 1
    # C in C, E in F.
    assert metrics.chord_tones(SCORE, "Bass") == 0.5
    # F/E has E as well.
    assert metrics.chord_tones(SCORE.replace(chords=[(0, "C"), (1920, "F/E")]), "Bass") == 1


def test_a_chord_that_begins_on_a_weak_beat_makes_it_count():
    tune = line(60, 61, 60, 61)
    assert metrics.chord_tones(tune.replace(chords=[(0, "C")])) == 1
    assert metrics.chord_tones(tune.replace(chords=[(0, "C"), (480, "G")])) == pytest.approx(1 / 3)
    # A chord that is said again goes on.
    assert metrics.chord_tones(tune.replace(chords=[(0, "C"), (480, "C")])) == 1


@pytest.mark.parametrize(
    ("meter", "strong"),
    [((4, 4), {0, 24}), ((3, 4), {0}), ((6, 8), {0}), ((12, 8), {0, 36}), ((5, 4), {0})],
)
def test_strong_beats_are_those_of_the_meter(meter, strong):
    for position in range(0, 36, 6):
        score = Score(
            tpq=12,
            tracks=(Track(notes=[(position, 6, 61, 90)]),),
            time_signatures=[(0, *meter)],
            chords=[(0, "C")],
        )
        found = metrics.chord_tones(score)
        assert (found == 0) if position in strong else math.isnan(found)


def test_chord_basses_look_at_the_lowest_note_that_begins_with_a_chord():
    assert metrics.chord_basses(SCORE, "Bass") == 0.5
    assert metrics.chord_basses(SCORE, "Piano") == 1
    assert metrics.chord_basses(SCORE, ["Piano", "Bass"]) == 0.5
    assert metrics.chord_basses(SCORE.replace(chords=[(0, "C/E"), (1920, "F/E")]), "Bass") == 0.5


def test_in_scale_takes_notes_of_the_key_and_of_the_chord():
    tune = line(60, 66, 68, 67, chords=[(0, "D7")])
    assert metrics.in_scale(tune, key=Key.parse("C")) == 0.75
    assert metrics.in_scale(tune.replace(chords=()), key=Key.parse("C")) == 0.5


def test_pitches():
    assert metrics.pitch_range(SCORE) == (36, 81)
    assert metrics.pitch_range(SCORE, "Bass") == (36, 40)
    assert metrics.register(SCORE, "Melody") == (72 + 76 + 79 + 79) / 4
    # Steps of 4, 3 and 0 in the melody; the highest notes of the piano go up by 14.
    assert metrics.leaps(SCORE, "Melody") == 0
    assert metrics.leaps(SCORE, "Melody", wider_than=3) == pytest.approx(1 / 3)
    assert metrics.leaps(SCORE, ["Melody", "Piano"]) == 0.25
    assert metrics.repeated_notes(SCORE, "Melody") == pytest.approx(1 / 3)


def test_how_much_there_is():
    assert metrics.note_density(SCORE) == 11 / 8
    assert metrics.note_density(SCORE, "Piano") == 5 / 8
    assert metrics.density(SCORE, "Piano") == 2 / 8
    assert metrics.density(SCORE, ["Piano", "Bass"]) == 4 / 8
    assert metrics.note_density(SCORE, "Drums") == 2 / 8
    # Three notes for four beats, two for one.
    assert metrics.mean_voices(SCORE, "Piano") == pytest.approx((3 * 4 + 2 * 1) / 5)
    assert metrics.polyphony(SCORE, "Piano") == (3 + 2) / 2
    assert metrics.polyphony(SCORE, ["Piano", "Bass"]) == (3 + 2 + 1 + 1) / 4
    assert metrics.polyphony(SCORE, "Melody") == 1
    assert metrics.mean_length(SCORE, "Melody") == (1 + 3 + 2 + 2) / 4
    assert metrics.note_length(SCORE, "Melody") == pytest.approx((1 * 3 * 2 * 2) ** (1 / 4))
    assert metrics.dynamics(SCORE, "Melody") == 70


@settings(deadline=None)
@given(score=scores(max_tracks=3), meter=st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 4), (7, 8)]))
def test_what_controls_ask_for_is_what_measures_of_their_names_return(score, meter):
    cells = Cells()
    score = cells.quantize(score.replace(time_signatures=[(0, *meter)]))
    grid = cells.grid(score, bars=count_bars(score))
    for row, track in enumerate(score.tracks):
        for name, value in measured(grid, row).items():
            assert getattr(metrics, name)(score, row + 1) == pytest.approx(value), (track, name)


@pytest.mark.parametrize(
    ("meter", "onset", "length", "held_over"),
    [
        ((4, 4), 0, 96, False),  # over the bar line, which is not stronger
        ((4, 4), 12, 12, False),
        ((4, 4), 12, 24, True),  # from 2 over 3
        ((4, 4), 6, 12, True),  # from the half of 1 over 2
        ((4, 4), 6, 6, False),
        ((4, 4), 36, 24, True),  # from 4 over the bar line
        ((4, 4), 24, 24, False),  # from 3 to the bar line
        ((4, 4), 24, 25, True),
        ((4, 4), 8, 4, False),  # the last of a triplet
        ((3, 4), 12, 24, False),  # from 2 over 3, which is as weak
        ((6, 8), 6, 12, False),  # from the second eighth to the second beat
        ((6, 8), 12, 12, True),  # from the third eighth over it
    ],
)
def test_syncopation_is_holding_on_over_what_is_stronger(meter, onset, length, held_over):
    note = (onset, length, 60, 90)
    score = Score(tpq=12, tracks=(Track(notes=[note]),), time_signatures=[(0, *meter)])
    assert metrics.lhl_syncopation(score) == held_over


def test_empty_bars_are_those_in_which_nothing_sounds():
    # All of bar 1, nothing in bar 2, a note from bar 3 into bar 4, a note in bar 5.
    notes = [(0, 1920, 60, 90), (5520, 480, 60, 90), (4 * 1920, 480, 60, 90)]
    score = Score(tpq=480, tracks=(Track("A", notes=notes), Track("B")))
    assert metrics.empty_bars(score, "A") == pytest.approx(1 / 5)
    assert metrics.empty_bars(score) == pytest.approx(6 / 10)
    assert metrics.empty_bars(score.replace(chords=[(0, "C"), (9600, "G")]), 1) == 2 / 6


def test_repeated_bars_have_the_same_pitches_at_the_same_places():
    bars = [(60, 62, 64, 65), (60, 62, 64, 67), (60, 62, 64, 65), (72, 74, 76, 77)]
    tune = line(*(pitch for bar in bars for pitch in bar))
    assert metrics.repeated_bars(tune) == 0.25
    # Each part has bars of its own, and lengths do not matter.
    short = Track("Short", notes=[(n[0], 240, n[2], 50) for n in tune.tracks[0].notes.tolist()])
    assert metrics.repeated_bars(tune.replace(tracks=(*tune.tracks, short))) == 0.25


def test_repeated_figures_are_steps_and_rhythms_that_come_again():
    # Steps 2 2 1 come again a fifth higher; of the five figures of four notes one is an old one.
    tune = line(60, 62, 64, 65, 67, 69, 71, 72)
    assert metrics.repeated_figures(tune) == pytest.approx(1 / 5)
    uneven = tune.tracks[0].notes.copy()
    uneven["onset"][-1] += 240
    changed = tune.replace(tracks=(tune.tracks[0].replace(notes=uneven),))
    assert metrics.repeated_figures(changed) == 0
    assert metrics.repeated_figures(tune, length=2) == pytest.approx(5 / 7)


def test_how_parts_go_together():
    # Onsets 0, 1, 4, 6 and 0, 4.
    assert metrics.shared_onsets(SCORE, "Melody", "Piano") == 0.5
    assert metrics.shared_onsets(SCORE, "Piano", "Bass") == 1
    assert metrics.doubled_notes(SCORE) == 0
    double = SCORE.replace(tracks=(*SCORE.tracks, BASS.replace(name="Cello")))
    assert metrics.doubled_notes(double) == 4 / 13
    # A5 of the piano sounds above the first G5 alone.
    assert metrics.covered(SCORE, "Melody") == 0.25
    assert metrics.covered(SCORE, "Melody", by="Bass") == 0
    bells = Track("Bells", 14, notes=[(1440, 480, 96, 70)])  # over before the first G5
    assert metrics.covered(SCORE.replace(tracks=(MELODY, bells)), "Melody") == 0
    assert metrics.final_degree(SCORE, "Melody", Key.parse("C")) == 7
    assert metrics.final_degree(SCORE, "Bass", Key.parse("D minor")) == 2


def test_any_ticks_go_to_the_nearest_of_twelve_positions():
    tune = line(60, 62, 64, 65, tpq=480, length=481, chords=[(0, "C"), (959, "G")])
    # The third note begins with the G, and no note holds on into the next.
    assert metrics.chord_tones(tune) == 0.5
    assert metrics.mean_length(tune) == metrics.note_length(tune) == 1
    assert metrics.polyphony(tune) == 1
    assert metrics.note_length(line(60, length=0)) == pytest.approx(1 / 12)


def test_chords_that_cannot_be_read_and_none_at_all_count_for_nothing():
    assert math.isnan(metrics.chord_tones(line(60)))
    assert math.isnan(metrics.chord_tones(line(60, chords=[(0, "N.C.")])))
    assert math.isnan(metrics.chord_tones(line(60, chords=[(0, "strange")])))
    assert math.isnan(metrics.chord_basses(line(60)))


def test_an_empty_score_has_no_shares():
    empty = Score(tracks=(Track("Nothing"),))
    values = metrics.describe(empty)["Nothing"]
    assert values.pop("low") == values.pop("high") == 0
    assert all(math.isnan(value) for value in values.values())
    assert math.isnan(metrics.final_degree(empty, 1))
    assert math.isnan(metrics.shared_onsets(SCORE.replace(tracks=(Track("A"), Track("B"))), 1, 2))


def test_describe_has_a_row_a_part_and_numbers_those_of_one_name():
    twins = SCORE.replace(tracks=(MELODY, BASS, BASS, Track("")))
    measured = metrics.describe(twins)
    assert list(measured) == ["Melody", "part 2", "part 3", "part 4"]
    assert measured["Melody"]["repeated_notes"] == metrics.repeated_notes(twins, "Melody")
    table = metrics.as_table(measured).splitlines()
    assert len(table) == 6
    assert {line.count("|") for line in table} == {len(measured["Melody"]) + 2}
    assert "nan" not in metrics.as_table(measured)


def test_a_part_that_is_not_there_is_named():
    with pytest.raises(RequestError, match="no track 'Oboe'"):
        metrics.density(SCORE, "Oboe")
