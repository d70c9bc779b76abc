import copy
import io
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest

from composer import ModelError, Score, TokenError, Track, interop
from composer.example_tunes import example
from composer.tokenizers import BPE, REMI, Cells, RemiConfig, REMIPlus, Tokenizer, load

LEARNED = BPE.train(Cells(), [example("shenandoah")], 1250)
OPTIONS = RemiConfig(rests=True, pedals=True, pitch_bends=9, microtiming=4, relative_pitch=True)
TOKENIZERS = [Cells(), REMI(), REMIPlus(), LEARNED, REMI(OPTIONS)]
tokenizers = pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda t: t.format)


@pytest.fixture
def score():
    notes = [(0, 480, 60, 90), (480, 960, 64, 70), (1920, 480, 67, 90)]
    return Score(
        tracks=(Track("Flute", 73, notes=notes),),
        tempos=[(0, 500_000)],
        time_signatures=[(0, 4, 4)],
        key_signatures=[(0, 0, 0)],
    )


@tokenizers
def test_files_and_their_bytes_are_scores_too(tokenizer, score, tmp_path):
    path, ids = tmp_path / "tune.mid", tokenizer.encode(score)
    score.write(path)
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert np.array_equal(tokenizer.encode(source), ids)


@tokenizers
@pytest.mark.parametrize("library", ["symusic", "pretty_midi", "miditoolkit", "music21"])
def test_objects_of_other_libraries_are_scores_too(tokenizer, score, library):
    other = getattr(interop, f"to_{library}")(score)
    assert np.array_equal(tokenizer.encode(other), tokenizer.encode(score))


def test_a_subclass_of_another_librarys_score_is_one():
    import pretty_midi

    class Mine(pretty_midi.PrettyMIDI):
        pass

    assert np.array_equal(Cells().encode(Mine()), Cells().encode(pretty_midi.PrettyMIDI()))


def test_what_is_no_score_is_refused():
    with pytest.raises(TokenError, match="a list is not a score; give a Score, a MIDI file, or"):
        Cells().encode([1, 2])


@tokenizers
def test_a_call_returns_what_transformers_takes(tokenizer, score):
    batch = tokenizer(score)
    assert batch["input_ids"] == tokenizer.encode(score).tolist()
    assert batch["attention_mask"] == [1] * len(batch["input_ids"])


@tokenizers
def test_tokens_and_ids_go_both_ways(tokenizer, score):
    ids = tokenizer.encode(score)
    assert np.array_equal(tokenizer.tokens_to_ids(tokenizer.ids_to_tokens(ids)), ids)
    with pytest.raises(TokenError, match="no token 'Pitch_999'"):
        tokenizer.tokens_to_ids(["Pitch_999"])


@tokenizers
def test_pretrained_folders_are_what_save_writes(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "new" / "model")
    tokenizer.save(tmp_path)
    texts = [
        (folder / "composer.json").read_text() for folder in (tmp_path / "new/model", tmp_path)
    ]
    assert texts[0] == texts[1]
    loaded = type(tokenizer).from_pretrained(str(tmp_path))
    assert (loaded.config, loaded.vocabulary) == (tokenizer.config, tokenizer.vocabulary)
    with pytest.raises(ModelError, match=r"has no composer\.json"):
        type(tokenizer).from_pretrained(tmp_path / "new")


