"""The groove says what drums may go on with, and which bar it is taken from."""

import dataclasses

import numpy as np
import pytest

import composer
from composer import DrumPieces, Sampling, metrics
from composer.form.letters import Form
from composer.form.outline import Outline
from composer.generate.repeats import Groove, groove_of
from composer.planning.write import SAMPLING
from composer.request.request import PartRules, Request
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.theory.keys import Key
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.cells.levels import Levels

pytestmark = pytest.mark.slow

VOCABULARY = Cells().vocabulary
AFTER = 0
LOUD, SOFT = 112, 40
#: Kick and hi-hat, snare, kick.
HITS = [(0, 36, LOUD), (0, 42, SOFT), (12, 38, SOFT), (24, 36, SOFT)]


def grid(bars=8, played=range(8), signatures=None):
    """Return a bass and drums that play, in each of some bars, as many hits as its number says."""
    rows = np.array(signatures or [(4, 4)] * bars)
    rows = np.array([(*row, 500_000) for row in rows.tolist()], BAR)
    notes = [(bar, 0, 0, 40, 12, 80) for bar in range(bars)]
    notes += [(bar, 1, 0, 36 + hit, 1, 80) for bar in played for hit in range(bar + 1)]
    cells = np.array(sorted(notes), CELL_NOTE)
    parts = (Part("Bass", 33), Part("Drums", 0, True))
    return Grid(Key.parse("C"), parts, rows, cells, np.empty(0, CELL_CHORD))


class At:
    """As much of a cursor as a groove looks at."""

    def __init__(self, position, rank=-1, velocity=-1):
        self.position, self.rank, self.velocity = position, rank, velocity


def following(position, rank=-1, velocity=-1):
    notes = np.array([(0, 1, at, pitch, 1, loud) for at, pitch, loud in HITS], CELL_NOTE)
    groove = Groove(VOCABULARY, grid().replace(notes=notes), 0, 1, 9.0)
    changes = groove.changes(At(position, rank, velocity), AFTER)
    assert {*changes.values()} == {9.0}
    return {VOCABULARY.tokens[index] for index in changes}


def test_a_groove_goes_on_from_anywhere():
    assert following(-1) == {"Position_0"}
    assert following(0) == {"Drum_36", "Velocity_14"}
    assert following(0, 36, velocity=14) == {"Drum_42", "Velocity_5"}
    assert following(0, 36, velocity=5) == {"Drum_42"}
    assert following(0, 40, velocity=5) == {"Drum_42"}  # behind a hit that the bar has not
    assert following(0, 42) == following(6) == following(6, 38) == {"Position_12"}
    assert following(24, 36) == following(30, 36) == {VOCABULARY.tokens[AFTER]}


def source(bar, column=2, score=None, written=None, given=None, factor=16, **settings):
    """Return which bar the drums of a bar are like, and how much; 0 for none."""
    score = score or grid(played=range(bar))
    bars = len(score.bars)
    if written is None:
        written = np.ones((bars, 3), bool)
    request = Request(
        given or grid(bars, played=()),
        written,
        (PartRules("bass"), PartRules()),
        Sampling(repeat_drums=factor),
        **settings,
    )
    groove = groove_of(request, VOCABULARY, score, bar, column)
    if groove is None:
        return 0, 0
    hits = 0
    while (drum := groove.changes(At(0, 35 + hits, 15), AFTER)).keys() != {AFTER}:
        hits += 1
    return hits, drum[AFTER]  # bar 0 has one hit, and so on


def test_bars_are_like_one_at_the_same_place_of_the_phrase():
    found = [source(bar)[0] for bar in range(8)]
    assert found == [0, 1, 1, 2, 1, 2, 3, 4]
    later = [source(bar, score=grid(16, played=range(bar)))[0] for bar in (8, 9, 14, 15)]
    assert later == [1, 2, 3, 4]  # of the first phrase, so that the groove does not wear off
    assert source(4, column=1) == source(4, column=0) == source(4, factor=1) == (0, 0)


def test_where_phrases_end_there_may_be_a_fill():
    assert [source(bar)[1] for bar in range(1, 8)] == [16, 16, 4, 16, 16, 16, 4]
    short = grid(7, played=range(6))
    assert source(6, score=short) == (3, 4)  # the end of the piece


def test_bars_without_drums_are_passed_over():
    assert source(4, score=grid(played=[2])) == (3, 16)
    assert source(4, score=grid(played=[1])) == (0, 0)


