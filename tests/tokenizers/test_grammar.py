import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import Score, TokenError, Track
from composer.tokenizers import REMI, Cells, REMIPlus
from tests.strategies import distances, moderate, scores, seeds, walk
from tests.strategies import tokenizers as every_tokenizer

TOKENIZERS = [Cells(), REMI(), REMIPlus()]
tokenizers = pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda t: t.format)


@tokenizers
def test_the_table_names_families_and_states_that_exist(tokenizer):
    table, families = tokenizer.grammar.table, tokenizer.vocabulary.base
    for row in table.values():
        assert set(row) <= set(families)
        assert all(after in table or after.startswith("@") for after in row.values())
    assert set(families) - {"PAD"} <= {family for row in table.values() for family in row}


@tokenizers
def test_every_state_leads_to_the_end(tokenizer):
    assert max(distances(tokenizer.grammar).values()) < 99
    assert [state for state, row in tokenizer.grammar.table.items() if not row] == ["end"]


@tokenizers
@moderate
@given(seed=seeds, length=st.integers(0, 100))
def test_the_validator_reads_the_mask_that_the_sampler_reads(tokenizer, seed, length):
    """Of a walk's every place a few other ids are tried: refused if and only if masked."""
    grammar, ids = tokenizer.grammar, walk(tokenizer.grammar, seed, length)
    rng, cursor = np.random.default_rng(seed), tokenizer.grammar.start()
    for place, index in enumerate(ids.tolist()):
        allowed = grammar.allowed(cursor)
        if place == len(ids) // 2:
            inside = np.flatnonzero(allowed)[:2].tolist()
            for other in [*inside, *rng.integers(0, tokenizer.vocab_size, 20).tolist()]:
                with pytest.raises(TokenError) as error:
                    grammar.check([*ids[:place], other, 0])  # PAD never fits
                breach = place + 1 if allowed[other] else place
                assert f"at place {breach} " in str(error.value)
        grammar.advance(cursor, index)
    assert not grammar.allowed(cursor).any()


@tokenizers
def test_a_mask_is_the_callers_own(tokenizer):
    cursor = tokenizer.grammar.start()
    tokenizer.grammar.allowed(cursor)[:] = False
    assert tokenizer.ids_to_tokens(np.flatnonzero(tokenizer.grammar.allowed(cursor))) == ["BOS"]


@tokenizers
def test_a_copied_cursor_moves_on_its_own(tokenizer):
    cursor = tokenizer.grammar.start()
    tokenizer.grammar.advance(cursor.copy(), tokenizer.vocabulary.id("BOS"))
    assert cursor == tokenizer.grammar.start()


@tokenizers
@moderate
@given(seed=seeds, cut=st.floats(0, 0.999))
def test_a_sequence_cut_short_has_no_end(tokenizer, seed, cut):
    ids = walk(tokenizer.grammar, seed, 40)
    with pytest.raises(TokenError, match=r"the sequence of \d+ ids has no end"):
        tokenizer.decode(ids[: int(cut * len(ids))])


@tokenizers
def test_nothing_comes_after_the_end(tokenizer):
    ids = walk(tokenizer.grammar, 0, 10)
    with pytest.raises(TokenError, match=f"at place {len(ids)} comes after the end"):
        tokenizer.decode([*ids, 1])


@tokenizers
def test_a_breach_says_what_may_come(tokenizer):
    with pytest.raises(TokenError, match="EOS at place 0 breaks the grammar: after nothing comes"):
        tokenizer.decode([tokenizer.vocabulary.id("EOS")])


