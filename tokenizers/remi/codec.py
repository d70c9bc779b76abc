"""A piece to REMI ids and back.

Tempos, chords and rests are *heads*, pedals and bends *controls*: few, and made ready in numpy. One
compiled loop puts them and the bars between the notes, another reads the notes and says of each id
where it stands.
"""

from __future__ import annotations

import numpy as np

from composer.errors import TokenError
from composer.score.events import MAX_TICK, NOTE, PEDAL, PITCH_BEND, TEMPO, TIME_SIGNATURE, Events
from composer.theory.keys import Key
from composer.tokenizers.bins import (
    MIDDLE_VELOCITY,
    TIME_SIGNATURES,
    Bins,
    bin_velocities,
    velocity_bins,
)
from composer.tokenizers.columns import Ints, Reader, chord_columns
from composer.tokenizers.families import KEYS, lowest_pitch, transposition
from composer.tokenizers.quantize import CHORD, changed_chords, signature_index
from composer.tokenizers.remi.columns import FAMILIES, family_codes
from composer.tokenizers.remi.piece import (
    FOUR_FOUR,
    RemiColumns,
    Rows,
    changed_bends,
    joined_pedals,
    nearest_position,
    no_rows,
)
from composer.tokenizers.vocabulary import Ids, Vocabulary

#: Silence shorter than this share of a quarter is no rest.
_REST_SHARE = 2

_NONE: Ints = np.empty(0, np.int64)


class RemiCodec:
    """Encodes and decodes the sequences of one format.

    Parameters
    ----------
    vocabulary
        Which families it has.
    bins
        Its grid, and the tables that its values are binned by.
    """

    def __init__(self, vocabulary: Vocabulary, bins: Bins) -> None:
        self._vocabulary = vocabulary
        self._bins = bins
        base = {**dict.fromkeys(FAMILIES, -1), **vocabulary.base}
        self._codes = family_codes(vocabulary)
        if base["Drum"] < 0:
            base["Drum"] = base["Pitch"]
        self._first = np.array([base[name] for name in FAMILIES])
        self._velocity_ids, self._velocities = np.full(128, -1), _NONE
        if bins.velocities:
            self._velocities = bin_velocities(bins.velocities)
            self._velocity_ids = base["Velocity"] + velocity_bins(range(128), bins.velocities)
        self._durations = bins.durations * bins.steps
        self._duration_ids = np.full(int(self._durations[-1]) + 1, -1)
        self._duration_ids[self._durations] = base["Duration"] + np.arange(len(self._durations))
        self._bar_lengths = bins.bar_lengths * bins.steps

    def encode(self, piece: RemiColumns) -> Ids:
        """Return the ids of a piece, shape (T,) int32."""
        # Late, as loading the compiler takes longer than all else that a tokenizer imports.
        from composer.tokenizers.remi.kernels import write_ids

        base, notes = self._vocabulary.base, piece.notes.events
        signatures = self._signatures(piece)
        controls, heads = self._controls(piece), self._heads(piece)
        front, first = [base["BOS"]], self._first
        if piece.key:
            front.append(base["Key"] + KEYS.index(piece.key))
            first = first.copy()
            first[FAMILIES.index("Pitch")] += lowest_pitch(piece.key)
        # An event says a Position, an Offset and at most four more; a bar itself and a TimeSig.
        events = len(notes) + len(heads[0]) + len(controls[0])
        ids = np.empty(len(front) + 2 * len(signatures) + 6 * events + 1, np.int32)
        ids[: len(front)] = front
        end = len(front) + write_ids(
            notes["onset"],
            piece.notes.program,
            notes["pitch"],
            notes["velocity"],
            notes["duration"],
            *controls,
            *heads,
            piece.starts,
            signatures,
            first,
            self._velocity_ids,
            self._duration_ids,
            self._bins.steps,
            ids[len(front) :],
        )
        ids[end] = base["EOS"]
        return ids[: end + 1].copy()

    def _signatures(self, piece: RemiColumns) -> Ints:
        """Return the TimeSig id that each bar says, or -1."""
        ids = np.full(len(piece.starts) - 1, -1)
        if "TimeSig" in self._vocabulary.base:
            values = [signature_index(n, d) for _, n, d in piece.signatures.tolist()]
            at = np.searchsorted(piece.starts, piece.signatures["tick"])
            ids[at] = self._vocabulary.base["TimeSig"] + np.array(values)
        return ids

    def _heads(self, piece: RemiColumns) -> tuple[Ints, Ints]:
        """Return tick and ids, shape (heads, 2), of what a Position says before its rows."""
        base, bins = self._vocabulary.base, self._bins
        ticks, ids = [_NONE], [np.empty((0, 2), np.int64)]  # at one tick in this order
        if "Tempo" in base:
            ticks.append(piece.tempos["tick"])
            ids.append(_alone(base["Tempo"] + bins.tempo_bin(piece.tempos["mspq"])))
        if len(piece.chords):
            shift = transposition(piece.key) if piece.key else 0
            ticks.append(piece.chords["tick"])
            ids.append(np.stack(chord_columns(self._vocabulary, piece.chords, shift), 1))
        if "Rest" in base:
            ticks.append(_rests(piece, bins))
            ids.append(_alone(np.full(len(ticks[-1]), base["Rest"])))
        tick = np.concatenate(ticks)
        order = np.argsort(tick, kind="stable")
        return tick[order], np.concatenate(ids)[order]

    def _controls(self, piece: RemiColumns) -> tuple[Ints, Ints, Ints]:
        """Return tick, program and id of pedals and bends: up before down before a bend."""
        base, bins = self._vocabulary.base, self._bins
        pedals, bends = piece.pedals, piece.bends
        down, bend = pedals.events["tick"], bends.events["value"]
        ticks = [down + pedals.events["duration"], down, bends.events["tick"]]
        ids = [
            np.full(len(down), base.get("Pedal", 0)),
            np.full(len(down), base.get("Pedal", 0) + 1),
        ]
        ids.append(base["Bend"] + bins.bend_bin(bend) if bins.bends else _NONE)
        tick = np.concatenate(ticks)
        program = np.concatenate([pedals.program, pedals.program, bends.program])
        order = np.lexsort([program, tick])
        return tick[order], program[order], np.concatenate(ids)[order]

    def decode(self, ids: Ids) -> RemiColumns:
        """Return the piece that ids say; they must keep the grammar.

        Raises
        ------
        TokenError
            It ends behind the last tick that a score can hold.
        """
        from composer.tokenizers.remi.kernels import read_ids

        bins, read = self._bins, Reader(self._vocabulary, ids)
        key = KEYS[read.value[read.at("Key")[0]]] if "Key" in self._vocabulary.base else None
        tick, program = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
        at = read.notes()[0]
        notes = np.empty(len(at), NOTE)
        notes["velocity"] = MIDDLE_VELOCITY
        end = read_ids(
            read.family,
            read.value,
            self._codes,
            self._bar_lengths,
            bins.common_time * bins.steps,
            lowest_pitch(key) if key else 0,
            self._velocities,
            self._durations,
            bins.steps,
            tick,
            program,
            notes["onset"],
            notes["duration"],
            notes["pitch"],
            notes["velocity"],
        )
        if end > MAX_TICK:
            raise TokenError(f"the piece ends at tick {end}; a score ends by tick {MAX_TICK}")
        return RemiColumns(
            key=key,
            signatures=_read_signatures(read, tick),
            tempos=_read_tempos(read, tick, bins),
            chords=_read_chords(read, tick, key),
            notes=Rows(notes, program[at]),
            pedals=_read_pedals(read, tick, program, end),
            bends=_read_bends(read, tick, program, bins),
            starts=np.append(tick[read.at("Bar")], end),
        )


