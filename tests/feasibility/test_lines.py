"""Constraints on lines: as typed, as checked, as kept, and refused only where nothing would do."""

import numpy as np
import pytest

import composer
from composer import (
    Cadence,
    ChordTones,
    MaxLeap,
    NoParallels,
    NoQuote,
    OnsetCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
)
from composer.feasibility.automata import automata
from composer.feasibility.line_kernels import take_steps
from composer.request.sampling import Sampling
from tests.brute.asked import score, track

MADE = [
    (lambda: MaxLeap(-1), "semitones from 0 on"),
    (lambda: MaxLeap(2.5), "semitones from 0 on"),
    (lambda: NoParallels(), "about two parts"),
    (lambda: NoParallels(parts="flute"), "about two parts"),
    (lambda: Cadence(degree=8), "not one of 1 to 7"),
    (lambda: Cadence(degree=1.0), "degree 1.0 is not one of 1 to 7"),
    (lambda: Cadence(degree=[]), "not one of 1 to 7"),
    (lambda: Cadence(beat=1.1), "not on the grid"),
    (lambda: NoQuote("tune.mid"), "about a score"),
    (lambda: NoQuote(Score(), notes=1), "2 or more"),
]


@pytest.mark.parametrize(("make", "message"), MADE)
def test_a_constraint_is_checked_when_it_is_made(make, message):
    with pytest.raises(RequestError, match=message):
        make()


# What the checker finds

TUNE = track("Flute", [72, 74, (60, 76), None, 77, 65, 64, 72])
FOUND = [
    (MaxLeap(5), [(2, "a leap of 12 semitones to pitch 65 at position 12"),
                  (2, "a leap of 8 semitones to pitch 72 at position 36")]),
    (MaxLeap(5, bars=1), []),
    (MaxLeap(12), []),
    (Cadence(beat=4), []),
    (Cadence(degree=[3, 5], beat=4), [(2, "pitch 72 in the last onset is not on the degree")]),
    (Cadence(degree=3, beat=3), [(2, "the last onset at position 36, not 24")]),
    (Cadence(degree=3, beat=3, bars=1), [(1, "pitch 60 in the last onset is not on the degree")]),
    (Cadence(bars="1-3"), [(3, "no onset to end on")]),
]  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), FOUND)
def test_each_breach_is_found(constraint, expected):
    found = composer.check(score(TUNE), constraint, key="C")
    assert [(breach.bar, breach.what) for breach in found] == expected


PARALLEL = [
    ([72, 74], [65, 67], "parallel fifths at position 12"),
    ([72, 74], [60, 50], None),  # from an octave to two, against each other
    ([72, 77], [60, 53], None),
    ([72, 74], [48, 50], "parallel octaves at position 12"),
    ([72, 74], [72, 74], "parallel octaves at position 12"),
    ([72, 74], [67, 69], None),  # fourths
    ([65, 67], [72, 74], "parallel fifths at position 12"),
    ([72, 72], [65, 65], None),  # neither moves
    ([72, 86], [60, 62], "parallel octaves at position 12"),
    ([72, 74, 76], [65, None, 69], None),  # the upper one has moved on meanwhile
    ([(60, 72), (62, 74)], [65, 67], "parallel fifths at position 12"),
]


@pytest.mark.parametrize(("upper", "lower", "what"), PARALLEL)
def test_parallels_are_found(upper, lower, what):
    given = score(track("Flute", upper), track("Bass", lower))
    found = composer.check(given, NoParallels(parts=(1, "bass")))
    assert {(b.bar, b.what) for b in found} == ({(1, what)} if what else set())
    assert [b.part for b in found] == ([1, 2] if what else [])


def test_copies_are_found():
    other = score(track("Oboe", [60, 62, 64, 60, 67, 65]))
    higher = score(track("Flute", [67, 69, 71, 67, 74, 50]))
    slower = score(track("Flute", [60, 62, 64, None, 60, 67]))
    for given, options, length in [
        (higher, {}, 5),
        (higher, {"rhythm": True}, 5),
        (higher, {"transposed": False}, 0),
        (slower, {}, 5),
        (slower, {"rhythm": True}, 3),
        (slower, {"transposed": False}, 5),
    ]:
        for notes in range(2, 6):
            found = composer.check(given, NoQuote(other, notes, **options))
            assert bool(found) == (length > notes), (options, notes)


