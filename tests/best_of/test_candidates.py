"""Best of n: every candidate is what its seed writes alone, and the best is returned."""

import dataclasses
import threading

import numpy as np
import pytest

from composer import Candidate, metrics
from composer.best_of.candidates import candidates, seeds_of
from composer.best_of.ranking import (
    TERMS,
    USUAL,
    Term,
    control_error,
    habits,
    likelihood,
    repetition,
    total,
    values_of,
)
from composer.controls.kinds import NAMES
from composer.errors import RequestError
from composer.generate.batch import call_together, write_together
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import CELL_NOTE, Part
from composer.theory.keys import Key
from composer.tokenizers.cells.levels import UNSAID, Levels, level_of
from composer.tokenizers.families import transposition
from tests.generate.test_batch import all_of, plain_grid


def cell_notes(*notes):
    """Return notes (bar, position, pitch) of one part."""
    rows = [(bar, 0, position, pitch, 6, 80) for bar, position, pitch in notes]
    return np.array(rows, CELL_NOTE)


# All candidates


def test_candidates_are_what_their_seeds_write_alone(random_composer):
    found = candidates(random_composer.melody, "C Am", part="violin", n=3, seed=5)
    assert {candidate.seed for candidate in found} == {*seeds_of(5, 3)}
    for candidate in found:
        alone = random_composer.melody("C Am", part="violin", seed=candidate.seed)
        assert alone == candidate.score
    totals = [candidate.total for candidate in found]
    assert totals == sorted(totals)
    assert len({*totals}) == 3
    assert random_composer.melody("C Am", part="violin", n=3, seed=5) == found[0].score


def test_the_first_seed_is_the_one_given_and_no_two_are_the_same():
    assert seeds_of(7, 3)[0] == 7
    assert seeds_of(7, 3) == seeds_of(7, 5)[:3]
    assert len({*seeds_of(7, 50), *seeds_of(8, 50)}) == 100


def test_a_function_of_several_verbs_has_candidates(random_composer):
    def song(bars, seed):
        tune = random_composer.melody("C Am", bars=bars, seed=seed)
        return random_composer.arrange(tune, ["bass"], seed=seed)

    found = candidates(song, 2, n=2, seed=3)
    assert next(c.score for c in found if c.seed == 3) == song(2, 3)
    assert {len(c.score.tracks) for c in found} == {2}


def test_without_a_seed_one_is_drawn(random_composer):
    (one,) = candidates(random_composer.chords, bars=1, part=None, n=1)
    assert random_composer.chords(bars=1, part=None, seed=one.seed) == one.score
    assert isinstance(one, Candidate)
    assert "likelihood" in repr(one)


@pytest.mark.parametrize("n", [0, -1, 257, 1.5])
def test_a_number_of_candidates_that_makes_no_sense_is_refused(n, random_composer):
    with pytest.raises(RequestError, match="is not a whole number from 1 to 256 candidates"):
        random_composer.melody("C", n=n)


@pytest.mark.parametrize("seed", [-1, "one", 1.5])
def test_what_is_no_seed_is_refused_in_the_same_words(random_composer, seed):
    for n in (None, 2):
        with pytest.raises(RequestError, match=f"seed {seed!r} is not a whole number from 0 on"):
            random_composer.melody("C Am", n=n, seed=seed)


def test_a_stream_has_no_candidates(random_composer):
    with pytest.raises(RequestError, match="knows no 'n'"):
        random_composer.stream("C", n=2)
    with pytest.raises(RequestError, match="stream returned a Stream, which is not ranked"):
        candidates(random_composer.stream, "C", n=2)


def test_a_verb_without_a_seed_has_no_candidates(random_composer):
    tune = random_composer.melody("C", seed=1)
    with pytest.raises(RequestError, match="reduce takes no seed, so that all would be one; call"):
        candidates(random_composer.reduce, tune, n=2)