def _alone(ids: Ints) -> Ints:
    """Return ids that are said alone as the heads have them."""
    return np.stack([ids, np.full(len(ids), -1)], 1)


def _rests(piece: RemiColumns, bins: Bins) -> Ints:
    """Return where silence of an eighth or more begins, in each bar anew."""
    notes, starts = piece.notes.events, piece.starts
    begin = nearest_position(notes["onset"], bins)
    reach = np.maximum.accumulate(np.append(0, begin + notes["duration"]))
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


def _read_signatures(read: Reader, tick: Ints) -> Events:
    if "TimeSig" not in read.vocabulary.base:
        return FOUR_FOUR
    places = read.at("TimeSig")
    rows = [TIME_SIGNATURES[value] for value in read.value[places].tolist()]
    return np.array(
        [(at, *row) for at, row in zip(tick[places].tolist(), rows, strict=True)], TIME_SIGNATURE
    )


def _read_tempos(read: Reader, tick: Ints, bins: Bins) -> Events:
    places = read.at("Tempo")
    tempos = np.empty(len(places), TEMPO)
    tempos["tick"], tempos["mspq"] = tick[places], bins.tempos[read.value[places]]
    return tempos


def _read_chords(read: Reader, tick: Ints, key: Key | None) -> Events:
    places, *columns = read.chords(transposition(key) if key else 0)
    chords = np.empty(len(places), CHORD)
    chords["tick"] = tick[places]
    chords["root"], chords["quality"], chords["bass"] = columns
    return changed_chords(chords)


def _read_pedals(read: Reader, tick: Ints, program: Ints, end: int) -> Rows:
    """Return the pedals; one that stays down goes up at the end."""
    places = read.at("Pedal")
    if not len(places):
        return no_rows(PEDAL)
    # Down and up take turns in each program.
    places = places[np.argsort(program[places], kind="stable")]
    tick, program, down = tick[places], program[places], read.value[places] > 0
    is_up_next = np.append(program[1:] == program[:-1], False)
    up = np.where(is_up_next, np.append(tick[1:], 0), end)
    return joined_pedals(tick[down], up[down], program[down])


def _read_bends(read: Reader, tick: Ints, program: Ints, bins: Bins) -> Rows:
    places = read.at("Bend")
    if not len(places):
        return no_rows(PITCH_BEND)
    return changed_bends(tick[places], read.value[places], program[places], bins)