# What the automata follow


@pytest.mark.parametrize("seed", range(6))
def test_automata_find_the_copies_that_the_checker_finds(seed):
    rng = np.random.default_rng(seed)

    def line(name):
        return track(name, rng.integers(60, 63, 40).tolist(), step=int(rng.choice([240, 480])))

    constraint = NoQuote(
        score(line("A"), line("B")),
        int(rng.integers(2, 6)),
        transposed=bool(seed % 2),
        rhythm=seed % 3 == 0,
    )
    own = line("C")
    found = composer.check(score(own), constraint)
    starts = [48 * (b.bar - 1) + int(b.what.split()[-1]) for b in found]
    times = (own.notes["onset"] // 40).tolist()
    pitches = np.full(48 * 10, -1, np.int16)
    pitches[times] = own.notes["pitch"]
    copied = automata([(constraint, np.ones(48 * 10, bool))], 48 * 10)
    ends = [
        time for time in times if take_steps(copied, pitches, time + 1, *np.zeros((2, 1), np.int64))
    ]
    assert ends == starts
    assert ends


# Small cells, all lines tried


# As typed


def test_a_melody_keeps_lines_over_bar_lines(random_composer):
    other = composer.example("scarborough fair")
    where = [
        MaxLeap(4),
        NoQuote(other, notes=4),
        Cadence(degree=[1, 3], beat=3),
        Rhythm(required=[1], bars="1-3"),
        OnsetCount(min=2),
    ]
    for seed in range(3):
        tune = random_composer.melody("C Am F G", where=where, seed=seed)
        assert composer.check(tune, where) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_last_bar_whose_chords_lines_hang_on_may_do_without_the_tonic(random_composer, seed):
    tune = random_composer.melody("C F G C", seed=1)
    where = [ChordTones(bars=5), MaxLeap(5, bars=5)]
    longer = random_composer.extend(
        tune, 1, seed=seed, where=where, sampling=Sampling(tonic_ends=3)
    )
    assert composer.check(longer, where) == []


def test_a_bass_goes_in_no_parallels_with_a_melody(random_composer):
    given = score(track("Flute", [72, 74, 76, 77, 79, 77, 76, 74]))
    given = given.replace(chords=[(0, "C"), (1920, "G")])
    where = [NoParallels(parts=("flute", "bass")), Rhythm(required=[1, 2, 3, 4], parts="bass")]
    for seed in range(3):
        song = random_composer.arrange(given, ["bass"], where=where, seed=seed)
        assert composer.check(song, where) == []


def test_a_leap_to_a_given_note_counts(random_composer):
    given = score(track("Flute", [60, 60, 60, 60, None, None, None, None, 84, 84, 84, 84]))
    where = [MaxLeap(7)]
    new = random_composer.infill(given, "2", where=where, seed=1)
    assert composer.check(new, where) == []
    with pytest.raises(RequestError, match="no line as far as bar 3; drop one or widen it"):
        random_composer.infill(given, "2", where=[*where, OnsetCount(max=2)], seed=1)


REFUSED = [
    ([MaxLeap(2), Rhythm(required=[1]), PitchRange("C5-C5", bars=1), PitchRange("C6-C6", bars=2)],
     r"leave Flute no line as far as bar 2"),
    ([NoParallels(parts=(1, 1))], "is about two parts, not 1"),
    ([Cadence(beat=6)], r"Cadence\(beat=6\) needs a note on beat 6 in bar 2 of Flute"),
    ([Cadence(bars=1), OnsetCount(max=0)], r"Cadence\(\) in bar 1 of Flute needs 1 onset"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "message"), REFUSED)
def test_what_no_line_can_keep_is_refused(random_composer, where, message):
    with pytest.raises(RequestError, match=message):
        random_composer.melody("C G", where=where, seed=1)


def test_a_stream_refuses_what_looks_ahead(random_composer):
    for constraint in (MaxLeap(5), Cadence()):
        with pytest.raises(RequestError, match="the bars to come"):
            random_composer.stream("C G", where=constraint)
