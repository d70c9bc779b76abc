import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import RequestError, Score, Track
from composer.harmony.inference import INFERRED, UNITS, infer_chords, infer_key
from composer.harmony.kernels import best_path, listen
from composer.theory.chords import QUALITIES, Chord, parse_chord
from composer.theory.keys import Key

QUARTER = 480
MAJOR, HARMONIC_MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)


def tune(pitches, duration=QUARTER):
    return Track("Tune", notes=[(i * duration, duration, p, 90) for i, p in enumerate(pitches)])


def block(chord, onset, duration, low=48):
    """Return rows for a chord in close position with its bass below."""
    bass = chord.root if chord.bass is None else chord.bass
    above = sorted(60 + (tone - 60) % 12 for tone in chord.tones)
    return [(onset, duration, pitch, 80) for pitch in (low + (bass - low) % 12 - 12, *above)]


def comping(symbols, duration=4 * QUARTER, **fields):
    """Return a score that plays each chord for ``duration`` ticks."""
    chords = [(parse_chord(symbol), i * duration) for i, symbol in enumerate(symbols.split())]
    notes = [row for chord, onset in chords for row in block(chord, onset, duration)]
    return Score(QUARTER, (Track("Chords", notes=notes),), **fields)


def labels(score, **options):
    return [text.text for text in infer_chords(score, **options)]


# Notes


def test_drums_are_left_out():
    drums = Track("Drums", is_drum=True, notes=[(0, 480, 37, 90), (0, 480, 42, 90)])
    score = comping("C F")
    assert infer_chords(Score(tracks=(drums,))) == ()
    assert infer_key(Score(tracks=(drums,))) == Key(0)
    assert labels(score.replace(tracks=(drums, *score.tracks))) == ["C", "F"]


# Keys


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "steps"), [("major", MAJOR), ("minor", HARMONIC_MINOR)])
def test_a_scale_up_and_down_names_its_key(tonic, mode, steps):
    scale = [55 + tonic + step for step in (*steps, 12, *steps[::-1])]
    key = infer_key(Score(tracks=(tune(scale),)))
    assert key == Key((55 + tonic) % 12, mode)


@pytest.mark.parametrize(
    ("symbols", "name"),
    [
        ("C Am F G7 C", "C major"),
        ("Am F C E7 Am", "A minor"),
        ("Dm Gm A7 Dm", "D minor"),
        ("Eb Ab Bb7 Eb", "Eb major"),
    ],
)
def test_cadences_name_their_key(symbols, name):
    assert infer_key(comping(symbols)).name == name


def test_the_end_tells_relative_keys_apart():
    assert infer_key(comping("C G Am F Dm G7 C")).name == "C major"
    assert infer_key(comping("Am F C G Dm Em Am")).name == "A minor"


def test_key_signatures_are_not_read():
    score = comping("D G A7 D", key_signatures=[(0, -3, 0)])
    assert infer_key(score).name == "D major"


rows = st.lists(
    st.tuples(
        *(st.integers(0, 4000), st.integers(0, 3000), st.integers(24, 100), st.integers(1, 127))
    ),
    max_size=30,
)
meters = st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8), (2, 2), (5, 16), (3, 8)])


@given(st.permutations(range(12)), st.integers(-12, 12))
def test_transposing_a_score_transposes_its_key(ranks, semitones):
    # Each pitch class sounds for another time, so that no two keys fit equally well by symmetry.
    durations = [2**rank for rank in ranks]
    tunes = [
        Track(notes=[(0, duration, 60 + i + up, 90) for i, duration in enumerate(durations)])
        for up in (0, semitones)
    ]
    key, moved = (infer_key(Score(tracks=(track,))) for track in tunes)
    assert moved == key.transpose(semitones)


# Chords


