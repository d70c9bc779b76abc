"""From a folder of MIDI files to one file of ids, memory-mapped for training.

Tokens are the storage: a piece is kept as the ids of its whole quantised score, which decode to it
exactly, and training cuts its examples from there. Before that a piece gets what a model needs to
know of it: its key and, where the file says none, its chords.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
import shutil
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from composer.errors import ComposerError, TrainingError
from composer.grid import Grid
from composer.harmony import infer_chords, infer_key
from composer.score import KEY_SIGNATURE, Score, Track
from composer.tokenizers.cells import Cells
from composer.tokenizers.cells_codec import decode_cells
from composer.tokenizers.vocabulary import Ids

MIDI_SUFFIXES = (".mid", ".midi", ".kar")
HELD_OUT_PARTS = 20  # one file in so many is held out
FEWEST_NOTES = 8

_STAFF = re.compile(
    r"\(?\b(staff|upper|lower|right|left|treble|bass clef|rh|lh)\b.*", re.IGNORECASE
)
#: Hi-hat edge notes of Roland kits, which General MIDI has not.
_ROLAND = {22: 42, 26: 46}


@dataclasses.dataclass(frozen=True)
class Piece:
    """A file in a corpus."""

    path: str  # relative to the corpus folder, with forward slashes
    group: str  # folder right below the corpus folder, or ""
    start: int  # place of the first id
    length: int  # number of ids
    bars: int
    held_out: bool


class Corpus:
    """A prepared corpus: ids of many pieces in one memory-mapped array.

    Parameters
    ----------
    folder
        What ``prepare`` wrote.
    tokenizer
        The tokenizer it was prepared with.
    """

    def __init__(self, folder: Path, tokenizer: Cells) -> None:
        self.tokenizer = tokenizer
        self.ids = np.load(folder / "ids.npy", mmap_mode="r")
        rows = json.loads((folder / "pieces.json").read_text())
        self.pieces = [Piece(**row) for row in rows["pieces"]]
        self.refused: dict[str, str] = rows["refused"]
        self._grid = functools.lru_cache(maxsize=4096)(self._decode)

    def piece_ids(self, index: int) -> Ids:
        """Return the ids of a piece, shape (T,)."""
        piece = self.pieces[index]
        return np.asarray(self.ids[piece.start : piece.start + piece.length]).astype(np.int32)

    def grid(self, index: int) -> Grid:
        """Return a piece as a grid."""
        return self._grid(index)

    def _decode(self, index: int) -> Grid:
        return decode_cells(self.tokenizer.vocabulary, self.piece_ids(index))


def midi_files(folder: Path) -> list[Path]:
    """Return the MIDI files below a folder, sorted.

    Raises
    ------
    TrainingError
        There is no such folder, or no MIDI file in it.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is no folder; name one that holds MIDI files")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in MIDI_SUFFIXES)
    if not files:
        raise TrainingError(f"{folder} holds no file that ends in {', '.join(MIDI_SUFFIXES)}")
    return files


def prepare(folder: Path, out: Path, tokenizer: Cells, workers: int = 1) -> Corpus:
    """Tokenise every MIDI file below a folder; what is already prepared is used again.

    Parameters
    ----------
    folder
        Files that cannot be read are left out and listed in ``pieces.json`` with the reason.
    out
        Folder to write; complete or absent, never half.
    tokenizer
        Tokenizer.
    workers
        Processes.

    Raises
    ------
    TrainingError
        Not one file could be used.
    """
    files = midi_files(folder)
    fingerprint = _fingerprint(files, folder, tokenizer)
    done = out / "pieces.json"
    if done.is_file() and json.loads(done.read_text())["fingerprint"] == fingerprint:
        return Corpus(out, tokenizer)
    chunks: list[Ids] = []
    pieces: list[dict[str, object]] = []
    refused: dict[str, str] = {}
    start = 0
    for path, (ids, bars, reason) in zip(files, _encoded(files, tokenizer, workers), strict=True):
        name = path.relative_to(folder)
        if ids is None:
            refused[name.as_posix()] = reason
            continue
        piece = Piece(
            path=name.as_posix(),
            group=name.parts[0] if len(name.parts) > 1 else "",
            start=start,
            length=len(ids),
            bars=bars,
            held_out=zlib.crc32(name.as_posix().encode()) % HELD_OUT_PARTS == 0,
        )
        pieces.append(dataclasses.asdict(piece))
        chunks.append(ids.astype(np.uint16))
        start += len(ids)
    if not pieces:
        first, reason = next(iter(refused.items()))
        raise TrainingError(
            f"none of the {len(files)} files in {folder} can be used; {first}: {reason}"
        )
    temporary = out.with_name(out.name + f".{os.getpid()}.part")
    temporary.mkdir(parents=True)
    np.save(temporary / "ids.npy", np.concatenate(chunks))
    table = {"fingerprint": fingerprint, "refused": refused, "pieces": pieces}
    (temporary / "pieces.json").write_text(json.dumps(table, indent=1))
    if out.exists():
        shutil.rmtree(out)
    temporary.replace(out)
    return Corpus(out, tokenizer)


def _fingerprint(files: list[Path], folder: Path, tokenizer: Cells) -> str:
    digest = hashlib.sha256(tokenizer.vocabulary.to_json().encode())
    for path in files:
        status = path.stat()
        digest.update(f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _encoded(
    files: list[Path], tokenizer: Cells, workers: int
) -> Iterator[tuple[Ids | None, int, str]]:
    work = functools.partial(encode_file, tokenizer=tokenizer)
    bar = functools.partial(tqdm, total=len(files), desc="Preparing", unit="file")
    if workers <= 1:
        yield from bar(map(work, files))
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from bar(pool.map(work, files, chunksize=8))


def encode_file(path: Path, tokenizer: Cells) -> tuple[Ids | None, int, str]:
    """Return the ids of a file and its number of bars, or None and why it is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a file holds beside notes is not trained on
        try:
            score = Score.read(path)
            if sum(len(track.notes) for track in score.tracks) < FEWEST_NOTES:
                return None, 0, f"fewer than {FEWEST_NOTES} notes"
            grid = tokenizer.grid(annotate(gather_parts(score)))
        except ComposerError as error:
            return None, 0, str(error)
    return tokenizer.encode_grid(grid), len(grid.bars), ""


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