def mutate(tokenizer, ids, rng):
    """Return ids with a few of them changed, exchanged, said twice or left out."""
    ids = ids.tolist()
    vocabulary = tokenizer.vocabulary
    for _ in range(rng.integers(1, 4)):
        place, other = rng.integers(0, len(ids), 2)
        kind = rng.integers(0, 7)
        if kind == 0:
            ids[place] = int(rng.integers(0, vocabulary.size))
        elif kind < 4:  # another value of the family, mostly near
            family = vocabulary.families[vocabulary.family_of[ids[place]]].name
            at = vocabulary.slices[family]
            near = ids[place] + int(rng.choice([-1, 1, 0, int(rng.integers(-150, 150))]))
            ids[place] = min(max(near, at.start), at.stop - 1)
        elif kind == 4:
            ids[place], ids[other] = ids[other], ids[place]
        elif kind == 5:  # a stretch again, elsewhere
            ids[place:place] = ids[other : other + int(rng.integers(1, 9))]
        elif len(ids) > 1:
            del ids[place : place + int(rng.integers(1, 4))]
            ids = ids or [0]
    return np.array(ids, np.int32)


@settings(max_examples=300, deadline=None)
@given(tokenizer=every_tokenizer, seed=seeds, length=st.integers(0, 120))
def test_the_scan_and_the_walk_accept_the_same(tokenizer, seed, length):
    grammar, rng = tokenizer.grammar, np.random.default_rng(seed)
    ids = walk(grammar, seed, length)
    assert grammar._scan.accepts(ids)
    assert not list(grammar.violations(ids))
    for _ in range(12):
        mutated = mutate(tokenizer, ids, rng)
        breaches = list(grammar.violations(mutated))
        assert grammar._scan.accepts(mutated) == (not breaches)
        if breaches:
            with pytest.raises(TokenError) as error:
                grammar.check(mutated)
            assert str(error.value) == breaches[0].message


@moderate
@given(score=scores(), seed=seeds)
def test_the_scan_and_the_walk_accept_the_same_of_scores(score, seed):
    rng = np.random.default_rng(seed)
    for tokenizer in TOKENIZERS:
        ids = tokenizer.encode(score)[:1500]
        for _ in range(4):
            mutated = mutate(tokenizer, ids, rng)
            accepted = tokenizer.grammar._scan.accepts(mutated)
            assert accepted == (not list(tokenizer.grammar.violations(mutated)))


@tokenizers
def test_every_change_of_one_id_is_judged_as_the_walk_judges_it(tokenizer):
    flute = Track(program=73, notes=[(0, 12, 60, 20), (0, 12, 127, 20), (12, 6, 61, 90)])
    kit = Track(is_drum=True, notes=[(0, 1, 36, 90), (6, 1, 36, 90), (6, 1, 127, 20)])
    chords = [(0, "C/E"), (24, "N.C."), (30, "G7")]
    score = Score(12, (flute, kit), tempos=[(0, 500_000), (24, 300_000)], chords=chords)
    score = score.replace(time_signatures=[(0, 2, 4), (24, 3, 4)])
    ids = tokenizer.encode(score)
    for place in range(len(ids)):
        for index in range(place % 3, tokenizer.vocab_size, 3):
            other = ids.copy()
            other[place] = index
            walked = not any(True for _ in tokenizer.grammar.violations(other))
            assert tokenizer.grammar._scan.accepts(other) == walked


def test_values_out_of_order_do_not_end_the_walk():
    cells = Cells()
    tokens = f"{HEAD} Bar_0 Part_0 {NOTE} Pitch_50 Duration_1 Position_0 Pitch_60 Pitch_61 EOS"
    ids = np.array([cells.vocabulary.id(token) for token in tokens.split()], np.int32)
    assert [breach.place for breach in cells.grammar.violations(ids)] == [14, 16, 18]


