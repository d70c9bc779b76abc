"""What the property tests draw: scores of every kind, and walks through a grammar."""

from functools import lru_cache

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from composer import Score, Track
from composer.theory.chords import QUALITIES, Chord
from composer.tokenizers import REMI, Cells, CellsConfig, RemiConfig, REMIPlus
from composer.tokenizers.bins import TEMPO_BINS

#: Settings of a property that draws whole scores.
moderate = settings(max_examples=40, deadline=None)

TPQS = (1, 2, 5, 7, 12, 24, 96, 100, 480, 960, 32767)
CHORDS = [
    Chord(root, quality, bass).symbol()
    for root, quality, bass in [(0, 0, None), (9, 1, 4), (6, 5, None), (11, 10, 6), (3, 21, 1)]
] + ["N.C.", "NC", "Fmaj7/E", "Bb13", "D/F#"]


@st.composite
def ticks(draw, tpq, quarters=16):
    """A tick on or off the grid, early more often than late, now and then behind a huge gap."""
    unit = draw(st.sampled_from((tpq, max(1, tpq // 4), 1)))
    gap = draw(st.sampled_from((0,) * 9 + (250 * tpq,)))
    return gap + unit * draw(st.integers(0, quarters * tpq // unit))


@st.composite
def tracks(draw, tpq):
    pitches = draw(st.sampled_from((st.integers(60, 63), st.integers(0, 127))))
    durations = st.one_of(st.sampled_from((0, 1, tpq, 4 * tpq)), st.integers(0, 40 * tpq))
    notes = st.lists(st.tuples(ticks(tpq), durations, pitches, st.integers(1, 127)), max_size=12)
    return Track(
        name=draw(st.sampled_from(("", "Flute"))),
        program=draw(st.sampled_from((0, 1, 73, 127))),
        is_drum=draw(st.booleans()),
        notes=draw(notes),
        controls=draw(st.sampled_from(((), ((0, 7, 100),), ((0, 64, 127), (9, 64, 0))))),
        pedals=draw(st.lists(st.tuples(ticks(tpq), durations), max_size=3)),
        pitch_bends=draw(st.lists(st.tuples(ticks(tpq), st.integers(-8192, 8191)), max_size=3)),
        lyrics=draw(st.sampled_from(((), ((0, "la"),)))),
    )


@st.composite
def scores(draw, max_tracks=5, chord_texts=tuple(CHORDS)):
    """A score off the grid: odd meters that begin inside bars, tempos, chords, any ``tpq``."""
    tpq = draw(st.sampled_from(TPQS))
    tick = ticks(tpq)
    numerators = st.one_of(st.integers(1, 12), st.integers(1, 255))
    denominators = st.sampled_from((1, 2, 4, 4, 8, 16, 32, 64))
    mspq = st.one_of(st.integers(200_000, 2_000_000), st.integers(1, 2**24 - 1))
    keys = st.tuples(tick, st.integers(-7, 7), st.integers(0, 1))
    return Score(
        tpq=tpq,
        tracks=draw(st.lists(tracks(tpq), max_size=max_tracks)),
        tempos=draw(st.lists(st.tuples(tick, mspq), max_size=4)),
        time_signatures=draw(st.lists(st.tuples(tick, numerators, denominators), max_size=4)),
        key_signatures=draw(st.lists(keys, max_size=2)),
        chords=draw(st.lists(st.tuples(tick, st.sampled_from(chord_texts)), max_size=6)),
        markers=draw(st.lists(st.tuples(tick, st.just("Verse")), max_size=1)),
    )


@st.composite
def remi_configs(draw):
    """Settings of REMI or REMI+, any of each with any of the others that they do not contradict."""
    programs, tempos = draw(st.booleans()), draw(st.booleans())
    drum_tokens = not programs or draw(st.booleans())
    durations = st.lists(st.integers(1, 400), min_size=1, max_size=9, unique=True)
    return RemiConfig(
        programs=programs,
        time_signatures=draw(st.booleans()),
        tempos=tempos,
        tempo_bins=draw(st.sampled_from((2, 9, 49, 193))) if tempos else TEMPO_BINS,
        chords=draw(st.booleans()),
        velocity_bins=draw(st.sampled_from((0, 1, 5, 16, 64, 127))),
        resolution=draw(st.sampled_from((4, 8, 12, 20, 24, 96))),
        microtiming=draw(st.sampled_from((0, 0, 2, 6, 10, 64))),
        durations=draw(st.one_of(st.none(), durations.map(sorted))),
        rests=draw(st.booleans()),
        pedals=draw(st.booleans()),
        pitch_bends=draw(st.sampled_from((0, 0, 3, 9, 255))),
        drum_tokens=drum_tokens,
        relative_pitch=drum_tokens and draw(st.booleans()),
    )


@lru_cache(maxsize=500)
def remi(config):
    """The tokenizer of a configuration."""
    return (REMIPlus if config.programs else REMI)(config)


#: Tokenizers of every kind that there can be.
remis = remi_configs().map(remi)
every_cells = st.integers(1, 64).map(lru_cache(lambda count: Cells(CellsConfig(count))))
tokenizers = st.one_of(remis, every_cells)


def chords():
    """Every chord there is."""
    basses = st.one_of(st.none(), st.integers(0, 11))
    return st.builds(Chord, st.integers(0, 11), st.integers(0, len(QUALITIES) - 1), basses)


def distances(grammar):
    """Return how many ids each state is from the end, order left out of account."""
    known = {"end": 0}
    for _ in grammar.table:
        for state, row in grammar.table.items():
            reached = [
                1 + known.get(after, 3 * after.startswith("@") or 99) for after in row.values()
            ]
            known[state] = min([known.get(state, 99), *reached])
    return known


def walk(grammar, seed, length, without=()):
    """Return a sequence drawn from what the grammar allows, brought to its end after ``length``.

    Families are drawn first, so that small ones are heard; every state must have a way on.
    """
    rng = np.random.default_rng(seed)
    away = distances(grammar)
    cursor, ids = grammar.start(), []
    while row := grammar.table[cursor.state]:
        allowed = grammar.allowed(cursor)
        open_families = [
            family
            for family in row
            if family not in without and allowed[grammar.vocabulary.slices[family]].any()
        ]
        assert open_families, f"{cursor} has no way on"
        if len(ids) > length:
            open_families = [min(open_families, key=lambda f: away.get(row[f], 3))]
        family = open_families[rng.integers(len(open_families))]
        at = grammar.vocabulary.slices[family]
        ids.append(int(rng.choice(at.start + np.flatnonzero(allowed[at]))))
        grammar.advance(cursor, ids[-1])
    return np.array(ids, np.int32)


seeds = st.integers(0, 2**32 - 1)
