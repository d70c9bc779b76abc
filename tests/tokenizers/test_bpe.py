import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import ComposerWarning, ModelError, Score, TokenError
from composer.example_tunes import example, example_names
from composer.tokenizers import BPE, REMI, Cells, RemiConfig, REMIPlus, load
from composer.tokenizers.bpe.bpe import BOUNDARIES
from composer.tokenizers.bpe.merges import LONGEST, Merges
from tests.strategies import moderate, scores, seeds, walk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TUNES = [example(name) for name in example_names()]
OPTIONS = RemiConfig(
    programs=True, rests=True, pedals=True, pitch_bends=9, microtiming=4, relative_pitch=True
)
BASES = [Cells(), REMI(), REMIPlus(), REMIPlus(OPTIONS)]
LEARNED = [BPE.train(base, TUNES, base.vocab_size + 120) for base in BASES]
learned = pytest.mark.parametrize("bpe", LEARNED, ids=lambda bpe: bpe.base.format)
bases = pytest.mark.parametrize("base", BASES, ids=lambda base: base.format)
SPECIAL = {"PAD", "BOS", "Fill", "EOS"}


def families(bpe, ids):
    vocabulary = bpe.base.vocabulary
    return [vocabulary.families[f].name for f in vocabulary.family_of[ids]]


def obvious(bpe, ids):
    """Merge as the paper says: piece by piece, the earliest pair first, from left to right."""
    names = families(bpe, ids)
    begins = [
        place
        for place, name in enumerate(names)
        if name in SPECIAL | {*BOUNDARIES[bpe.boundary]} or names[place - 1] in SPECIAL
    ]
    merged = []
    for start, end in pairwise([*begins, len(ids)]):
        piece = list(map(int, ids[start:end]))
        while known := set(pairwise(piece)) & set(bpe.merges.pairs):
            rank = min(map(bpe.merges.pairs.index, known))
            pair, place = bpe.merges.pairs[rank], 0
            while place < len(piece) - 1:
                if tuple(piece[place : place + 2]) == pair:
                    piece[place : place + 2] = [bpe.base.vocab_size + rank]
                place += 1
        merged += piece
    return merged


@learned
@moderate
@given(score=scores())
def test_unseen_music_is_said_exactly(bpe, score):
    ids = bpe.encode(score)
    assert np.array_equal(bpe.expand(ids), bpe.base.encode(score))
    assert bpe.decode(ids) == bpe.quantize(score) == bpe.base.quantize(score)


@learned
@moderate
@given(seed=seeds, length=st.integers(0, 200))
def test_every_sequence_of_the_base_is_kept(bpe, seed, length):
    ids = walk(bpe.base.grammar, seed, length)
    merged = bpe.merge(ids)
    assert np.array_equal(bpe.expand(merged), ids)
    assert bpe.validate(merged) == []


@learned
@pytest.mark.parametrize("tune", TUNES[:3], ids=example_names()[:3])
def test_merging_does_what_the_paper_says(bpe, tune):
    ids = bpe.base.encode(tune)
    assert len(set(bpe.merges.pairs)) == bpe.vocab_size - bpe.base.vocab_size
    assert bpe.encode(tune).tolist() == obvious(bpe, ids)


@moderate
@given(data=st.data(), size=st.integers(1, 5))
def test_expanding_is_undoing_merge_by_merge(data, size):
    pairs, spelled = [], {(i,): i for i in range(size)}
    for _ in range(data.draw(st.integers(0, 6))):
        one = st.integers(0, len(spelled) - 1)
        pairs.append(data.draw(st.tuples(one, one)))
        words = list(spelled)
        spelled.setdefault(words[pairs[-1][0]] + words[pairs[-1][1]], len(spelled))
    merges = Merges(size, tuple(pairs))
    ids = data.draw(st.lists(st.integers(0, len(spelled) - 1), max_size=8))
    words = [list(spelled)[i] for i in ids]
    assert merges.size == len(spelled)
    assert merges.expand(ids).tolist() == [i for word in words for i in word]
    owners = [place for place, word in enumerate(words) for _ in word]
    assert merges.owners(np.array(ids, int)).tolist() == owners


@bases
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_no_merge_reaches_across_a_boundary(base, boundary):
    bpe = BPE.train(base, TUNES, base.vocab_size + 80, boundary=boundary)
    inside = set()
    for index in range(base.vocab_size, bpe.vocab_size):
        first, *others = families(bpe, bpe.expand([index]))
        assert others
        assert first not in SPECIAL
        inside |= {*others}
    assert not inside & (SPECIAL | {*BOUNDARIES[boundary]})
    assert ("Position" in inside) == (boundary != "onset")