@pytest.mark.parametrize("name", list(INFERRED))
@pytest.mark.parametrize("root", [0, 5, 10])
def test_a_chord_played_is_the_chord_found(name, root):
    chord = Chord(root, [quality.name for quality in QUALITIES].index(name))
    score = comping(chord.symbol())
    # A diminished seventh has four names, and C6 is Am7: the bass chooses.
    assert [parse_chord(text) for text in labels(score)] == [chord]


@pytest.mark.parametrize(
    "symbols",
    ["C Am F G", "Dm7 G7 Cmaj7", "C G/B Am C/G F", "Cm Ab Fm G7", "Em C G D", "Bm7b5 E7 Am"],
)
def test_progressions_come_back(symbols):
    assert labels(comping(symbols)) == symbols.split()


def test_chords_stand_where_they_change():
    score = comping("C F G7 C", duration=2 * QUARTER)
    assert [text.tick for text in infer_chords(score)] == [0, 960, 1920, 2880]


def test_a_chord_that_goes_on_is_named_once():
    assert labels(comping("C C F F F")) == ["C", "F"]


def test_silence_keeps_the_chord_and_the_first_waits_for_the_notes():
    rest = 4 * QUARTER
    notes = [*block(Chord(0), rest, 480), *block(Chord(0), 3 * rest, 480)]
    notes += block(Chord(5), 4 * rest, 480)
    found = infer_chords(Score(QUARTER, (Track(notes=notes),)))
    assert found == ((rest, "C"), (4 * rest, "F"))