def test_a_section_has_a_groove_of_its_own_and_a_variation_that_of_what_it_varies():
    outline = Form.parse("A3 B3 A2").outline(8)
    assert source(2, outline=outline) == (1, 4)  # before B
    assert source(3, outline=outline) == (0, 0)
    assert source(4, outline=outline) == (4, 16)
    assert source(7, outline=outline) == (2, 4)
    assert source(7, outline=Outline.free(8)) == (4, 4)


def test_a_pickup_is_no_bar_of_a_phrase():
    rows = [(1, 4), *[(4, 4)] * 7]
    assert [source(bar, score=grid(played=range(bar), signatures=rows)) for bar in (1, 4, 5)] == [
        (0, 0),
        (3, 4),
        (2, 16),
    ]


def test_bars_of_other_meters_or_controls_are_passed_over():
    rows = [(4, 4), (3, 4), (4, 4), (3, 4), (4, 4), (4, 4), (4, 4), (4, 4)]
    assert source(5, score=grid(played=range(5), signatures=rows)) == (5, 16)
    levels = Levels.none(8, 2)
    levels.cells[4:, 1, 0] = 5
    assert source(4, levels=levels) == (0, 0)
    assert source(5, levels=levels) == (5, 16)
    levels.cells[:4, 1, 0] = 5
    assert source(4, levels=levels) == (1, 16)


def test_notes_that_are_to_become_others_are_not_written_like_those_that_stay():
    written = np.zeros((8, 3), bool)
    written[4:7, 2] = True
    assert source(4, written=written) == (1, 16)  # nothing was there
    assert source(4, written=written, given=grid()) == (0, 0)
    assert source(5, written=written, given=grid()) == (5, 16)


def test_drums_come_back_to_their_bars_and_are_others_in_other_pieces():
    tune = composer.example("i saw three ships")

    def drums(factor):
        settings = dataclasses.replace(SAMPLING, repeat_drums=factor)
        return [composer.arrange(tune, "drums", seed=s, sampling=settings) for s in range(6)]

    def shares(songs):
        return [metrics.repeated_bars(song, "drums") for song in songs]

    usual = drums(SAMPLING.repeat_drums)
    found = [np.mean(shares(songs)) for songs in (drums(0.1), drums(1), usual)]
    assert found == sorted(found)
    assert found[1] < 0.35
    assert found[2] > 0.5
    assert max(shares(usual)) < 1  # it begins with something, and has fills
    assert len({song.tracks[-1].notes.tobytes() for song in usual}) == len(usual)


def test_new_drums_in_the_middle_of_a_piece_have_a_groove_of_their_own():
    song = composer.arrange(composer.example("red river valley"), "bass, drums", seed=3)

    def hits(score, bars):
        notes = score.tracks[2].notes
        at, place = score.meter.bar_and_position(notes["onset"])
        cells = [np.stack([place, notes["pitch"]])[:, at == bar] for bar in bars]
        return [cell.tobytes() for cell in cells]

    new = [composer.infill(song, "5-12", "drums", seed=seed) for seed in range(3)]
    assert not {*hits(song, range(4, 12))} & {cell for s in new for cell in hits(s, range(4, 12))}
    assert np.mean([len({*hits(score, range(4, 12))}) for score in new]) <= 6


def test_a_groove_has_a_kick_a_snare_and_what_keeps_the_time():
    tune = composer.example("red river valley")
    kinds = [{35, 36}, {37, 38, 39, 40}, {42, 44, 46, 51, 53, 59}]

    def kinds_hit(factor):
        settings = dataclasses.replace(SAMPLING, full_kit=factor)
        songs = [composer.arrange(tune, "drums", seed=s, sampling=settings) for s in range(6)]
        hits = [{*song.tracks[-1].notes["pitch"].tolist()} for song in songs]
        return sum(bool(pitches & kind) for pitches in hits for kind in kinds)

    assert kinds_hit(0.1) < kinds_hit(1) < kinds_hit(SAMPLING.full_kit)
    assert kinds_hit(SAMPLING.full_kit) >= 16  # of 18


def test_drums_stay_without_what_they_may_not_have():
    tune = composer.example("red river valley")
    song = composer.arrange(tune, "drums", seed=1, where=[DrumPieces("hi-hat")])
    assert {*song.tracks[-1].notes["pitch"].tolist()} <= {42, 44, 46}
