"""A piece to REMI ids and back, on columns.

Bars, tempos, chords and rests are *heads*; notes, pedals and bends are *rows*. Both are sorted, the
few heads are put between the many rows, and what a Position stands for falls out of the order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from composer.grid import chord_rows
from composer.meter import Meter
from composer.score import NOTE, TEMPO, TIME_SIGNATURE, Events, Text
from composer.theory import NO_CHORD, Chord, Key
from composer.tokenizers.bins import (
    DRUM_LENGTH,
    MIDDLE_VELOCITY,
    TIME_SIGNATURES,
    Bins,
    bin_velocities,
    nearest,
    velocity_bins,
)
from composer.tokenizers.events import Bools, Ints, Reader, changes, chord_columns
from composer.tokenizers.families import DRUMS, KEYS, PITCH_OFFSET, transposition
from composer.tokenizers.quantize import only_changes, signature_index
from composer.tokenizers.remi_piece import (
    FOUR_FOUR,
    Piece,
    changed_bends,
    joined_pedals,
    nearest_position,
    no_bends,
    no_pedals,
)
from composer.tokenizers.vocabulary import Ids, Vocabulary

#: Order of what one program does at one place; a pitch comes after, by its number.
UP, DOWN, BEND, FIRST_PITCH = range(4)
_CODES = 256  # above every such number

# Order of the heads at one place.
_BAR, _TEMPO, _CHORD, _REST = range(4)
_KINDS = 4

#: Silence shorter than this share of a quarter is no rest.
_REST_SHARE = 2


class _Heads(NamedTuple):
    """What stands between the notes: a place and up to two tokens each, -1 for none."""

    tick: Ints
    first: Ints
    second: Ints


def encode_remi(vocabulary: Vocabulary, piece: Piece, bins: Bins) -> Ids:
    """Return the ids of a piece."""
    base = vocabulary.base
    starts = piece.starts
    rank, heads = _heads(vocabulary, piece, bins)
    tick, tokens = _rows(vocabulary, piece, bins)
    at = np.searchsorted(tick, heads.tick) + np.arange(len(rank))
    is_row = np.ones(len(rank) + len(tick), bool)
    is_row[at] = False
    said = np.full((len(is_row), 2 + tokens.shape[1]), -1, np.int32)
    said[is_row, 2:] = tokens
    said[at, 2], said[at, 3] = heads.first, heads.second
    ticks = np.empty(len(is_row), np.int64)
    ticks[is_row], ticks[at] = tick, heads.tick
    is_bar = np.zeros(len(is_row), bool)
    is_bar[at[rank == _BAR]] = True

    begins = changes(ticks)
    begins[1:] |= is_bar[:-1]
    begins &= ~is_bar
    ticks, bar = ticks[begins], np.cumsum(is_bar)[begins] - 1
    place = nearest_position(ticks, bins)
    said[begins, 0] = base["Position"] + (place - starts[bar]) // bins.steps
    if "Offset" in base:
        said[begins, 1] = base["Offset"] + ticks - place + bins.steps // 2
    ids = said.ravel()
    head = [base["BOS"], *([base["Key"] + KEYS.index(piece.key)] if piece.key else [])]
    return np.concatenate([head, ids[ids >= 0], [base["EOS"]]]).astype(np.int32)


def _shift(piece: Piece) -> int:
    return transposition(piece.key) if piece.key else 0


def _heads(vocabulary: Vocabulary, piece: Piece, bins: Bins) -> tuple[Ints, _Heads]:
    """Return the heads in their order, and the kind of each."""
    base, starts = vocabulary.base, piece.starts
    bars = len(starts) - 1
    signature = np.full(bars, -1)
    if "TimeSig" in base:
        values = [signature_index(n, d) for _, n, d in piece.signatures.tolist()]
        at = np.searchsorted(starts, piece.signatures["tick"])
        signature[at] = base["TimeSig"] + np.array(values)
    # A bar begins with what is said at its Position 0, early onsets too.
    blocks = [_Heads(starts[:-1] - bins.steps // 2, np.full(bars, base["Bar"]), signature)]
    ranks = [_BAR]
    if "Tempo" in base:
        tempo = base["Tempo"] + bins.tempo_bin(piece.tempos["mspq"])
        blocks.append(_Heads(piece.tempos["tick"], tempo, np.full(len(tempo), -1)))
        ranks.append(_TEMPO)
    if piece.chords:
        tick = np.array([tick for tick, _ in piece.chords])
        meter = Meter(bins.tpq, piece.signatures, piece.tempos[:0])
        rows = chord_rows(piece.chords, meter)
        blocks.append(_Heads(tick, *chord_columns(vocabulary, rows, _shift(piece))))
        ranks.append(_CHORD)
    if "Rest" in base:
        tick = _rests(piece, bins)
        blocks.append(_Heads(tick, np.full(len(tick), base["Rest"]), np.full(len(tick), -1)))
        ranks.append(_REST)
    rank = np.repeat(ranks, [len(block.tick) for block in blocks])
    tick, first, second = map(np.concatenate, zip(*blocks, strict=True))
    order = np.argsort(tick * _KINDS + rank, kind="stable")
    return rank[order], _Heads(tick[order], first[order], second[order])


def _rests(piece: Piece, bins: Bins) -> Ints:
    """Return where silence of an eighth or more begins, in each bar anew."""
    starts = piece.starts
    begin = nearest_position(piece.notes["onset"], bins)
    reach = np.maximum.accumulate(np.append(0, begin + piece.notes["duration"]))
    until = np.append(begin, starts[-1])
    silent = until > reach
    reach, until = reach[silent], until[silent]
    inside = np.searchsorted(reach, starts[:-1], side="right") - 1
    in_gap = (inside >= 0) & (starts[:-1] < until[inside]) if len(reach) else inside >= 0
    ticks = np.union1d(reach, starts[:-1][in_gap])
    if not len(ticks):
        return ticks
    end = until[np.searchsorted(reach, ticks, side="right") - 1]
    end = np.minimum(end, starts[np.searchsorted(starts, ticks, side="right")])
    return np.asarray(ticks[end - ticks >= bins.tpq // _REST_SHARE])


def _rows(vocabulary: Vocabulary, piece: Piece, bins: Bins) -> tuple[Ints, Ids]:
    """Return place and tokens of notes, pedals and bends in their order; tokens (rows, 2 to 4)."""
    tokens = _note_tokens(vocabulary, piece, bins)
    if not len(piece.pedals) and not len(piece.bends):
        return piece.notes["onset"], tokens
    base, width = vocabulary.base, tokens.shape[1]
    pedals, bends = piece.pedals, piece.bends
    up, down = pedals["tick"] + pedals["duration"], pedals["tick"]
    bend = base.get("Bend", 0) + bins.bend_bin(bends["value"]) if len(bends) else bends["tick"]
    blocks = [
        (piece.notes["onset"], piece.program, FIRST_PITCH + piece.notes["pitch"], None),
        (up, piece.pedal_program, np.full(len(up), UP), base.get("Pedal", 0) + up * 0),
        (down, piece.pedal_program, np.full(len(up), DOWN), base.get("Pedal", 0) + 1 + up * 0),
        (bends["tick"], piece.bend_program, np.full(len(bends), BEND), bend),
    ]
    matrices = [tokens]
    for _, program, _, token in blocks[1:]:
        matrix = np.full((len(program), width), -1, np.int32)
        if "Program" in base:
            matrix[:, 0] = base["Program"] + program
        matrix[:, int("Program" in base)] = token
        matrices.append(matrix)
    tick, program, code = (np.concatenate([block[i] for block in blocks]) for i in range(3))
    order = np.argsort((tick * (DRUMS + 1) + program) * _CODES + code, kind="stable")
    return tick[order], np.concatenate(matrices)[order]


def _note_tokens(vocabulary: Vocabulary, piece: Piece, bins: Bins) -> Ids:
    """Return Program, Pitch, Velocity and Duration of each note, those that the format has."""
    base, notes = vocabulary.base, piece.notes
    is_drum = piece.program == DRUMS
    pitched = base["Pitch"] + _shift(piece)
    if piece.key:
        pitched += PITCH_OFFSET
    columns = [notes["pitch"] + np.where(is_drum, base.get("Drum", base["Pitch"]), pitched)]
    if "Program" in base:
        columns.insert(0, base["Program"] + piece.program)
    if "Velocity" in base:
        columns.append(base["Velocity"] + velocity_bins(notes["velocity"], bins.velocities))
    duration = nearest(notes["duration"] // bins.steps, bins.durations)
    columns.append(np.where(is_drum, -1, base["Duration"] + duration))
    tokens = np.empty((len(notes), len(columns)), np.int32)
    for i, column in enumerate(columns):
        tokens[:, i] = column
    return tokens


class _Reading(NamedTuple):
    """What decoding knows of a sequence: ids by family, and where its bars begin."""

    ids: Reader
    bins: Bins
    bars: Ints  # places
    starts: Ints  # ticks, and the end of the last

    def start(self, places: Ints) -> Ints:
        return self.starts[np.searchsorted(self.bars, places) - 1]

    def tick(self, places: Ints) -> Ints:
        tick = self.start(places) + self.ids.running("Position", places) * self.bins.steps
        if self.bins.steps > 1:
            tick += self.ids.running("Offset", places) - self.bins.steps // 2
        return tick

    def program(self, places: Ints) -> Ints:
        if "Program" not in self.ids.vocabulary.base:
            return np.zeros(len(places), np.int64)
        return self.ids.value[places - 1]


def decode_remi(vocabulary: Vocabulary, ids: Ids, bins: Bins) -> Piece:
    """Return the piece that ids say; they must keep the grammar."""
    read = Reader(vocabulary, ids)
    bars, signatures = read.at("Bar"), read.at("TimeSig")
    lengths = np.full(len(bars), bins.common_time)
    if len(signatures):  # a bar's own TimeSig stands right behind it
        lengths = bins.bar_lengths[read.running("TimeSig", bars + 2)]
    starts = np.concatenate([[0], np.cumsum(lengths)]) * bins.steps
    found = _Reading(read, bins, bars, starts)
    key = KEYS[read.value[read.at("Key")[0]]] if "Key" in vocabulary.base else None
    notes, program = _notes(found, key)
    pedals, pedal_program = _pedals(found)
    bends, bend_program = _bends(found)
    return Piece(
        key=key,
        signatures=_signatures(found, signatures) if "TimeSig" in vocabulary.base else FOUR_FOUR,
        tempos=_tempos(found),
        chords=_chords(found, key),
        notes=notes,
        program=program,
        pedals=pedals,
        pedal_program=pedal_program,
        bends=bends,
        bend_program=bend_program,
        starts=starts,
    )


def _signatures(found: _Reading, places: Ints) -> Events:
    signatures = np.empty(len(places), TIME_SIGNATURE)
    signatures["tick"] = found.start(places)
    said = np.array(TIME_SIGNATURES)[found.ids.value[places]]
    signatures["numerator"], signatures["denominator"] = said[:, 0], said[:, 1]
    return signatures


def _tempos(found: _Reading) -> Events:
    places = found.ids.at("Tempo")
    tempos = np.empty(len(places), TEMPO)
    if len(places):
        tempos["tick"] = found.tick(places)
        tempos["mspq"] = found.bins.tempos[found.ids.value[places]]
    return tempos


def _chords(found: _Reading, key: Key | None) -> tuple[Text, ...]:
    if not len(found.ids.at("Chord")):
        return ()
    places, root, quality, bass = found.ids.chords(transposition(key) if key else 0)
    symbols = map(_symbol, root.tolist(), quality.tolist(), bass.tolist(), [key] * len(places))
    return only_changes(map(Text, found.tick(places).tolist(), symbols))


def _notes(found: _Reading, key: Key | None) -> tuple[Events, Ints]:
    read, bins = found.ids, found.bins
    places, _ = read.notes()
    program = found.program(places)
    pitched: Bools = program != DRUMS
    notes = np.empty(len(places), NOTE)
    notes["pitch"] = read.value[places]
    if key:
        notes["pitch"][pitched] -= PITCH_OFFSET + transposition(key)
    notes["velocity"] = MIDDLE_VELOCITY
    said = places + 1
    if bins.velocities:
        notes["velocity"] = bin_velocities(bins.velocities)[read.value[said]]
        said = said + 1
    length = bins.durations[np.where(pitched, read.value[np.minimum(said, len(read.value) - 1)], 0)]
    notes["duration"] = np.where(pitched, length, DRUM_LENGTH) * bins.steps
    if len(places):
        notes["onset"] = found.tick(places)
    return notes, program


def _pedals(found: _Reading) -> tuple[Events, Ints]:
    """Return the pedals; one that stays down goes up at the end."""
    places = found.ids.at("Pedal")
    if not len(places):
        return no_pedals()
    tick, program, down = found.tick(places), found.program(places), found.ids.value[places] > 0
    order = np.argsort(program, kind="stable")  # down and up take turns in each program
    tick, program, down = tick[order], program[order], down[order]
    is_up_next = np.append(program[1:] == program[:-1], False)
    end = np.where(is_up_next, np.append(tick[1:], 0), found.starts[-1])
    return joined_pedals(tick[down], end[down], program[down])


def _bends(found: _Reading) -> tuple[Events, Ints]:
    places = found.ids.at("Bend")
    if not len(places):
        return no_bends()
    index, program = found.ids.value[places], found.program(places)
    return changed_bends(found.tick(places), index, program, found.bins)


@lru_cache(maxsize=4096)
def _symbol(root: int, quality: int, bass: int, key: Key | None) -> str:
    if root < 0:
        return NO_CHORD
    return Chord(root, quality, bass if bass >= 0 else None).symbol(key)
