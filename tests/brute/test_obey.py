"""Constraints hold whatever the weights say; what is refused is impossible. See ``obey``."""

import numpy as np
import pytest

from composer.checking.checker import check
from composer.constraints.counts import Monophonic, OnsetCount, Rhythm
from composer.constraints.pitches import ChordTones, InScale, PitchRange
from composer.errors import RequestError
from composer.generate.writer import Writer
from composer.model.cpu import CPUDecoder
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key
from tests.brute import asked, obey
from tests.conftest import random_model

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batch", range(12))
def test_any_request_is_met_or_rightly_refused(batch, cells):
    length = obey.CONTEXTS[batch % len(obey.CONTEXTS)]
    decoder = CPUDecoder(*random_model(cells.vocab_size, length))
    for seed in range(20 * batch, 20 * batch + 20):
        request = asked.random_asked(seed)
        name, failure = obey.outcome(*request, decoder, cells, obey.recounted)
        assert not failure, (seed, name, failure)


def unharmonised(seed):
    """Return a grid of a bar of two parts, what is asked of it, and what is written."""
    rng = np.random.default_rng([seed, 5])
    where = [ChordTones(everywhere=bool(rng.random() < 0.6))]
    for part in (1, 2):
        low = int(rng.integers(48, 72))
        where.append(PitchRange(low, low + int(rng.integers(0, 2)), parts=part))
        places = [1 + p / 2 for p in range(4) if rng.random() < 0.5] or [1.0]
        where.append(Rhythm(required=places, parts=part))
    if rng.random() < 0.5:
        where.append(InScale())
    if rng.random() < 0.5:
        where.append(OnsetCount(min=int(rng.integers(1, 6)), parts=1))
    rings = [(0, row, 0, int(rng.integers(48, 73)), 36, 76) for row in (0, 1)]
    grid = Grid(
        Key(int(rng.integers(12))),
        (Part("A", 0), Part("B", 0)),
        np.array([(2, 4, 500_000)] * 2, BAR),
        np.array([note for note in rings if rng.random() < 0.4], CELL_NOTE),
        np.empty(0, CELL_CHORD),
    )
    written = np.array([[False] * 3, [True] * 3])
    if rng.random() < 0.3:  # one of them is given, and the chords are to suit it
        written[1, 2] = False
        given = np.array([(1, 1, 0, 60, 6, 76), (1, 1, 12, 61, 6, 76)], CELL_NOTE)
        grid = grid.replace(notes=np.concatenate([grid.notes, given]))
        where = [constraint for constraint in where if constraint.parts != (2,)]
    return grid, where, written


@pytest.mark.parametrize("seed", range(24))
def test_a_bar_of_one_chord_is_refused_if_and_only_if_no_chord_would_do(seed, decoders, cells):
    grid, where, written = unharmonised(seed)

    def writer_of(grid, written):
        posted = post(where, grid.score(), grid, written, 2)
        request = Request(
            grid, written, (PartRules(),) * 2, seed=seed, posted=posted, chords_per_bar=1
        )
        decoders[512].reset()
        try:
            return Writer(request, decoders[512], cells)
        except RequestError:
            return None

    alone = written.copy()
    alone[:, 0] = False
    hanging = [constraint for constraint in where if constraint.by_chord]
    given = [row + 1 for row in (0, 1) if not written[1, row + 1]]
    possible = False
    for root, quality in np.ndindex(12, len(QUALITIES)):
        tried = grid.replace(chords=np.array([(1, 0, root, quality, -1)], CELL_CHORD))
        wrong = check(tried.score(), hanging, key=grid.key, bars=(2, 2), parts=given)
        possible = possible or (not wrong and writer_of(tried, alone) is not None)
    writer = writer_of(grid, written)
    assert (writer is not None) == possible
    if writer:
        asked.finish(writer)
        assert not check(writer.grid.score(), where, key=grid.key, bars=(2, 2))


def crowded(where, decoder, cells, seed=0):
    """Return a writer of a bar of three parts."""
    grid = Grid(
        Key.parse("C"),
        tuple(Part(name, 0) for name in "ABC"),
        np.array([(4, 4, 500_000)] * 2, BAR),
        np.empty(0, CELL_NOTE),
        np.empty(0, CELL_CHORD),
    )
    written = np.zeros((2, 4), bool)
    written[:, 1:] = True
    posted = post(where, grid.score(), grid, written, 2)
    rules = (PartRules(),) * 3
    decoder.reset()
    return Writer(Request(grid, written, rules, Sampling(2.0), seed, posted), decoder, cells)


