"""A piece as the REMI formats can say it: columns in one order, from a score and back to one.

Quantising makes these columns of a score, encoding makes ids of them, decoding reads them from ids;
so all three agree on what a piece is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from composer.score.events import (
    KEY_SIGNATURE,
    PEDAL,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    Events,
    frozen,
)
from composer.score.score import Score, Track
from composer.theory.keys import Key
from composer.tokenizers.bins import Bins
from composer.tokenizers.columns import Ints, changes
from composer.tokenizers.families import DRUMS
from composer.tokenizers.quantize import (
    CHORD,
    all_events,
    bar_starts,
    chord_texts,
    home_key,
    longest,
    on_grid,
    quantize_chords,
    quantize_signatures,
    quantize_tempos,
)
from composer.tokenizers.remi.config import RemiConfig

#: Time signatures where the format has no token for them.
FOUR_FOUR = np.array([(0, 4, 4)], TIME_SIGNATURE)

_LATEST = 2**50  # above every tick, and 129 times it fits into 64 bits


class Rows(NamedTuple):
    """Events of all parts together; a program is ``DRUMS`` for drums."""

    events: Events
    program: Ints  # of each


class RemiColumns(NamedTuple):
    """Columns in ticks of a quantised score."""

    key: Key | None  # where pitches are relative
    signatures: Events  # dtype TIME_SIGNATURE
    tempos: Events  # dtype TEMPO
    chords: Events  # dtype CHORD
    notes: Rows  # dtype NOTE, by onset, program and pitch
    pedals: Rows  # dtype PEDAL, by program and tick, without overlaps
    bends: Rows  # dtype PITCH_BEND, by program and tick, changes only
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


def columns_of(score: Score, config: RemiConfig) -> RemiColumns:
    """Return what a format can say of a score."""
    bins, rows = config.bins, program_rows(score, config)
    key = home_key(score) if config.relative_pitch else None
    signatures = quantize_signatures(score, bins) if config.time_signatures else FOUR_FOUR
    chords = quantize_chords(score, bins) if config.chords else np.empty(0, CHORD)
    notes = _merged_notes(score, rows, bins)
    pedals = _merged_pedals(score, rows, bins) if config.pedals else no_rows(PEDAL)
    bends = _merged_bends(score, rows, bins) if config.pitch_bends else no_rows(PITCH_BEND)
    # The last bar holds the end of every note and the position of all else.
    ends = nearest_position(notes.events["onset"], bins) + notes.events["duration"]
    places = (
        chords["tick"],
        bends.events["tick"],
        pedals.events["tick"] + pedals.events["duration"],
    )
    last = max(int(nearest_position(ticks, bins).max(initial=0)) for ticks in places)
    starts = bar_starts(signatures, bins, max(last + bins.steps, int(ends.max(initial=0))))
    tempos = quantize_tempos(score, bins) if config.tempos else np.empty(0, TEMPO)
    return RemiColumns(
        key=key,
        signatures=signatures[signatures["tick"] < starts[-1]],
        tempos=tempos[tempos["tick"] < starts[-1]],
        chords=chords,
        notes=notes,
        pedals=pedals,
        bends=bends,
        starts=starts,
    )


def score_of(piece: RemiColumns, bins: Bins) -> Score:
    """Return a piece as a score, one track for each program that plays, drums last."""
    all_rows = (piece.notes, piece.pedals, piece.bends)
    heard = sum(np.bincount(rows.program, minlength=DRUMS + 1) for rows in all_rows)
    programs: list[int] = np.flatnonzero(heard).tolist()
    notes, pedals, bends = (_by_program(rows, programs) for rows in all_rows)
    tracks = tuple(
        Track.trusted(
            program=program % DRUMS,
            is_drum=program == DRUMS,
            notes=notes[i],
            pitch_bends=bends[i],
            pedals=pedals[i],
        )
        for i, program in enumerate(programs)
    )
    key = piece.key
    keys = [(0, key.sharps, key.mode == "minor")] if key else []
    return Score.trusted(
        tpq=bins.tpq,
        tracks=tracks,
        tempos=frozen(piece.tempos),
        time_signatures=frozen(piece.signatures),
        key_signatures=frozen(np.array(keys, KEY_SIGNATURE)),
        chords=chord_texts(piece.chords, key),
    )


def _by_program(rows: Rows, programs: Sequence[int]) -> list[Events]:
    """Return the events of each of ``programs``, read-only."""
    # Numbers this small are sorted in one go.
    program = rows.program.astype(np.uint8)
    order = np.argsort(program, kind="stable")
    events = frozen(rows.events.take(order))
    edges = [*np.searchsorted(program[order], programs).tolist(), len(events)]
    return [events[begin:end] for begin, end in pairwise(edges)]


def _merged_notes(score: Score, rows: Sequence[int], bins: Bins) -> Rows:
    notes, program = all_events(score.tracks, rows)
    if -1 in rows:
        notes, program = notes[program >= 0], program[program >= 0]
    notes = on_grid(notes, score.tpq, bins, program == DRUMS)
    order = longest(notes, (notes["onset"] * (DRUMS + 1) + program) * 128 + notes["pitch"])
    return Rows(notes.take(order), program.take(order))


def no_rows(dtype: np.dtype[Any]) -> Rows:
    """Return no events."""
    return Rows(np.empty(0, dtype), np.empty(0, np.int64))


def _merged_pedals(score: Score, rows: Sequence[int], bins: Bins) -> Rows:
    given, program = _but_drums(score, rows, "pedals", PEDAL)
    start = bins.to_ticks(given["tick"], score.tpq)
    end = bins.to_ticks(given["tick"] + given["duration"], score.tpq)
    return joined_pedals(start, end, program)


def joined_pedals(start: Ints, end: Ints, program: Ints) -> Rows:
    """Return pedals, those of one program that overlap joined."""
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
    return Rows(pedals, begin[first] // _LATEST)


def _merged_bends(score: Score, rows: Sequence[int], bins: Bins) -> Rows:
    given, program = _but_drums(score, rows, "pitch_bends", PITCH_BEND)
    tick = bins.to_ticks(given["tick"], score.tpq)
    return changed_bends(tick, bins.bend_bin(given["value"]), program, bins)


def changed_bends(tick: Ints, index: Ints, program: Ints, bins: Bins) -> Rows:
    """Return pitch bends by their bins, changes only, the last of one tick."""
    order = np.lexsort([tick, program])
    place, index = (program * _LATEST + tick)[order], index[order]
    last = np.append(place[1:] > place[:-1], True)[: len(place)]
    place, index = place[last], index[last]
    before = np.append(bins.bends // 2, index[:-1])[: len(index)]
    before[changes(place // _LATEST)] = bins.bends // 2
    place, index = place[index != before], index[index != before]
    bends = np.empty(len(place), PITCH_BEND)
    bends["tick"], bends["value"] = place % _LATEST, bins.bend(index)
    return Rows(bends, place // _LATEST)


def _but_drums(score: Score, rows: Sequence[int], name: str, dtype: np.dtype[Any]) -> Rows:
    events, program = all_events(score.tracks, rows, name, dtype)
    pitched = (program >= 0) & (program != DRUMS)
    return Rows(events[pitched], program[pitched])
