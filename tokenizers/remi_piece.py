"""A piece as the REMI formats can say it: columns in one order, from a score and back to one.

Quantising makes these columns of a score, encoding makes ids of them, decoding reads them from ids;
so all three agree on what a piece is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from composer.meter import Meter
from composer.score import (
    PEDAL,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    Events,
    Score,
    Text,
    Track,
)
from composer.theory import Key
from composer.tokenizers.bins import Bins
from composer.tokenizers.events import Ints, changes
from composer.tokenizers.families import DRUMS
from composer.tokenizers.quantize import (
    all_notes,
    bar_starts,
    home_key,
    longest,
    on_grid,
    quantize_chords,
    quantize_signatures,
    quantize_tempos,
)
from composer.tokenizers.remi_config import RemiConfig

#: Time signatures where the format has no token for them.
FOUR_FOUR = np.array([(0, 4, 4)], TIME_SIGNATURE)

_LATEST = 2**50  # above every tick, and 129 times it fits into 64 bits


class Piece(NamedTuple):
    """Columns in ticks of a quantised score; a program is ``DRUMS`` for drums."""

    key: Key | None  # where pitches are relative
    signatures: Events  # dtype TIME_SIGNATURE
    tempos: Events  # dtype TEMPO
    chords: tuple[Text, ...]
    notes: Events  # dtype NOTE, by onset, program and pitch
    program: Ints  # of each note
    pedals: Events  # dtype PEDAL, by program and tick, without overlaps
    pedal_program: Ints
    bends: Events  # dtype PITCH_BEND, by program and tick, changes only
    bend_program: Ints
    starts: Ints  # where each bar begins, and the end of the last; shape (bars + 1,)


def nearest_position(ticks: Ints, bins: Bins) -> Ints:
    """Return the tick of the position that an onset is said at; its offset is what is left."""
    if bins.steps == 1:
        return ticks
    return (ticks + bins.steps // 2) // bins.steps * bins.steps


def program_rows(score: Score, config: RemiConfig) -> list[int]:
    """Return the program of each track; without programs 0, and -1 for drums."""
    if config.programs:
        return [DRUMS if track.is_drum else track.program for track in score.tracks]
    return [-1 if track.is_drum else 0 for track in score.tracks]


def piece_of(score: Score, config: RemiConfig) -> Piece:
    """Return what a format can say of a score."""
    bins, rows = config.bins, program_rows(score, config)
    key = home_key(score) if config.relative_pitch else None
    signatures = quantize_signatures(score, bins) if config.time_signatures else FOUR_FOUR
    chords = quantize_chords(score, bins, key) if config.chords else ()
    notes, program = _merged_notes(score, rows, bins)
    pedals, pedal_program = _merged_pedals(score, rows, bins) if config.pedals else no_pedals()
    bends, bend_program = _merged_bends(score, rows, bins) if config.pitch_bends else no_bends()
    ends = nearest_position(notes["onset"], bins) + notes["duration"]
    points = [bends["tick"], pedals["tick"] + pedals["duration"]]
    last = max(int(nearest_position(ticks, bins).max(initial=0)) for ticks in points)
    last = max([last, *(tick for tick, _ in chords[-1:])]) + bins.steps
    meter = Meter(bins.tpq, signatures, np.empty(0, TEMPO))
    starts = bar_starts(meter, max(last, int(ends.max(initial=0))))
    tempos = quantize_tempos(score, bins) if config.tempos else np.empty(0, TEMPO)
    return Piece(
        key=key,
        signatures=signatures[signatures["tick"] < starts[-1]],
        tempos=tempos[tempos["tick"] < starts[-1]],
        chords=chords,
        notes=notes,
        program=program,
        pedals=pedals,
        pedal_program=pedal_program,
        bends=bends,
        bend_program=bend_program,
        starts=starts,
    )


def score_of(piece: Piece, bins: Bins) -> Score:
    """Return a piece as a score, one track for each program that plays, drums last."""
    values = np.unique(np.concatenate([piece.program, piece.pedal_program, piece.bend_program]))
    notes, pedals, bends = (
        _by_program(table, program, values)
        for table, program in (
            (piece.notes, piece.program),
            (piece.pedals, piece.pedal_program),
            (piece.bends, piece.bend_program),
        )
    )
    key = piece.key
    return Score(
        tpq=bins.tpq,
        tracks=tuple(
            Track(
                program=value % DRUMS,
                is_drum=value == DRUMS,
                notes=notes[i],
                pedals=pedals[i],
                pitch_bends=bends[i],
            )
            for i, value in enumerate(values.tolist())
        ),
        tempos=piece.tempos,
        time_signatures=piece.signatures,
        key_signatures=[(0, key.sharps, key.mode == "minor")] if key else (),  # type: ignore[arg-type]
        chords=piece.chords,
    )


def _by_program(table: Events, program: Ints, values: Ints) -> list[Events]:
    """Return the rows of each of ``values``."""
    if not len(table):
        return [table] * len(values)
    order = np.argsort(program, kind="stable")
    return np.split(table[order], np.searchsorted(program[order], values[1:]))


def _merged_notes(score: Score, rows: Sequence[int], bins: Bins) -> tuple[Events, Ints]:
    notes, program = all_notes(score, rows)
    if -1 in rows:
        notes, program = notes[program >= 0], program[program >= 0]
    notes = on_grid(notes, score.tpq, bins, program == DRUMS)
    order = longest(notes, (notes["onset"] * (DRUMS + 1) + program) * 128 + notes["pitch"])
    return notes[order], program[order]


def no_pedals() -> tuple[Events, Ints]:
    """Return no pedals, and their programs."""
    return np.empty(0, PEDAL), np.empty(0, np.int64)


def no_bends() -> tuple[Events, Ints]:
    """Return no pitch bends, and their programs."""
    return np.empty(0, PITCH_BEND), np.empty(0, np.int64)


def _merged_pedals(score: Score, rows: Sequence[int], bins: Bins) -> tuple[Events, Ints]:
    given, program = _gathered(score, rows, "pedals", PEDAL)
    start = bins.to_ticks(given["tick"], score.tpq)
    end = bins.to_ticks(given["tick"] + given["duration"], score.tpq)
    return joined_pedals(start, end, program)


def joined_pedals(start: Ints, end: Ints, program: Ints) -> tuple[Events, Ints]:
    """Return pedals, those of one program that overlap joined, and their programs."""
    kept = end > start
    start, end, program = start[kept], end[kept], program[kept]
    order = np.lexsort([start, program])
    begin = (program * _LATEST + start)[order]
    reach = np.maximum.accumulate((program * _LATEST + end)[order])
    first = np.ones(len(order), bool)
    first[1:] = begin[1:] >= reach[:-1]
    pedals = np.empty(int(first.sum()), PEDAL)
    pedals["tick"] = begin[first] % _LATEST
    pedals["duration"] = reach[np.append(first[1:], True)[: len(first)]] - begin[first]
    return pedals, begin[first] // _LATEST


def _merged_bends(score: Score, rows: Sequence[int], bins: Bins) -> tuple[Events, Ints]:
    given, program = _gathered(score, rows, "pitch_bends", PITCH_BEND)
    tick = bins.to_ticks(given["tick"], score.tpq)
    return changed_bends(tick, bins.bend_bin(given["value"]), program, bins)


def changed_bends(tick: Ints, index: Ints, program: Ints, bins: Bins) -> tuple[Events, Ints]:
    """Return pitch bends by their bins, changes only, the last of one tick; and their programs."""
    order = np.lexsort([tick, program])
    place, index = (program * _LATEST + tick)[order], index[order]
    last = np.append(place[1:] > place[:-1], True)[: len(place)]
    place, index = place[last], index[last]
    before = np.append(bins.bends // 2, index[:-1])[: len(index)]
    before[changes(place // _LATEST)] = bins.bends // 2
    place, index = place[index != before], index[index != before]
    bends = np.empty(len(place), PITCH_BEND)
    bends["tick"], bends["value"] = place % _LATEST, bins.bend(index)
    return bends, place // _LATEST


def _gathered(
    score: Score, rows: Sequence[int], name: str, dtype: np.dtype[Any]
) -> tuple[Events, Ints]:
    """Return a table of all tracks but drums, and the program of each row."""
    chosen = [
        (row, track) for row, track in zip(rows, score.tracks, strict=True) if not track.is_drum
    ]
    tables = [getattr(track, name) for _, track in chosen]
    programs = np.array([row for row, _ in chosen], np.int64)
    table = np.concatenate([np.empty(0, dtype), *tables])
    return table, np.repeat(programs, [len(rows) for rows in tables])