def test_what_a_verb_does_not_know_its_candidates_do_not_know(random_composer):
    with pytest.raises(RequestError, match=r"melody\(\) knows no 'tempi', did you mean 'tempo'"):
        candidates(random_composer.melody, "C", tempi=90)


def test_what_a_verb_refuses_is_refused(random_composer):
    before = threading.active_count()
    with pytest.raises(RequestError, match="bars 0 is outside"):
        random_composer.melody("C", bars=0, n=3)
    assert threading.active_count() == before


def test_when_one_call_fails_the_others_end(random_composer):
    ended = []

    def call(seed):
        try:
            score = random_composer.melody("C", seed=seed)
            if seed == 1:
                raise RuntimeError("no")
            return random_composer.arrange(score, ["bass"], seed=seed)
        finally:
            ended.append(seed)

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no"):
        call_together([lambda seed=seed: call(seed) for seed in range(3)])
    assert sorted(ended) == [0, 1, 2]
    assert threading.active_count() == before


# Ranking


def test_how_much_a_part_repeats_itself():
    tune = [(0, 0, 60), (0, 12, 62), (0, 24, 62), (0, 36, 64)]
    copy = [(1, position, pitch) for _, position, pitch in tune]
    same_rhythm = [(2, position, 70 - position // 12) for _, position, _ in tune]
    found = habits(cell_notes(*tune, *copy, *same_rhythm, (3, 5, 60)), np.arange(5))
    assert found.notes == pytest.approx(2 / 12)
    assert (found.bars, found.rhythms) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert np.isnan(habits(cell_notes((0, 0, 60)), np.arange(1))).all()


def test_a_chord_struck_again_is_a_repeated_note():
    chords = cell_notes((0, 0, 60), (0, 0, 64), (0, 12, 60), (0, 12, 64), (0, 24, 60))
    assert habits(chords, np.arange(1)).notes == 0.5


def test_copies_further_back_than_fifteen_bars_do_not_count():
    far = habits(cell_notes((0, 0, 60), (16, 0, 60)), np.arange(17))
    near = habits(cell_notes((0, 0, 60), (15, 0, 60)), np.arange(17))
    assert (far.bars, near.bars) == (0, 1)


@pytest.fixture
def writers(decoders, cells):
    grid = plain_grid(8, [Part("", 73)])
    requests = [
        Request(grid, all_of(grid, 1), (PartRules("melody"),), Sampling(1), seed)
        for seed in range(2)
    ]
    return write_together(requests, decoders[512], cells)


def test_a_melody_of_one_note_is_ranked_behind_one_like_others(writers):
    first, other = writers
    walk = [60, 62, 64, 65, 64, 62, 64, 67, 65, 64, 62, 60, 62, 64, 62, 60]
    varied = [
        (bar, position, walk[(5 * bar + i) % 16])
        for bar in range(8)
        for i, position in enumerate((0, 12, 24) if bar % 2 else (0, 18, 24, 36))
    ]
    flat = [(bar, position, 60) for bar in range(8) for position in range(0, 48, 6)]
    first.grid = first.grid.replace(notes=cell_notes(*varied))
    other.grid = other.grid.replace(notes=cell_notes(*flat))
    assert repetition(first) < repetition(other)


def test_what_the_model_held_likelier_ranks_first(writers):
    first, other = writers
    other.grid, other.log_probability = first.grid, 2 * first.log_probability
    assert 0 < likelihood(first) < likelihood(other)


def asking(writer, **levels):
    """Let a writer's request ask its only part for levels, by bar."""
    asked = Levels.none(8, 1)
    for name, of_bars in levels.items():
        asked.cells[:, 0, NAMES.index(name)] = of_bars
    writer.request = dataclasses.replace(writer.request, levels=asked)
    return writer


def test_a_control_that_is_kept_better_ranks_first(writers):
    first, other = writers
    quarters = [(bar, position, 72) for bar in range(8) for position in range(0, 48, 12)]
    first.grid = other.grid = first.grid.replace(notes=cell_notes(*quarters))
    other.log_probability = first.log_probability
    one, two = (level_of(np.array([[density, *[np.nan] * 5]]))[0, 0] for density in (1, 2))
    asking(first, density=one), asking(other, density=two)
    assert (control_error(first), control_error(other)) == (0, 2)  # 1.5 lies between
    assert total(values_of([first])) < total(values_of([other]))


def test_bars_that_one_level_is_asked_of_are_measured_together(writers):
    halves = [(bar, position, 72) for bar in range(4) for position in (0, 24)]
    eighths = [(bar, position, 72) for bar in range(4, 8) for position in range(0, 48, 6)]
    first, _ = writers
    first.grid = first.grid.replace(notes=cell_notes(*halves, *eighths))
    sparse, moderate, busy = (
        level_of(np.array([[density, *[np.nan] * 5]]))[0, 0] for density in (0.5, 1, 2)
    )
    assert control_error(asking(first, density=[sparse] * 4 + [busy] * 4)) == 0
    # An onset and a quarter a beat on the average.
    assert control_error(asking(first, density=moderate)) == pytest.approx(0.5)
    assert control_error(asking(first, density=UNSAID)) == 0


def test_the_register_asked_for_is_that_of_the_key(writers):
    first, _ = writers
    grid = first.grid.replace(notes=cell_notes((0, 0, 79)), key=Key.parse("G"))
    first.grid = grid
    asked = level_of(np.array([[np.nan, np.nan, 79, *[np.nan] * 3]]), transposition(grid.key))
    assert control_error(asking(first, register=asked[0, 2])) < 0.5
    assert control_error(asking(first, register=asked[0, 2] - 2)) > 1.5


def test_silence_is_no_error_but_of_density(writers):
    first, _ = writers
    first.grid = first.grid.replace(notes=cell_notes())
    assert control_error(asking(first, register=3)) == 0
    assert control_error(asking(first, density=3)) == 3


def test_the_best_of_many_keeps_to_a_control_better(random_composer):
    def error(score):
        return abs(metrics.density(score, 1) - 0.5)

    found = candidates(random_composer.melody, "C Am", n=6, density="sparse", seed=1)
    assert all("control error" in candidate.terms for candidate in found)
    errors = [candidate.terms["control error"] for candidate in found]
    assert max(errors) > min(errors)
    far, near = found[int(np.argmax(errors))], found[int(np.argmin(errors))]
    assert error(far.score) > error(near.score)


def test_parts_are_held_to_what_is_given_of_them(decoders, cells):
    notes = [(bar, 0, position, 60, 6, 80) for bar in range(8) for position in range(0, 48, 6)]
    grid = plain_grid(8, [Part("", 73)], notes)
    written = all_of(grid, 1)
    written[:6] = False
    request = Request(grid, written, (PartRules("melody"),), Sampling(1), 1)
    (writer,) = write_together([request], decoders[512], cells)
    writer.grid = grid  # two bars more of the same
    held = repetition(writer)
    alone = dataclasses.replace(request, written=all_of(grid, 1))
    (free,) = write_together([alone], decoders[512], cells)
    free.grid = grid
    assert held == pytest.approx(0)
    assert repetition(free) > 1


def test_terms_are_weighed_and_added(writers):
    terms = (Term("one", 2.0, lambda writer: 1.0), Term("seed", 0.5, lambda w: w.request.seed))
    values = values_of(writers, terms)
    assert values == {"one": 2.0, "seed": 1}
    assert total(values, terms) == 4.5
    assert total(values_of(writers)) == pytest.approx(
        sum(term.weight * sum(map(term.of, writers)) for term in TERMS)
    )


def test_every_role_has_what_is_usual_of_it():
    assert {*USUAL} == {"melody", "bass", "accompaniment", None}
    for lengths in USUAL.values():
        assert [*lengths] == [4, 8, 16]
        for shares in lengths.values():
            assert all(0 <= share.mean <= 1 and share.spread > 0 for share in shares)
