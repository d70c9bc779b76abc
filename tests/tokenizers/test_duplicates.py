"""Copies are found however they are laid out; what is other music is left alone."""

import numpy as np
import pytest

from composer import Score, Track
from composer.tokenizers.corpus.duplicates import (
    NO_HASHES,
    Duplicates,
    _phrases,
    find_duplicates,
    sketch,
)


def piece(seed: int, notes: int = 300) -> Score:
    """A melody that wanders, over an accompaniment and drums."""
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.choice([120, 240, 480], notes))
    pitch = 55 + np.cumsum(rng.integers(-4, 5, notes)) % 30
    melody = [(int(o), 120, int(p), 90) for o, p in zip(onset, pitch, strict=True)]
    bass = [(o, 480, 30 + p % 12, 70) for o, _, p, _ in melody[::4]]
    hits = [(o, 60, 36 + 2 * int(rng.integers(3)), 80) for o, *_ in melody[::3]]
    return Score(
        480, (Track("A", 0, notes=melody), Track("B", 33, notes=bass), Track("D", 0, True, hits))
    )


def groups(*scores: Score) -> list[Duplicates]:
    sketches = [sketch(score) for score in scores]
    return find_duplicates(
        [s.exact for s in sketches],
        [s.tune for s in sketches],
        np.stack([s.hashes for s in sketches]),
    )


def moved(score: Score, **columns) -> Score:
    """Return the score with something added to columns of the notes of pitched tracks."""
    tracks = []
    for track in score.tracks:
        notes = track.notes.copy()
        for name, value in columns.items():
            if not (track.is_drum and name == "pitch"):
                notes[name] += value
        tracks.append(track.replace(notes=notes))
    return score.replace(tracks=tuple(tracks))


def other_layout(score: Score) -> Score:
    """Return the same notes on other tracks and programs, louder, faster and a bar later."""
    pitched = np.concatenate([t.notes for t in score.tracks if not t.is_drum])
    tracks = [Track("All", 48, notes=pitched[::2].copy()), Track("", 5, notes=pitched[1::2].copy())]
    tracks += [track.replace(name="Kit") for track in score.tracks if track.is_drum]
    loud = moved(score.replace(tracks=tuple(tracks)), velocity=9, onset=1920)
    return loud.replace(tempos=[(0, 300_000)])


def other_resolution(score: Score) -> Score:
    tracks = []
    for track in score.tracks:
        notes = track.notes.copy()
        for name in ("onset", "duration"):
            notes[name] //= 4
        tracks.append(track.replace(notes=notes))
    return Score(120, tuple(tracks))


def with_changed_notes(score: Score, every: int) -> Score:
    """Return the score with one melody note in so many a tone higher."""
    notes = score.tracks[0].notes.copy()
    notes["pitch"][::every] += 2
    return score.replace(tracks=(score.tracks[0].replace(notes=notes), *score.tracks[1:]))


COPIES = {
    "layout": (other_layout, "exact"),
    "resolution": (other_resolution, "exact"),
    "transposition": (lambda score: moved(score, pitch=-5), "transposed"),
    "transposition and layout": (lambda score: other_layout(moved(score, pitch=7)), "transposed"),
    "a few notes": (lambda score: with_changed_notes(score, 25), "near"),
    "a few notes, transposed": (lambda s: moved(with_changed_notes(s, 25), pitch=3), "near"),
    "a piece cut short": (
        lambda s: s.replace(
            tracks=tuple(t.replace(notes=t.notes[: -len(t.notes) // 4]) for t in s.tracks)
        ),
        "near",
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_among_other_pieces(name):
    change, kind = COPIES[name]
    others = [piece(seed) for seed in range(1, 8)]
    found = groups(*others[:3], piece(0), *others[3:], change(piece(0)))
    assert found == [Duplicates(kind, (3, 8))]


def test_other_pieces_are_no_copies_and_drums_are_not_transposed():
    assert groups(*(piece(seed) for seed in range(40))) == []
    hits = piece(0).tracks[2].notes
    higher = hits.copy()
    higher["pitch"] += 5
    kits = [Score(480, (Track(is_drum=True, notes=notes),)) for notes in (hits, higher)]
    assert groups(*kits) == []


def test_many_changed_notes_make_another_piece():
    assert groups(piece(0), with_changed_notes(piece(0), 2)) == []


def test_the_kind_of_a_group_is_the_widest_of_it():
    found = groups(piece(0), moved(piece(0), pitch=2), with_changed_notes(piece(0), 40), piece(5))
    assert found == [Duplicates("near", (0, 1, 2))]


@pytest.mark.parametrize("every", [8, 16, 32])
def test_the_hashes_tell_the_jaccard_index(every):
    melody = piece(0).replace(tracks=piece(0).tracks[:1])
    pair = [melody, with_changed_notes(melody, every)]
    phrases = []
    for score in pair:
        notes = score.tracks[0].notes
        words = _phrases(notes["onset"], np.diff(notes["pitch"].astype(int), prepend=0) + 128)
        phrases.append(set(words.tolist()))
    index = len(phrases[0] & phrases[1]) / len(phrases[0] | phrases[1])
    one, other = (sketch(score).hashes for score in pair)
    assert (one == other).mean() == pytest.approx(index, abs=0.1)


def test_silence_and_plain_pieces_are_near_nothing():
    drone = [
        Score(480, (Track(notes=[(480 * i, 480, 60, 90) for i in range(n)]),)) for n in (200, 210)
    ]
    assert groups(Score(), Score(), *drone) == []
    assert (sketch(drone[0]).hashes == NO_HASHES).all()
    assert groups(drone[0], drone[0]) == [Duplicates("exact", (0, 1))]


def test_a_bucket_of_like_pieces_of_two_kinds_makes_two_groups():
    mixed = [with_changed_notes(piece(i % 2), 20 + i) for i in range(12)]
    assert [group.members for group in groups(*mixed)] == [(0, 2, 4, 6, 8, 10), (1, 3, 5, 7, 9, 11)]
