"""Constraints on lines: as typed, as checked, as kept, and refused only where nothing would do."""

from itertools import product

import numpy as np
import pytest

import composer
from composer import (
    Cadence,
    ChordTones,
    InScale,
    MaxLeap,
    MaxPolyphony,
    Monophonic,
    NoParallels,
    NoRepeat,
    NoteCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
    Track,
)
from composer.decoding.copied import automata
from composer.decoding.line_kernels import take_steps
from composer.decoding.request import PartRules, Request
from composer.decoding.sampling import Sampling
from composer.decoding.writer import Writer
from composer.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.symbols import Key
from composer.writing.scopes import demands_on
from tests import asked

MADE = [
    (lambda: MaxLeap(-1), "semitones from 0 on"),
    (lambda: MaxLeap(2.5), "semitones from 0 on"),
    (lambda: NoParallels(), "about two parts"),
    (lambda: NoParallels(parts="flute"), "about two parts"),
    (lambda: Cadence(degree=8), "none of 1 to 7"),
    (lambda: Cadence(degree=1.0), "degree 1.0 is none of 1 to 7"),
    (lambda: Cadence(degree=[]), "none of 1 to 7"),
    (lambda: Cadence(beat=1.1), "not on the grid"),
    (lambda: NoRepeat("tune.mid"), "about a score"),
    (lambda: NoRepeat(Score(), notes=1), "2 or more"),
]


@pytest.mark.parametrize(("make", "message"), MADE)
def test_a_constraint_is_checked_when_it_is_made(make, message):
    with pytest.raises(RequestError, match=message):
        make()


def track(name, pitches, *, step=480, program=0, is_drum=False):
    """Return a track of notes one after the other; a tuple begins together, None is a rest."""
    rows = []
    for i, pitch in enumerate(pitches):
        chord = () if pitch is None else pitch if isinstance(pitch, tuple) else (pitch,)
        rows += [(i * step, step, one, 80) for one in chord]
    return Track(name, program, is_drum, rows)


def score(*tracks):
    return Score(tpq=480, tracks=tracks, key_signatures=[(0, 0, 0)])


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
            found = composer.check(given, NoRepeat(other, notes, **options))
            assert bool(found) == (length > notes), (options, notes)


# What the automata follow


