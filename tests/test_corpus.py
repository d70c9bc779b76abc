import json
import os

import numpy as np
import pytest

from composer import Score, Track, TrainingError
from composer.tokenizers import Cells
from composer.training import corpus as corpus_module
from composer.training.corpus import Corpus, annotate, gather_parts, midi_files, prepare

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def tune(shift: int = 0, bars: int = 4) -> Score:
    notes = [(480 * i, 480, SCALE[(i + shift) % 8], 90) for i in range(4 * bars)]
    return Score(tracks=(Track("Melody", 73, notes=notes),))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "midi"
    for group in ("songs", "dances"):
        (root / group).mkdir(parents=True)
        for i in range(30):
            tune(i).write_midi(root / group / f"{i:02}.mid")
    return root


def test_midi_files_are_found_below_a_folder_in_order(folder):
    names = [path.name for path in midi_files(folder)]
    assert len(names) == 60
    assert names[:2] == ["00.mid", "01.mid"]


def test_a_folder_without_midi_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="holds no file that ends in"):
        midi_files(tmp_path)
    with pytest.raises(TrainingError, match="is no folder"):
        midi_files(tmp_path / "absent")


def test_a_prepared_piece_decodes_to_the_quantised_score(folder, tmp_path):
    cells = Cells()
    corpus = prepare(folder, tmp_path / "out", cells)
    assert len(corpus.pieces) == 60
    assert {piece.group for piece in corpus.pieces} == {"songs", "dances"}
    first = corpus.pieces[0]
    score = Score.read(folder / first.path)
    assert cells.decode(corpus.piece_ids(0)) == cells.quantize(annotate(score))
    assert corpus.grid(0).score() == cells.quantize(annotate(score))


def test_some_but_not_all_files_are_held_out_and_always_the_same(folder, tmp_path):
    one = prepare(folder, tmp_path / "one", Cells())
    two = prepare(folder, tmp_path / "two", Cells(), workers=2)
    held_out = [piece.path for piece in one.pieces if piece.held_out]
    assert 0 < len(held_out) < 30
    assert one.pieces == two.pieces
    np.testing.assert_array_equal(one.ids, two.ids)


def test_what_is_prepared_is_used_again_until_a_file_changes(folder, tmp_path):
    out = tmp_path / "out"
    prepare(folder, out, Cells())
    stamp = os.stat(out / "ids.npy").st_mtime_ns
    prepare(folder, out, Cells())
    assert os.stat(out / "ids.npy").st_mtime_ns == stamp
    tune(3, bars=6).write_midi(folder / "songs" / "new.mid")
    assert len(prepare(folder, out, Cells()).pieces) == 61


def test_a_broken_file_is_left_out_with_its_reason(folder, tmp_path):
    (folder / "songs" / "broken.mid").write_bytes(b"MThd, so it says")
    corpus = prepare(folder, tmp_path / "out", Cells())
    assert list(corpus.refused) == ["songs/broken.mid"]
    assert "broken.mid" in corpus.refused["songs/broken.mid"]
    again = Corpus(tmp_path / "out", Cells())
    assert again.refused == corpus.refused


def test_only_broken_files_are_an_error_that_names_one(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"no MIDI")
    with pytest.raises(TrainingError, match=r"none of the 1 files .* a\.mid"):
        prepare(tmp_path, tmp_path / "out", Cells())
    assert not (tmp_path / "out").exists()


def test_an_interrupted_preparation_leaves_no_corpus(folder, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus_module.np, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare(folder, tmp_path / "out", Cells())
    assert not (tmp_path / "out").exists()


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


def test_pieces_are_listed_as_readable_json(folder, tmp_path):
    prepare(folder, tmp_path / "out", Cells())
    table = json.loads((tmp_path / "out" / "pieces.json").read_text())
    assert table["pieces"][0]["path"].endswith(".mid")
