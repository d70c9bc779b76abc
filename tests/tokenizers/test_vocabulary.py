import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import ModelError, TokenError
from composer.tokenizers import REMI, Cells, CellsConfig, Family, REMIPlus, Vocabulary

names = st.text("ABCdef", min_size=1, max_size=4)
labels = st.lists(st.integers(0, 999), min_size=1, max_size=5, unique=True)
vocabularies = st.dictionaries(names, labels, min_size=1, max_size=5).map(
    lambda table: Vocabulary(tuple(Family.of(name, values) for name, values in table.items()))
)
tokenizers = pytest.mark.parametrize("make", [Cells, REMI, REMIPlus])


@settings(max_examples=50, deadline=None)
@given(vocabulary=vocabularies)
def test_ids_are_contiguous_and_families_keep_their_order(vocabulary):
    place = 0
    for index, family in enumerate(vocabulary.families):
        assert vocabulary.base[family.name] == place
        for value, label in enumerate(family.labels):
            assert vocabulary.token(place) == f"{family.name}_{label}"
            assert vocabulary.id(f"{family.name}_{label}") == place
            assert (vocabulary.family_of[place], vocabulary.value_of[place]) == (index, value)
            place += 1
        assert vocabulary.slices[family.name].stop == place
        assert vocabulary.count(family.name) == len(family.labels)
    assert vocabulary.size == len(vocabulary.tokens) == place


@settings(max_examples=50, deadline=None)
@given(vocabulary=vocabularies)
def test_json_keeps_the_vocabulary(vocabulary):
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


@tokenizers
def test_no_two_ids_have_one_token(make):
    vocabulary = make().vocabulary
    assert [vocabulary.id(token) for token in vocabulary.tokens] == list(range(vocabulary.size))


def test_ids_of_cells_never_move():
    """Trained models hold these numbers."""
    vocabulary = Cells(CellsConfig(velocity_bins=16)).vocabulary
    first = {
        "PAD": 0, "BOS": 1, "Fill": 2, "EOS": 3, "Key": 4, "TimeSig": 28, "Tempo": 102,
        "Part": 151, "Program": 216, "Role": 345, "Bar": 348, "Left": 412, "Position": 420,
        "Chord": 564, "Bass": 829, "Velocity": 841, "Pitch": 857, "Drum": 997, "Duration": 1125,
        "Control": 1181, "Style": 1229,
    }  # fmt: skip
    assert vocabulary.base == first
    assert vocabulary.size == 1229
    some = "Key_0maj TimeSig_4/4 Tempo_120 Program_drums Role_bass Chord_0:maj Pitch_60".split()
    assert [vocabulary.id(token) for token in some] == [4, 37, 133, 344, 346, 565, 923]


def test_unknown_tokens_and_ids_are_refused():
    vocabulary = REMI().vocabulary
    with pytest.raises(TokenError, match="no token 'Pitch_128'"):
        vocabulary.id("Pitch_128")
    for index in (-1, vocabulary.size):
        with pytest.raises(TokenError, match=f"id {index} is outside 0 to {vocabulary.size - 1}"):
            vocabulary.token(index)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 5000], "id 5000 at place 1 is outside"),
        ([-1], "id -1 at place 0 is outside"),
        ([[1, 2]], "one row of integers"),
        ([1.0], "one row of integers"),
    ],
)
def test_what_is_no_row_of_ids_is_refused(ids, message):
    with pytest.raises(TokenError, match=message):
        Cells().vocabulary.check(ids)


def test_ids_of_any_width_are_taken():
    ids = np.array([1, 2], np.uint8)
    assert Cells().vocabulary.check(ids).dtype == np.int32


@tokenizers
def test_save_and_load(make, tmp_path):
    make().save(tmp_path)
    loaded = make.load(tmp_path)
    assert (loaded.config, loaded.vocabulary) == (make().config, make().vocabulary)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"cells"', '"notes"', "holds the format 'notes', not 'cells'"),
        ('"N.C."', '"none"', "another vocabulary than this version's cells; train again"),
        ("velocity_bins", "velocity_bin", "is not a tokenizer file"),
        ('"velocity_bins": 16', '"velocity_bins": 99', "outside 1 to 64"),
        ("{", "[", "is not a tokenizer file"),
        ('"format"', '"Format"', "is not a tokenizer file"),
        ('"version": 1', '"version": 2', "is of version 2, and this library reads version 1"),
        ('"version": 1, ', "", "is of version None, and this library reads version 1"),
    ],
)
def test_a_file_of_something_else_is_refused(old, new, message, tmp_path):
    Cells().save(tmp_path)
    path = tmp_path / "composer.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelError, match=message):
        Cells.load(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"has no composer\.json; name a folder"):
        Cells.load(tmp_path)
