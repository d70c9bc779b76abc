"""Score to ids and back in the REMI formats, by arithmetic on columns.

Bars, tempos, chords and notes are events as ``composer.tokenizers.events`` has them. Which tokens
they say follows from the families that the vocabulary has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from composer.grid import RESOLUTION, chord_rows, needed_bars
from composer.score import NOTE, TEMPO, TIME_SIGNATURE, Score, Text, Track
from composer.theory import NO_CHORD, Chord
from composer.tokenizers.bins import (
    BAR_LENGTHS,
    COMMON_TIME,
    DURATIONS,
    TEMPOS,
    TIME_SIGNATURES,
    nearest,
    tempo_bins,
    velocity_bins,
)
from composer.tokenizers.events import (
    Bools,
    Ints,
    Reader,
    changes,
    chord_columns,
    side_by_side,
    velocity_bin_count,
)
from composer.tokenizers.families import DRUMS
from composer.tokenizers.quantize import signature_index
from composer.tokenizers.vocabulary import Ids, Vocabulary

_WIDTH = 4  # tokens of the longest event, its Position not counted: Program Pitch Velocity Duration

# Ranks of what happens at one position; a note's is _NOTE + 128 * program + pitch.
_BAR, _TEMPO, _CHORD, _NOTE, _RANKS = 0, 1, 2, 3, 2**15

#: Time signatures where the format has no token for them.
FOUR_FOUR = np.array([(0, 4, 4)], TIME_SIGNATURE)


class _Block(NamedTuple):
    """Events of one kind: where they are, how they rank there, and their tokens."""

    onset: Ints  # positions from the start of the piece, shape (rows,)
    rank: Ints  # shape (rows,)
    events: Ints  # shape (rows, _WIDTH)


def encode_remi(vocabulary: Vocabulary, score: Score) -> Ids:
    """Return the ids of a quantised score."""
    base = vocabulary.base
    blocks = [_bar_block(vocabulary, score), _note_block(vocabulary, score)]
    if "Tempo" in base:
        blocks.append(_tempo_block(vocabulary, score))
    if "Chord" in base:
        blocks.append(_chord_block(vocabulary, score))
    onset = np.concatenate([block.onset for block in blocks])
    rank = np.concatenate([block.rank for block in blocks])
    order = np.argsort(onset * _RANKS + rank)
    onset, rank = onset[order], rank[order]
    events = np.concatenate([block.events for block in blocks])[order]
    inside = rank > _BAR
    starts = inside & (changes(onset) | changes(inside))
    _, position = score.meter.bar_and_position(onset)
    position = np.where(starts, base["Position"] + position, -1)
    events = np.column_stack([position, events]).ravel()
    ids = events[events >= 0]
    return np.concatenate([[base["BOS"]], ids, [base["EOS"]]]).astype(np.int32)


def _bar_block(vocabulary: Vocabulary, score: Score) -> _Block:
    base, meter = vocabulary.base, score.meter
    bars = np.arange(needed_bars(score, meter))
    said = np.full(len(bars), -1)
    if "TimeSig" in base:
        values = [signature_index(n, d) for _, n, d in meter.time_signatures.tolist()]
        bar, _ = meter.bar_and_position(meter.time_signatures["tick"])
        said[bar] = base["TimeSig"] + np.array(values)
    events = side_by_side(_WIDTH, np.full(len(bars), base["Bar"]), said)
    return _Block(meter.bar_start(bars), np.full(len(bars), _BAR), events)


def _tempo_block(vocabulary: Vocabulary, score: Score) -> _Block:
    onset, mspq = score.meter.tempo_changes
    value = vocabulary.base["Tempo"] + tempo_bins(mspq)
    events = side_by_side(_WIDTH, value)
    return _Block(onset, np.full(len(onset), _TEMPO), events)


def _chord_block(vocabulary: Vocabulary, score: Score) -> _Block:
    onset = np.array([tick for tick, _ in score.chords], np.int64)
    columns = chord_columns(vocabulary, chord_rows(score.chords, score.meter))
    events = side_by_side(_WIDTH, *columns)
    return _Block(onset, np.full(len(onset), _CHORD), events)


def _note_block(vocabulary: Vocabulary, score: Score) -> _Block:
    base = vocabulary.base
    programs = [DRUMS if track.is_drum else track.program for track in score.tracks]
    notes = np.concatenate([np.empty(0, NOTE), *(track.notes for track in score.tracks)])
    program = np.repeat(np.array(programs, np.int64), [len(track.notes) for track in score.tracks])
    is_drum = program == DRUMS
    pitch = notes["pitch"].astype(np.int64)
    velocity = velocity_bins(notes["velocity"], velocity_bin_count(vocabulary))
    events = side_by_side(
        _WIDTH,
        base["Program"] + program if "Program" in base else np.full(len(notes), -1),
        np.where(is_drum, base.get("Drum", 0), base["Pitch"]) + pitch,
        base["Velocity"] + velocity,
        np.where(is_drum, -1, base["Duration"] + nearest(notes["duration"], DURATIONS)),
    )
    return _Block(notes["onset"], _NOTE + 128 * program + pitch, events)


def decode_remi(vocabulary: Vocabulary, ids: Ids) -> Score:
    """Return the score that ids say; the ids must keep the grammar."""
    read = Reader(vocabulary, ids)
    bars, signatures = read.at("Bar"), read.at("TimeSig")
    lengths = np.full(len(bars), COMMON_TIME)
    if len(signatures):  # a bar's own TimeSig stands right behind it
        lengths = BAR_LENGTHS[read.running("TimeSig", bars + 2)]
    starts = np.concatenate([[0], np.cumsum(lengths)])

    def bar_start(places: Ints) -> Ints:
        return starts[np.searchsorted(bars, places) - 1]

    def onset(places: Ints) -> Ints:
        return bar_start(places) + read.running("Position", places)

    time_signatures = np.empty(len(signatures), TIME_SIGNATURE)
    time_signatures["tick"] = bar_start(signatures)
    said = np.array(TIME_SIGNATURES)[read.value[signatures]]
    time_signatures["numerator"], time_signatures["denominator"] = said[:, 0], said[:, 1]
    tempos = np.empty(len(read.at("Tempo")), TEMPO)
    tempos["tick"] = onset(read.at("Tempo"))
    tempos["mspq"] = TEMPOS[read.value[read.at("Tempo")]]

    places, root, quality, bass = read.chords()
    symbols = map(_symbol, root.tolist(), quality.tolist(), bass.tolist())
    chords = map(Text, onset(places).tolist(), symbols)
    places, pitched = read.notes()
    return Score(
        tpq=RESOLUTION,
        tracks=_tracks(read, onset(places), places, pitched),
        tempos=tempos,
        time_signatures=time_signatures if "TimeSig" in vocabulary.base else FOUR_FOUR,
        chords=_only_changes(chords),
    )


def _tracks(read: Reader, onset: Ints, places: Ints, pitched: Bools) -> tuple[Track, ...]:
    """Return one track for each program that plays, drums last."""
    notes = np.empty(len(places), NOTE)
    notes["onset"], notes["pitch"] = onset, read.value[places]
    notes["velocity"] = read.velocities(read.value[places + 1])
    notes["duration"] = read.durations(places + 2, pitched)
    has_program = "Program" in read.vocabulary.base
    program = read.value[places - 1] if has_program else np.zeros(len(places), np.int64)
    order = np.argsort(program, kind="stable")
    values, first = np.unique(program[order], return_index=True)
    blocks = np.split(notes[order], first[1:])
    return tuple(
        Track(program=value % DRUMS, is_drum=value == DRUMS, notes=block)
        for value, block in zip(values.tolist(), blocks, strict=False)
    )


def _only_changes(chords: Iterable[Text]) -> tuple[Text, ...]:
    kept: list[Text] = []
    for chord in chords:
        if not kept or kept[-1].text != chord.text:
            kept.append(chord)
    return tuple(kept)


@lru_cache(maxsize=4096)
def _symbol(root: int, quality: int, bass: int) -> str:
    if root < 0:
        return NO_CHORD
    return Chord(root, quality, bass if bass >= 0 else None).symbol()