@pytest.mark.parametrize("seed", range(6))
def test_automata_find_the_copies_that_the_checker_finds(seed):
    rng = np.random.default_rng(seed)

    def line(name):
        return track(name, rng.integers(60, 63, 40).tolist(), step=int(rng.choice([240, 480])))

    constraint = NoRepeat(
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


def tiny_request(seed):
    """Return a request for some cells of four bars of 1/16, and its constraints."""
    rng = np.random.default_rng([seed, 11])
    rows = int(rng.integers(1, 3))
    notes = [
        (bar, row, place, int(rng.integers(60, 64)), 1, 76)
        for bar, row, place in product((0, 3), range(rows), range(3))
        if rng.random() < 0.4
    ]
    grid = Grid(
        Key(0),
        tuple(Part(name, 0) for name in ("A", "B")[:rows]),
        np.array([(1, 16, 500_000)] * 4, BAR),
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.empty(0, CELL_CHORD),
    )
    written = np.zeros((4, 1 + rows), bool)
    written[1, 1:] = True
    if rows == 1:
        written[2, 1] = True
    low = int(rng.integers(60, 63))
    where = [PitchRange(low, low + 1), *([InScale()] if rng.random() < 0.2 else [])]
    for _ in range(int(rng.integers(1, 3))):
        where.append(line_constraint(rng, rows))
    for _ in range(int(rng.integers(0, 3))):
        where.append(cell_constraint(rng, rows))
    demands = demands_on(where, grid.score(), grid, written, 4)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = tuple(PartRules(monophonic=bool(rng.random() < 0.3)) for _ in range(rows))
    return Request(grid, written, rules, sampling, seed, demands), where


def line_constraint(rng, rows):
    kind = rng.integers(4)
    if kind == 0:
        return MaxLeap(int(rng.integers(0, 3)))
    if kind == 1:
        degrees = [int(d) for d in rng.integers(1, 4, 2)]
        return Cadence(degrees, 1 + int(rng.integers(3)) / 12, bars=2)
    if kind == 2 and rows == 2:
        return NoParallels(parts=(1, 2))
    pitches = rng.integers(60, 63, 8).tolist()
    return NoRepeat(
        score(track("C", pitches, step=40)),
        2,
        transposed=bool(rng.random() < 0.7),
        rhythm=bool(rng.random() < 0.3),
    )


def cell_constraint(rng, rows):
    kind = rng.integers(5)
    part = None if rng.random() < 0.5 else int(rng.integers(1, rows + 1))
    places = [1 + p / 12 for p in range(3) if rng.random() < 0.7] or [1]
    if kind == 0:
        return NoteCount(min=int(rng.integers(1, 4)), parts=part)
    if kind == 1:
        return NoteCount(max=int(rng.integers(0, 3)), parts=part)
    if kind == 2:
        return Rhythm(required=places, parts=part)
    if kind == 3:
        return Rhythm(allowed=places, parts=part)
    return MaxPolyphony(2) if rng.random() < 0.3 else Monophonic()


def is_possible(request, where):
    """Return whether any lines at all keep the constraints: all are tried.

    A note beside a highest one, or a longer one, never makes anything possible.
    """
    grid, low, high = request.grid, where[0].low, where[0].high
    cells = np.argwhere(request.written[:, 1:]).tolist()
    places = [(bar, row, place) for bar, row in cells for place in range(3)]
    for pitches in product((None, *range(low, high + 1)), repeat=len(places)):
        notes = [(*at, pitch, 1) for at, pitch in zip(places, pitches, strict=True) if pitch]
        rows = np.array([(*note, 76) for note in notes], CELL_NOTE)
        tried = grid.replace(notes=sorted_notes(np.concatenate([grid.notes, rows])))
        if not asked.breaches(request, tried, where):
            return True
    return False


def refusal(request, decoder, cells):
    """Return why a request is refused, or write it and return None with the grid."""
    decoder.reset()
    try:
        writer = Writer(request, decoder, cells)
    except RequestError as error:
        return str(error), None
    asked.finish(writer)
    return None, writer.grid


def meet_or_refuse(request, where, is_possible, decoder, cells):
    """Hold that a request is met, or refused because nothing would do."""
    message, grid = refusal(request, decoder, cells)
    if grid is not None:
        assert not asked.breaches(request, grid, where), request.seed
    elif "no pitch" not in message:
        assert not is_possible(request, where), (request.seed, message)


@pytest.mark.parametrize("batch", range(4))
def test_small_requests_are_refused_if_and_only_if_no_lines_at_all_would_do(batch, decoders, cells):
    for seed in range(6 * batch, 6 * batch + 6):
        meet_or_refuse(*tiny_request(seed), is_possible, decoders[512], cells)


# As typed


def test_a_melody_keeps_lines_over_bar_lines(random_composer):
    other = composer.example("scarborough fair")
    where = [
        MaxLeap(4),
        NoRepeat(other, notes=4),
        Cadence(degree=[1, 3], beat=3),
        Rhythm(required=[1], bars="1-3"),
        NoteCount(min=2),
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
        random_composer.infill(given, "2", where=[*where, NoteCount(max=2)], seed=1)


REFUSED = [
    ([MaxLeap(2), Rhythm(required=[1]), PitchRange("C5-C5", bars=1), PitchRange("C6-C6", bars=2)],
     r"leave Flute no line as far as bar 2"),
    ([NoParallels(parts=(1, 1))], "is about two parts, not 1"),
    ([Cadence(beat=6)], r"Cadence\(beat=6\) needs a note on beat 6 in bar 2 of Flute"),
    ([Cadence(bars=1), NoteCount(max=0)], r"Cadence\(\) in bar 1 of Flute needs 1 onset"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "message"), REFUSED)
def test_what_no_line_can_keep_is_refused(random_composer, where, message):
    with pytest.raises(RequestError, match=message):
        random_composer.melody("C G", where=where, seed=1)


def test_a_stream_refuses_what_looks_ahead(random_composer):
    for constraint in (MaxLeap(5), Cadence()):
        with pytest.raises(RequestError, match="the bars to come"):
            random_composer.stream("C G", where=constraint)