HEAD = "BOS Key_0maj TimeSig_2/4 Tempo_120 Part_0 Program_5 Part_1 Program_drums"
NOTE = "Position_0 Velocity_3 Pitch_60 Duration_1"
TOP = "Position_0 Velocity_3 Pitch_127 Duration_1"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ("Part_1", "Part_1 at place 8"),  # declared already
        ("Part_3", "Part_3 at place 8"),  # out of order
        ("Bar_0 TimeSig_2/4", "TimeSig_2/4 at place 9"),  # as in the header
        ("Bar_0 Tempo_120", "Tempo_120 at place 9"),
        ("Bar_0 Part_2", "Part_2 at place 9"),  # not declared
        ("Bar_1 Bar_0", "Bar_0 at place 9"),
        ("Bar_0 Part_0 Bar_1", "Bar_1 at place 10"),  # an empty cell in the context
        ("Bar_0 Part_0 EOS", "EOS at place 10"),
        ("Bar_0 Part_0 Position_24", "Position_24 at place 10"),  # behind the bar
        ("Bar_0 Part_0 Position_0 Pitch_60", "Pitch_60 at place 11"),  # no velocity yet
        (f"Bar_0 Part_0 {NOTE} Pitch_60", "Pitch_60 at place 14"),  # not rising
        (f"Bar_0 Part_0 {NOTE} Velocity_3", "Velocity_3 at place 14"),  # no change
        (f"Bar_0 Part_0 {NOTE} Position_0", "Position_0 at place 14"),
        (f"Bar_0 Part_0 {NOTE} Part_0", "Part_0 at place 14"),  # said already
        (f"Bar_0 Part_0 {NOTE} Part_chords", "Part_chords at place 14"),  # chords come first
        (f"Bar_0 Part_0 {TOP} Velocity_4", "Velocity_4 at place 14"),  # no pitch is left
        ("Bar_0 Part_1 Position_0 Velocity_3 Drum_127 Velocity_4", "Velocity_4 at place 13"),
        ("Bar_0 Part_0 Position_0 Velocity_3 Pitch_-1", "Pitch_-1 at place 12"),  # no MIDI pitch
        ("Bar_0 Part_1 Position_0 Velocity_3 Pitch_36", "Pitch_36 at place 12"),  # drums
        ("Bar_0 Part_chords Position_0 Chord_7:7 Bass_7", "Bass_7 at place 12"),  # the root
        ("Bar_0 Part_chords Position_0 Chord_N.C. Bass_7", "Bass_7 at place 12"),
        ("Bar_0 Fill Bar_0", "Bar_0 at place 10"),  # given already
        ("Bar_0 Fill Bar_1 Part_0 Part_0", "Part_0 at place 12"),
        ("Fill Bar_1 Fill", "Fill at place 10"),
    ],
)
def test_order_in_cells(tokens, message):
    cells = Cells()
    ids = [cells.vocabulary.id(token) for token in f"{HEAD} {tokens}".split()]
    with pytest.raises(TokenError, match=message):
        cells.decode([*ids])


@pytest.mark.parametrize(
    "tokens",
    [
        "EOS",
        "Fill Bar_0 Part_0 Part_chords Part_1 Bar_5 Bar_3 EOS",
        f"Bar_63 Part_0 {NOTE} Bar_0 EOS",
        "Bar_0 Left_0 TimeSig_3/4 Tempo_101 Part_0 Position_35 Velocity_0 Pitch_127 Duration_1 EOS",
        f"Bar_0 Part_chords Position_1 Chord_7:7 Bass_6 Position_2 Chord_N.C. Part_0 {NOTE} EOS",
    ],
)
def test_what_cells_can_say(tokens):
    cells = Cells()
    cells.decode([cells.vocabulary.id(token) for token in f"{HEAD} {tokens}".split()])


@pytest.mark.parametrize(("key", "least"), [("0maj", 0), ("6maj", 6), ("7maj", 5), ("4min", 5)])
def test_pitches_stay_in_midis_range_in_every_key(key, least):
    cells = Cells()
    head = (
        f"BOS Key_{key} TimeSig_2/4 Tempo_120 Part_0 Program_5 Bar_0 Part_0 Position_0 Velocity_3"
    )
    cursor = cells.grammar.start()
    for token in head.split():
        cells.grammar.advance(cursor, cells.vocabulary.id(token))
    pitches = cells.ids_to_tokens(np.flatnonzero(cells.grammar.allowed(cursor)))
    assert pitches == [f"Pitch_{pitch}" for pitch in range(least, least + 128)]