@tokenizers
@pytest.mark.parametrize("opened", [load, Tokenizer.from_pretrained])
def test_a_folder_of_any_format_is_opened(opened, tokenizer, score, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = opened(str(tmp_path))
    assert type(loaded) is type(tokenizer)
    assert np.array_equal(loaded.encode(score), tokenizer.encode(score))


def test_a_subclass_is_no_format_of_its_own(tmp_path):
    class Mine(Cells):
        pass

    Cells().save(tmp_path)
    assert type(load(tmp_path)) is Cells


def test_a_folder_of_no_known_format_is_refused(tmp_path):
    Cells().save(tmp_path)
    path = tmp_path / "composer.json"
    path.write_text(path.read_text().replace('"cells"', '"notes"'))
    with pytest.raises(ModelError, match=r"'notes', none of .*cells"):
        load(tmp_path)


@tokenizers
def test_validate_finds_nothing_where_decode_works(tokenizer, score):
    assert tokenizer.validate(tokenizer.encode(score)) == []


@tokenizers
def test_validate_says_where_and_what(tokenizer, score):
    ids = tokenizer.encode(score).tolist()
    assert [breach.place for breach in tokenizer.validate(ids[:-1])] == [len(ids) - 1]
    (breach,) = tokenizer.validate([*ids[:4], 99_999, *ids[5:]])
    assert (breach.place, "id 99999 at place 4" in breach.message) == (4, True)
    (breach,) = tokenizer.validate([*ids, ids[0]])
    assert "comes after the end" in breach.message
    with pytest.raises(TokenError, match="one row of integers"):
        tokenizer.validate([0.5])


def test_validate_goes_on_behind_a_value_out_of_order():
    ids = REMI().tokens_to_ids(
        "BOS Bar Position_0 Tempo_120 Position_5 Pitch_60 Velocity_3 Duration_1 "
        "Position_5 Pitch_60 Velocity_3 Duration_1 Pitch_60 Velocity_3 Duration_1 EOS".split()
    )
    assert [breach.place for breach in REMI().validate(ids)] == [8, 12]


def test_describe_says_bar_position_and_part(score):
    rows = [line.split() for line in Cells().describe(Cells().encode(score)).splitlines()]
    assert rows[0] == ["place", "token", "bar", "position", "part"]
    assert ["1", "Key_0maj"] in rows
    assert ["12", "Position_12", "0", "12", "0"] in rows
    assert ["17", "Part_0", "1", "0"] in rows
    rows = [line.split() for line in REMIPlus().describe(REMIPlus().encode(score)).splitlines()]
    assert ["6", "Pitch_60", "0", "0", "73"] in rows
    assert ["9", "Position_12", "0", "12"] in rows


def test_describe_goes_by_the_numbers_of_bars_that_are_filled(score):
    cells = Cells()
    ids = cells.encode_grid(cells.grid(score), context=[1], fill=[0])
    bars = [line.split() for line in cells.describe(ids).splitlines() if " Bar_" in line]
    assert [row[1:] for row in bars] == [["Bar_1", "1"], ["Bar_0", "0"]]


@tokenizers
def test_copies_and_pickles_give_the_same_ids(tokenizer, score):
    ids = tokenizer.encode(score)
    for made in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):
        assert type(made) is type(tokenizer)
        assert (made.config, made.vocabulary) == (tokenizer.config, tokenizer.vocabulary)
        assert np.array_equal(made.encode(score), ids)
        assert made.decode(ids) == tokenizer.decode(ids)


def test_worker_processes_take_every_tokenizer(score):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.starmap(Tokenizer.encode, [(tokenizer, score) for tokenizer in TOKENIZERS])
    for tokenizer, ids in zip(TOKENIZERS, found, strict=True):
        assert np.array_equal(ids, tokenizer.encode(score))


def test_a_save_that_is_killed_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    REMI().save(tmp_path)
    monkeypatch.setattr(Path, "write_text", lambda path, text: path.write_bytes(text[:9].encode()))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Cells().save(tmp_path)
    monkeypatch.undo()
    assert type(load(tmp_path)) is REMI
    assert [path.name for path in tmp_path.iterdir()] == ["composer.json"]


@tokenizers
def test_encoding_can_return_what_is_lost(tokenizer, score):
    ids, report = tokenizer.encode(score, report=True)
    assert np.array_equal(ids, tokenizer.encode(score))
    assert report == tokenizer.loss(score)