def test_broken_chords_are_chords():
    pattern = {"C": (48, 64, 60, 67), "Am": (45, 64, 60, 69), "F": (41, 65, 60, 69)}
    pitches = [pitch for symbol in ("C", "Am", "F", "C") for pitch in pattern[symbol] * 2]
    assert labels(Score(QUARTER, (tune(pitches, QUARTER // 2),))) == ["C", "Am", "F", "C"]


def test_passing_tones_do_not_change_the_chord():
    score = comping("C F")
    melody = tune((72, 74, 76, 77, 79, 77, 76, 74, 72, 74, 77, 76, 77, 79, 81, 77), QUARTER // 2)
    assert labels(score.replace(tracks=(*score.tracks, melody))) == ["C", "F"]


def test_players_may_be_early_and_late():
    score = comping("C F G C")
    notes = score.tracks[0].notes.copy()
    shift = np.random.default_rng(1).integers(-25, 25, len(notes))
    notes["onset"] = np.maximum(notes["onset"] + shift, 0)
    assert labels(score.replace(tracks=(Track(notes=notes),))) == ["C", "F", "G", "C"]


def test_symbols_are_spelled_for_the_key():
    assert labels(comping("Eb Ab Bb7 Eb")) == ["Eb", "Ab", "Bb7", "Eb"]
    assert labels(comping("C#m F#m G#7 C#m")) == ["C#m", "F#m", "G#7", "C#m"]
    assert labels(comping("Bb"), key=Key.parse("B")) == ["A#"]


@pytest.mark.parametrize(("key", "symbol"), [("C", "Dm"), ("D", "D"), ("Bb", "Dm")])
def test_where_the_third_is_missing_the_key_decides(key, symbol):
    score = Score(QUARTER, (Track(notes=[(0, 1920, 50, 80), (0, 1920, 57, 80)]),))
    assert labels(score, key=Key.parse(key)) == [symbol]


@pytest.mark.parametrize(
    ("meter", "ticks"),
    [((6, 8), [0, 720, 1440, 2160]), ((3, 4), [0, 480, 960, 1440]), ((2, 2), [0, 480, 960, 1440])],
)
def test_beats_follow_the_meter(meter, ticks):
    score = comping("C Ebm A Gbm", duration=ticks[1], time_signatures=[(0, *meter)])
    assert {text.tick for text in infer_chords(score)} <= set(ticks)
    assert len(infer_chords(score)) > 2
    assert infer_chords(score)[0].tick == 0


def test_by_the_bar_there_is_one_chord_a_bar():
    score = comping("C C F F", duration=2 * QUARTER)
    assert infer_chords(score, "bar") == ((0, "C"), (1920, "F"))
    long = comping("C F G Am F G C C", duration=QUARTER)
    assert {text.tick % 1920 for text in infer_chords(long, "bar")} == {0}


def test_unknown_units_are_refused():
    with pytest.raises(RequestError, match="unit 'tick' is unknown; choose one of beat, bar"):
        infer_chords(Score(), "tick")


def test_a_melody_above_middle_c_is_no_bass():
    score = Score(QUARTER, (tune((76, 72, 67, 76), QUARTER),))
    assert labels(score) == ["C"]


@settings(deadline=None)
@given(rows, meters, st.sampled_from(UNITS), st.sampled_from([480, 96, 1]))
def test_any_score_has_chords_that_can_be_read(notes, meter, unit, tpq):
    score = Score(tpq, (Track(notes=notes),), time_signatures=[(0, *meter)])
    found = infer_chords(score, unit)
    assert bool(found) == bool(notes)
    ticks = [text.tick for text in found]
    assert ticks == sorted(set(ticks))
    for before, after in itertools.pairwise(found):
        assert before.text != after.text
    for text in found:
        quality = QUALITIES[Chord.parse(text.text).quality].name
        assert quality in INFERRED
    if found:
        first = min(onset for onset, *_ in notes)
        assert ticks[0] <= max(first, score.end)
        assert ticks[-1] <= score.end


def test_what_sounds_equals_a_loop_over_notes_and_beats():
    generator = np.random.default_rng(0)
    rows = [
        (int(onset), int(duration), int(pitch), 80)
        for onset, duration, pitch in zip(
            generator.integers(0, 9000, 60),
            generator.integers(1, 4000, 60),
            generator.integers(30, 90, 60),
            strict=True,
        )
    ]
    tracks = Track(notes=rows[:20]), Track(notes=rows[20:])
    edges = np.array([*range(0, 1920, 480), *range(1920, 13000, 720)])
    heard, lowest = np.zeros((len(edges) - 1, 12)), np.full(len(edges) - 1, 128)
    listen(np.concatenate([track.notes for track in tracks]), edges, heard, lowest)
    expected, least = np.zeros_like(heard), np.full_like(lowest, 128)
    for onset, duration, pitch, _ in rows:
        for i, (begin, end) in enumerate(itertools.pairwise(edges)):
            ticks = min(onset + duration, end) - max(onset, begin)
            if ticks > 0 and (8 * ticks >= end - begin or 2 * ticks >= duration):
                expected[i, pitch % 12] += ticks
                least[i] = min(least[i], pitch)
    assert np.array_equal(heard, expected)
    assert np.array_equal(lowest, least)


def test_the_path_is_the_best_of_all_paths():
    generator = np.random.default_rng(1)
    length, chords = 5, 4
    for _ in range(50):
        heard = generator.integers(0, 3, (length, 12)).astype(float)
        heard[:, 0] += 1
        basses = generator.integers(-1, 12, length)
        prices, prior = generator.random(length) / 2, generator.random(chords)
        sound, says = generator.random((2, 12, chords))
        shares = heard**0.4 / (heard**0.4).sum(axis=1, keepdims=True)
        fits = prior + shares @ sound + np.where(basses[:, None] < 0, 0, says[basses])

        def worth(path, fits=fits, prices=prices):
            changes = sum(prices[i] for i in range(1, length) if path[i] != path[i - 1])
            return sum(fits[i, chord] for i, chord in enumerate(path)) - changes

        stays, path = np.empty((length, chords), bool), np.empty(length, np.int64)
        best_path(heard, 0.4, basses, prices, prior, sound, says, stays, path)
        assert tuple(path) == max(itertools.product(range(chords), repeat=length), key=worth)
