"""What a folder of MIDI files becomes for training: a corpus of ids that decode to grids.

Tokens are the storage: a piece is kept as the ids of its whole quantised score, which decode to it
exactly, and training cuts its examples from there. Before that a piece gets what a model needs to
know of it: its key and, where the file says none, its chords.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np

from composer.errors import TrainingError
from composer.harmony.inference import infer_chords, infer_key
from composer.score.events import KEY_SIGNATURE
from composer.score.grid import Grid
from composer.score.score import Score, Track
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.corpus.build import tokenize_corpus
from composer.tokenizers.corpus.token_corpus import TokenCorpus

FEWEST_NOTES = 8

_STAFF = re.compile(
    r"\(?\b(staff|upper|lower|right|left|treble|bass clef|rh|lh)\b.*", re.IGNORECASE
)
#: Hi-hat edge notes of Roland kits, which General MIDI has not.
_ROLAND = {22: 42, 26: 46}


class Corpus(TokenCorpus):
    """A corpus of pieces that can be had as grids.

    Parameters
    ----------
    folder
        What ``prepare`` wrote.
    tokenizer
        The tokenizer it was prepared with.
    """

    def __init__(self, folder: Path, tokenizer: Cells) -> None:
        super().__init__(folder)
        self.tokenizer = tokenizer
        self._grid = functools.lru_cache(maxsize=4096)(self._decode)

    def grid(self, index: int) -> Grid:
        """Return a piece as a grid."""
        return self._grid(index)

    def _decode(self, index: int) -> Grid:
        return self.tokenizer.codec.decode(self.ids(index))


def prepare(folder: Path, out: Path, tokenizer: Cells, workers: int = 1) -> Corpus:
    """Tokenise every MIDI file below a folder for training, as ``tokenize_corpus`` does.

    Raises
    ------
    TrainingError
        As ``tokenize_corpus``.
    """
    tokenize_corpus(folder, out, tokenizer=tokenizer, workers=workers, preparation=prepare_score)
    return Corpus(out, tokenizer)


def prepare_score(score: Score) -> Score:
    """Return a score as training wants it: parts gathered, with its key and with chords.

    Raises
    ------
    TrainingError
        It has too few notes to be of use.
    """
    if sum(len(track.notes) for track in score.tracks) < FEWEST_NOTES:
        raise TrainingError(f"fewer than {FEWEST_NOTES} notes")
    return annotate(gather_parts(score))


def annotate(score: Score) -> Score:
    """Return the score with its key inferred from the notes, and chords where it has none.

    The signature in a file is not asked: its mode is mostly a default.
    """
    key = infer_key(score)
    signature = np.array([(0, key.sharps, key.mode == "minor")], KEY_SIGNATURE)
    score = score.replace(key_signatures=signature)
    pitched = any(len(track.notes) and not track.is_drum for track in score.tracks)
    return score if score.chords or not pitched else score.replace(chords=infer_chords(score))


def gather_parts(score: Score) -> Score:
    """Return the score without empty tracks, staves of one player joined, drums as GM has them."""
    tracks: list[Track] = []
    players: list[tuple[str, int, bool]] = []
    for track in score.tracks:
        if not len(track.notes):
            continue
        name = _STAFF.sub("", track.name).strip(" :0123456789")
        player = (name, track.program, track.is_drum)
        staff = bool(_STAFF.search(track.name)) or track.is_drum
        if staff and player in players:
            at = players.index(player)
            joined = np.concatenate([tracks[at].notes, track.notes])
            tracks[at] = tracks[at].replace(notes=joined)
            continue
        if track.is_drum:
            track = _straighten(_general_midi_drums(track), score.tpq)
        tracks.append(track)
        players.append(player)
    return score.replace(tracks=tuple(tracks))


def _general_midi_drums(track: Track) -> Track:
    notes = track.notes.copy()
    for roland, general in _ROLAND.items():
        notes["pitch"][track.notes["pitch"] == roland] = general
    return track.replace(notes=notes)


def _straighten(track: Track, tpq: int) -> Track:
    """Return drums that were performed freely on the sixteenths or triplets they were meant on.

    A grid of twelve positions would keep a drummer's microtiming as noise. Of the two the grid is
    taken that the hits lie nearer to, by its own step.
    """
    beats = track.notes["onset"] / tpq
    errors = {step: np.abs(beats * step - np.rint(beats * step)).mean() for step in (3, 4)}
    step = min(errors, key=lambda step: errors[step])
    on_grid = np.abs(beats * 12 - np.rint(beats * 12)) < 0.05
    if on_grid.mean() > 0.8:
        return track
    notes = track.notes.copy()
    notes["onset"] = np.rint(np.rint(beats * step) * tpq / step)
    return track.replace(notes=notes)