CROWDS = [
    lambda count: [OnsetCount(min=count)],
    lambda count: [Rhythm(required=[1 + i / 6 for i in range(count)])],
    lambda count: [OnsetCount(min=count), Rhythm(required=[1 + i / 4 for i in range(count // 2)])],
]


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("length", [300, 512])
def test_as_many_onsets_as_the_context_holds_fit_into_it(crowd, length, short_decoder, cells):
    decoder = short_decoder(length).decoder
    count = 24
    while True:
        try:
            crowded(crowd(count), decoder, cells)
        except RequestError as error:
            count -= 1
            if "model's context" not in str(error):
                raise
        else:
            break
    assert 5 < count < 24
    for seed in range(3):
        writer = crowded(crowd(count), decoder, cells, seed)
        asked.finish(writer)
        assert not check(writer.grid.score(), crowd(count), bars=(1, 2))


# What is refused, in words


def refusal(where, *, notes=(), chords=(), rules=None, meter=(4, 4), decoder=None, cells=None):
    bars = np.array([(*meter, 500_000)] * 4, BAR)
    grid = Grid(
        Key.parse("C"),
        (Part("Piano", 0),),
        bars,
        np.array(list(notes), CELL_NOTE),
        np.array(list(chords), CELL_CHORD),
    )
    written = np.zeros((4, 2), bool)
    written[2, 1] = True
    posted = post(where, grid.score().replace(), grid, written, 4)
    request = Request(grid, written, (rules or PartRules(),), posted=posted)
    with pytest.raises(RequestError) as error:
        Writer(request, decoder, cells)
    return str(error.value)


AM = Chord.parse("Am")
CLASHES = [
    (
        [OnsetCount(min=9), Rhythm(allowed=[1 + i / 2 for i in range(8)]), InScale()],
        "OnsetCount(min=9) in bar 3 of Piano needs 9 onsets; Rhythm(allowed=[1.0, 1.5, 2.0, 2.5, "
        "3.0, 3.5, 4.0, 4.5]) allows 8",
    ),
    (
        [OnsetCount(min=49), OnsetCount(max=50)],
        "OnsetCount(min=49) in bar 3 of Piano needs 49 onsets; the bar allows 48",
    ),
    (
        [Monophonic(), OnsetCount(min=4), OnsetCount(max=3)],
        "OnsetCount(min=4) in bar 3 of Piano needs 4 onsets; OnsetCount(max=3) allows 3",
    ),
    (
        [Rhythm(required=[1, 2, 3]), OnsetCount(max=2)],
        "Rhythm(required=[1, 2, 3]) in bar 3 of Piano needs 3 onsets; OnsetCount(max=2) allows 2",
    ),
    (
        [Rhythm(required=[3]), Rhythm(allowed=[1, 2])],
        "Rhythm(required=[3]) needs a note on beat 3 in bar 3 of Piano; Rhythm(allowed=[1, 2]) "
        "allows none there",
    ),
    (
        [PitchRange("C#4-C#4"), InScale(), OnsetCount(max=4)],
        "PitchRange(low=61, high=61) and InScale() leave no pitch in bar 3 of Piano; widen it or "
        "drop one",
    ),
    (
        [Rhythm(required=[6])],
        "Rhythm(required=[6]) needs a note on beat 6 in bar 3 of Piano, which has 4 beats; name "
        "others or leave this bar out",
    ),
]


@pytest.mark.parametrize(("where", "message"), CLASHES)
def test_a_refusal_names_the_smallest_clash(where, message, decoders, cells):
    assert refusal(where, decoder=decoders[512], cells=cells) == message


def test_notes_that_ring_into_the_cell_count(decoders, cells):
    ringing = [(0, 0, 0, 60, 120, 76)]
    text = refusal(
        [Monophonic(), Rhythm(required=[2])], notes=ringing, decoder=decoders[512], cells=cells
    )
    assert text == (
        "Rhythm(required=[2]) needs a note on beat 2 in bar 3 of Piano; Monophonic() allows none "
        "there beside the notes that sound on"
    )


def test_more_onsets_than_the_context_holds_are_refused_beforehand(short_decoder, cells):
    decoder = short_decoder(256).decoder
    text = refusal([OnsetCount(min=40)], decoder=decoder, cells=cells)
    assert "OnsetCount(min=40) may take 160 ids in bar 3" in text