@learned
def test_base_ids_keep_their_numbers_and_merged_ones_follow(bpe):
    base = bpe.base.vocabulary
    assert bpe.vocabulary.tokens[: base.size] == base.tokens
    assert bpe.vocab_size == base.size + 120 == len(set(bpe.vocabulary.tokens))
    parts = "+".join(bpe.base.ids_to_tokens(bpe.expand([base.size])))
    assert bpe.ids_to_tokens([base.size]) == [f"Merged_{parts}"]


@learned
def test_sequences_get_shorter_and_the_report_says_by_how_much(bpe):
    report = bpe.compression(TUNES)
    before = [len(bpe.base.encode(tune)) for tune in TUNES]
    after = [len(bpe.encode(tune)) for tune in TUNES]
    notes = sum(len(track.notes) for t in TUNES for track in bpe.quantize(t).tracks)
    assert (report.base_ids, report.ids, report.notes) == (sum(before), sum(after), notes)
    assert report.ids_per_note < 0.8 * report.base_ids_per_note
    assert f"{np.mean(before):.0f} -> {np.mean(after):.0f} ids on average" in str(report)
    assert "nan" in str(bpe.compression([]))


@learned
def test_a_saved_tokenizer_gives_the_same_ids(bpe, tmp_path):
    bpe.save_pretrained(tmp_path)
    loaded = BPE.from_pretrained(tmp_path)
    assert loaded.vocabulary == bpe.vocabulary
    assert (type(loaded.base), loaded.config, loaded.boundary) == (
        type(bpe.base),
        bpe.config,
        bpe.boundary,
    )
    for tune in TUNES:
        assert np.array_equal(loaded.encode(tune), bpe.encode(tune))


@pytest.mark.parametrize("base", BASES[:3], ids=lambda base: base.format)
def test_training_depends_on_nothing_but_the_corpus(base, tmp_path):
    code = """
import sys
from composer.example_tunes import example, example_names
from composer.tokenizers import *
base = {"cells": Cells, "remi": REMI, "remi+": REMIPlus}[sys.argv[1]]()
tunes = [example(name) for name in example_names()]
BPE.train(base, tunes, base.vocab_size + 120).save_pretrained(sys.argv[2])
"""
    LEARNED[BASES.index(base)].save(tmp_path)
    texts = [(tmp_path / "composer.json").read_bytes()]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code, base.format, str(tmp_path / seed)]
        subprocess.run(command, env=environment, check=True)
        texts.append((tmp_path / seed / "composer.json").read_bytes())
    BPE.train(base, reversed(TUNES), base.vocab_size + 120).save(tmp_path)
    texts.append((tmp_path / "composer.json").read_bytes())
    assert len(set(texts)) == 1


def test_ids_train_as_their_scores_do():
    ids = [REMI().encode(tune) for tune in TUNES]
    for sources in (ids, [row.tolist() for row in ids]):
        assert BPE.train(REMI(), sources, 698).merges == LEARNED[1].merges


@learned
def test_places_of_breaches_are_those_of_the_ids_given(bpe):
    ids = bpe.encode(TUNES[0])
    cut = next(i for i, n in enumerate(bpe.merges.lengths[ids]) if n > 1) + 1
    wrong = np.insert(ids, cut, bpe.vocabulary.id("BOS"))
    (breach,) = bpe.validate(wrong)
    expanded = len(bpe.expand(ids[:cut]))
    assert (breach.place, expanded > cut) == (cut, True)
    assert f"BOS at place {expanded} breaks" in breach.message
    assert f"place {cut} of those given" in breach.message
    with pytest.raises(TokenError, match=f"place {cut} of those given"):
        bpe.decode(wrong)
    assert [breach.place for breach in bpe.validate(ids[:-1])] == [len(ids) - 1]


@learned
def test_ids_outside_are_refused(bpe):
    message = f"id {bpe.vocab_size} at place 1 is outside 0 to {bpe.vocab_size - 1}"
    for refuse in (bpe.decode, bpe.expand, bpe.describe):
        with pytest.raises(TokenError, match=message):
            refuse([1, bpe.vocab_size])
    assert [breach.place for breach in bpe.validate([1, bpe.vocab_size])] == [1]
    with pytest.raises(TokenError, match="at place 0 is outside"):
        bpe.merge([bpe.base.vocab_size])


