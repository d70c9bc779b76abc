"""Verbs leave all else as it was, on a few real files; ``tests/fuzz/untouched.py`` tries more."""

from pathlib import Path

import numpy as np
import pytest

from composer import Score, Text, Track
from tests.fuzz import untouched

FILES = sorted(Path(__file__).parents[1].joinpath("data").glob("*.mid"))


def crowded():
    """Twenty tracks on channels that they share, played freely, bends and pedals among them."""
    rng = np.random.default_rng(3)
    tracks = [
        Track(
            f"Track {row}",
            row,
            row == 9,
            notes=rng.integers((0, 0, 60, 1), (7000, 900, 66, 128), (12, 4)).tolist(),
            controls=[(0, 7, 100), (3000, 64, 127), (4000, 64, 0)],
            pitch_bends=[(2000, 500), (2400, 0)],
            lyrics=[Text(1000, "la")],
        )
        for row in range(20)
    ]
    return Score(
        480,
        tracks,
        tempos=[(0, 500_000), (3333, 400_000)],
        time_signatures=[(0, 7, 8), (3360, 4, 4)],
        markers=[Text(5, "A")],
        chords=[Text(0, "C"), Text(1670, "F")],
    )


@pytest.mark.filterwarnings("ignore::composer.ComposerWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_edits_of_a_real_file_leave_all_else(random_composer, path):
    wrong, counts = untouched.try_out(random_composer, Score.read(path), np.random.default_rng(1))
    assert not wrong
    assert sum(counts.values())


@pytest.mark.filterwarnings("ignore::composer.ComposerWarning")
@pytest.mark.parametrize("seed", range(3))
def test_edits_of_a_crowded_score_leave_all_else(random_composer, seed):
    score = untouched.written(crowded())
    wrong, counts = untouched.try_out(random_composer, score, np.random.default_rng(seed))
    assert not wrong
    assert sum(counts.values())


def test_a_change_elsewhere_is_noticed():
    score = crowded()
    cells = {(1, 1)}
    first, *others = score.tracks
    moved = others[0].notes.copy()
    moved["onset"][3] += 1
    for tracks in (
        (first, others[0].replace(notes=moved), *others[1:]),
        (first.replace(pitch_bends=()), *others),
        (first, *others[1:]),
    ):
        assert untouched.changed(score, score.replace(tracks=tracks), cells)
    for changes in (
        {"tempos": [(0, 500_000)]},
        {"markers": ()},
        {"chords": score.chords[:1]},
        {"chords": (*score.chords, Text(2000, "F"))},
    ):
        assert untouched.changed(score, score.replace(**changes), cells)
    assert not untouched.changed(score, score.replace(tracks=score.tracks), cells)
