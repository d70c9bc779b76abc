import os

import numpy as np
import pytest

from composer import Score, Track, TrainingError
from composer.tokenizers import Cells
from composer.training.corpus import Corpus, annotate, gather_parts, prepare

pytestmark = pytest.mark.slow

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def tune(seed: int = 0, bars: int = 4) -> Score:
    pitches = np.random.default_rng(seed).choice(SCALE, 4 * bars).tolist()
    notes = [(480 * i, 480, pitch, 90) for i, pitch in enumerate(pitches)]
    return Score(tracks=(Track("Melody", 73, notes=notes),))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "midi"
    for first, group in enumerate(("songs", "dances")):
        (root / group).mkdir(parents=True)
        for i in range(30):
            tune(30 * first + i).write(root / group / f"{i:02}.mid")
    return root


def test_a_prepared_piece_decodes_to_the_quantised_score(folder, tmp_path):
    cells = Cells()
    corpus = prepare(folder, tmp_path / "out", cells)
    assert len(corpus.pieces) == 60
    assert {piece.group for piece in corpus.pieces} == {"songs", "dances"}
    first = corpus.pieces[0]
    score = Score.read(folder / first.path)
    assert cells.decode(corpus.ids(0)) == cells.quantize(annotate(score))
    assert corpus.grid(0).score() == cells.quantize(annotate(score))


def test_some_but_not_all_files_are_held_out_and_always_the_same(folder, tmp_path):
    one = prepare(folder, tmp_path / "one", Cells())
    two = prepare(folder, tmp_path / "two", Cells(), workers=2)
    held_out = [piece.path for piece in one.pieces if piece.held_out]
    assert 0 < len(held_out) < 30
    assert held_out == [piece.path for piece in two.pieces if piece.held_out]
    for i in range(60):
        np.testing.assert_array_equal(one.ids(i), two.ids(i))


def test_what_is_prepared_is_used_again_until_a_file_changes(folder, tmp_path):
    out = tmp_path / "out"
    prepare(folder, out, Cells())
    stamp = os.stat(out / "ids-00000.npy").st_mtime_ns
    prepare(folder, out, Cells())
    assert os.stat(out / "ids-00000.npy").st_mtime_ns == stamp
    tune(99, bars=6).write(folder / "songs" / "new.mid")
    assert len(prepare(folder, out, Cells()).pieces) == 61


def test_files_of_no_use_are_left_out_with_their_reason(folder, tmp_path):
    (folder / "songs" / "broken.mid").write_bytes(b"MThd, so it says")
    Score(tracks=(Track(notes=[(0, 480, 60, 90)]),)).write(folder / "songs" / "short.mid")
    corpus = prepare(folder, tmp_path / "out", Cells())
    assert list(corpus.refused) == ["songs/broken.mid", "songs/short.mid"]
    assert "broken.mid" in corpus.refused["songs/broken.mid"]
    assert corpus.refused["songs/short.mid"] == "fewer than 8 notes"
    again = Corpus(tmp_path / "out", Cells())
    assert again.refused == corpus.refused


def test_only_broken_files_are_an_error_that_names_one(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"no MIDI")
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"none of the 1 files .* a\.mid"):
            prepare(tmp_path, tmp_path / "out", Cells())


def test_chords_are_inferred_only_where_there_are_none():
    bare = tune()
    assert annotate(bare).chords
    charted = bare.replace(chords=[(0, "Dm")])
    assert annotate(charted).chords == charted.chords


def test_the_key_is_inferred_whatever_the_signature_says():
    wrong = tune().replace(key_signatures=[(0, 5, 0)])
    assert annotate(wrong).key_signatures["sharps"].tolist() == [0]


def test_staves_of_one_player_are_joined_and_voices_are_not():
    low, high = [(0, 480, 40, 80)], [(0, 480, 72, 80)]
    score = Score(
        tracks=(
            Track("Piano (staff 1)", 0, notes=high),
            Track("Piano (staff 2)", 0, notes=low),
            Track("Soprano", 52, notes=high),
            Track("Alto", 52, notes=low),
            Track("Silent", 52),
        )
    )
    assert [len(track.notes) for track in gather_parts(score).tracks] == [2, 1, 1]


def test_freely_performed_drums_go_to_sixteenths_or_triplets():
    late = [(120 * i + 17, 30, 42, 80) for i in range(32)]
    swung = [(160 * i - 9 * (i > 0), 30, 51, 80) for i in range(32)]
    for notes, step in ((late, 120), (swung, 160)):
        drums = Score(tracks=(Track(is_drum=True, notes=notes),))
        onsets = gather_parts(drums).tracks[0].notes["onset"]
        assert (onsets % step == 0).all()


def test_drums_on_the_grid_stay_and_roland_hi_hats_become_general_midi_ones():
    notes = [(40, 30, 22, 80), (120, 30, 26, 80), (480, 30, 38, 80)]
    drums = gather_parts(Score(tracks=(Track(is_drum=True, notes=notes),))).tracks[0]
    assert drums.notes["onset"].tolist() == [40, 120, 480]
    assert drums.notes["pitch"].tolist() == [42, 46, 38]