@learned
def test_the_table_shows_what_ids_stand_for(bpe):
    ids = bpe.encode(TUNES[0])
    mine = bpe.describe(ids).splitlines()
    base = bpe.base.describe(bpe.expand(ids)).splitlines()
    assert [line[5:] for line in mine] == [line[5:] for line in base]
    assert [line[:5].strip() for line in mine[1:] if line[:5].strip()] == [
        str(place) for place in range(len(ids))
    ]


@learned
def test_loss_is_the_bases(bpe):
    assert bpe.loss(TUNES[0]) == bpe.base.loss(TUNES[0])


def test_nothing_but_training_and_encoding_needs_hugging_face(tmp_path, monkeypatch):
    bpe, tune = LEARNED[0], TUNES[0]
    ids = bpe.encode(tune)
    bpe.save(tmp_path)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    loaded = load(tmp_path)
    assert loaded.decode(ids) == bpe.quantize(tune)
    assert loaded.describe(ids) == bpe.describe(ids)
    for needs in (lambda: loaded.encode(tune), lambda: BPE.train(Cells(), [tune], 1250)):
        with pytest.raises(ImportError, match=r"pip install 'composer-midi\[bpe\]'"):
            needs()


def test_a_corpus_that_repeats_too_little_is_said_so():
    with pytest.warns(ComposerWarning, match="the corpus gives 578 ids, not 600"):
        bpe = BPE.train(REMI(), [Score()], 600)
    assert np.array_equal(bpe.encode(TUNES[0]), REMI().encode(TUNES[0]))
    with pytest.warns(ComposerWarning, match="no other pair occurs 1000 times"):
        assert BPE.train(REMI(), TUNES, 600, fewest=1000).vocab_size == 578


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BPE(LEARNED[0]), "the base of a BPE is a BPE"),
        (lambda: BPE(Cells(), boundary="beat"), "boundary 'beat' is not one of bar, part, onset"),
        (lambda: BPE(Cells(), [(1, 1229)]), "merge 0 of ids 1 and 1229 names an id outside 0"),
        (lambda: BPE(Cells(), [(-1, 5)]), "merge 0 of ids -1 and 5 names an id outside 0"),
        (lambda: BPE.train(Cells(), TUNES, 1229), "leaves no room for merges behind the 1229"),
        (lambda: BPE.train(Cells(), "tune.mid", 1250), "an iterable of .*, not one str"),
        (lambda: BPE.train(Cells(), TUNES[0], 1250), "an iterable of .*, not one Score"),
        (lambda: BPE.train(Cells(), [[9999]], 1250), "id 9999 at place 0 is outside"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(TokenError, match=message):
        make()


def test_merges_that_double_without_end_are_refused():
    doubling = [(578 + i - 1, 578 + i - 1) if i else (5, 5) for i in range(200)]
    with pytest.raises(TokenError, match=f"stands for 2048 base ids, more than {LONGEST}"):
        BPE(REMI(), doubling)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"merges": [[', '"merges": [[99999, 1], [', "names an id outside"),
        ('"merges": [[', '"merges": [[0.5, 1], [', "is not a tokenizer file"),
        ('"merges": [[', '"merges": [[1], [', "is not a tokenizer file"),
        ('"merges"', '"Merges"', "is not a tokenizer file"),
        ('"part"', '"beat"', "boundary 'beat' is not one of"),
        ('"format": "cells"', '"format": "notes"', "holds the format 'notes', none of"),
        ('"N.C."', '"none"', "another vocabulary than this version's cells; train again"),
    ],
)
def test_a_damaged_file_is_refused(old, new, message, tmp_path):
    LEARNED[0].save(tmp_path)
    path = tmp_path / "composer.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelError, match=message):
        BPE.load(tmp_path)


def test_ids_that_are_not_merged_are_grammar_but_not_canonical():
    bpe = LEARNED[0]
    plain, merged = bpe.base.encode(TUNES[0]), bpe.encode(TUNES[0])
    assert bpe.validate(plain) == bpe.validate(merged, canonical=True) == []
    place = int(np.flatnonzero(plain[: len(merged)] != merged)[0])
    (breach,) = bpe.validate(plain, canonical=True)
    assert (breach.place, "+" in breach.message) == (place, True)
