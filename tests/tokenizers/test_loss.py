import dataclasses

import numpy as np
import pytest
from hypothesis import given

from composer import Score, Track
from composer.tokenizers import REMI, Cells, RemiConfig, REMIPlus
from composer.tokenizers.bins import TEMPOS
from tests.strategies import moderate, scores

TOKENIZERS = [Cells(), REMI(), REMIPlus()]
tokenizers = pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda t: t.format)


def tune(*notes, **changes):
    return Score(tpq=120, tracks=(Track(notes=notes),), **changes)


def in_c(*notes, **changes):
    """A tune whose key is said, so that none is inferred."""
    return tune(*notes, key_signatures=[(0, 0, 0)], **changes)


def losses(report):
    """Return what a report says was lost, the number of notes and zeros left out."""
    table = dataclasses.asdict(report)
    del table["notes"], table["key_signatures_dropped"]
    return {name: value for name, value in table.items() if value}


@tokenizers
def test_a_score_on_the_grid_loses_nothing(tokenizer):
    score = in_c((0, 120, 60, 92), (120, 240, 62, 92), tempos=[(0, int(TEMPOS[31]))])
    assert tokenizer.loss(score).notes == 2
    assert losses(tokenizer.loss(score)) == {}


@tokenizers
def test_moved_onsets_and_changed_durations_are_measured_in_beats(tokenizer):
    # A position is ten ticks here. The second note keeps its length, the third is clipped.
    score = in_c((0, 120, 60, 92), (124, 120, 60, 92), (480, 120 * 40, 60, 92))
    report = tokenizer.loss(score.replace(tempos=[(0, int(TEMPOS[31]))]))
    assert losses(report) == {
        "onsets_moved": 1,
        "onset_error_mean": pytest.approx(4 / 120 / 3),
        "onset_error_max": pytest.approx(4 / 120),
        "durations_changed": 1,
        "durations_clipped": 1,
        "duration_error_mean": pytest.approx(8 / 3),
    }


@tokenizers
def test_merged_notes_and_velocities_are_counted(tokenizer):
    score = tune((0, 120, 60, 92), (1, 120, 60, 92), (0, 120, 62, 90), tempos=[(0, TEMPOS[31])])
    report = tokenizer.loss(score)
    assert (report.notes, report.notes_merged, report.onsets_moved) == (3, 1, 1)
    assert report.velocities_changed == 1
    assert report.velocity_error_mean == pytest.approx(2 / 3)


def test_tracks_of_one_program_merge_in_remi_plus_only():
    two = Score(12, (Track(notes=[(0, 12, 60, 92)]),) * 2)
    assert [t.loss(two).notes_merged for t in TOKENIZERS] == [0, 1, 1]


def test_drums_are_dropped_by_remi_only_and_their_length_is_no_loss():
    kit = Score(12, (Track(is_drum=True, notes=[(0, 40, 36, 92)]),))
    assert [t.loss(kit).notes_dropped for t in TOKENIZERS] == [0, 1, 0]
    assert [t.loss(kit).durations_changed for t in TOKENIZERS] == [0, 0, 0]


def test_signatures_and_tempos_that_change_are_counted():
    score = tune(
        (0, 1920, 60, 92),
        tempos=[(0, 500_000), (480, int(TEMPOS[20]))],
        time_signatures=[(0, 4, 4), (480, 3, 4), (841, 13, 4), (9999, 3, 32)],
    )
    reports = [tokenizer.loss(score) for tokenizer in TOKENIZERS]
    assert [report.time_signatures_changed for report in reports] == [1, 2, 1]
    assert [report.tempos_changed for report in reports] == [1, 1, 1]
    off = pytest.approx(TEMPOS[31] / 500_000 - 1)
    assert [report.tempo_error_max for report in reports] == [off] * 3


def test_what_has_no_token_is_counted():
    score = tune((0, 120, 60, 92), chords=[(0, "C"), (120, "H7")], markers=[(0, "Verse")])
    track = score.tracks[0].replace(controls=[(0, 7, 100)], lyrics=[(0, "la")])
    score = score.replace(tracks=(track,))
    assert [t.loss(score).chords_dropped for t in TOKENIZERS] == [1, 1, 1]
    assert REMI(RemiConfig(chords=False)).loss(score).chords_dropped == 2
    assert [t.loss(score).events_dropped for t in TOKENIZERS] == [3, 3, 3]


@tokenizers
@moderate
@given(score=scores())
def test_what_is_quantised_loses_nothing_more(tokenizer, score):
    quantized = tokenizer.quantize(score)
    report = tokenizer.loss(quantized)
    assert losses(report) == {}
    before = tokenizer.loss(score)
    kept = before.notes - before.notes_dropped - before.notes_merged
    assert kept == report.notes == sum(len(track.notes) for track in quantized.tracks)
    assert before.onset_error_max <= 1 / 24 + 1e-9
    assert np.isfinite(list(dataclasses.asdict(before).values())).all()


def test_a_report_can_be_read():
    text = str(Cells().loss(tune((0, 120, 60, 92), (124, 120, 60, 90))))
    assert text.splitlines()[:2] == [
        "2 notes: 0 dropped, 0 merged",
        "onsets: 1 moved, by 0.0167 beats on average, 0.0333 at most",
    ]
    assert len(text.splitlines()) == 8
