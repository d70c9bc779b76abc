"""The order of the REMI formats, on columns: what ``remi_grammar`` says id by id."""

from __future__ import annotations

import numpy as np

from composer.tokenizers.bins import DRUM_LENGTH, Bins
from composer.tokenizers.events import Ints, Reader
from composer.tokenizers.families import DRUMS, KEYS, PITCH_OFFSET, transposition
from composer.tokenizers.scan import basses_are_no_roots, differs, rises

# Order of what one program does at one place; a pitch comes after, by its value.
_BEND, _FIRST_PITCH, _CODES = 2, 3, 256


def kinds_of_note(read: Reader) -> Ints:
    """Return 0 for each Program of notes that a Pitch may follow, 1 for drums, -1 in a rest."""
    places = read.at("Program")
    drums = np.asarray(read.value[places] == DRUMS, np.int64)
    rests = read.at("Rest")
    if len(rests):  # the last Rest or Position before each says whether it is in a rest
        positions = read.at("Position")
        last_rest = np.append(-1, rests)[np.searchsorted(rests, places)]
        last_position = np.append(-1, positions)[np.searchsorted(positions, places)]
        drums[last_rest > last_position] = -1
    return drums


class RemiOrder:
    """Whether the values of a sequence that goes through the table keep their order."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._bar_lengths = bins.bar_lengths

    def keeps(self, read: Reader) -> bool:
        """Return whether they do."""
        return (
            differs(read.value[read.at("TimeSig")])
            and differs(read.value[read.at("Tempo")])
            and self._places_rise(read)
            and _rows_in_order(read)
            and _pedals_take_turns(read)
            and _pitches_are_midi(read)
            and basses_are_no_roots(read)
            and self._rests_are_silent(read)
        )

    def _places_rise(self, read: Reader) -> bool:
        bars, places = read.at("Bar"), read.at("Position")
        position, steps = read.value[places], self._bins.steps
        if len(position) and "Tempo" in read.vocabulary.base and position[0] != 0:
            return False
        lengths = np.full(len(places), self._bins.common_time)
        if len(read.at("TimeSig")):
            lengths = self._bar_lengths[read.running("TimeSig", places)]
        bar = np.searchsorted(bars, places)
        if np.any(position >= lengths):
            return False
        if steps == 1:
            return rises(bar, position)
        offset = read.value[np.minimum(places + 1, len(read.value) - 1)]
        if np.any((bar == 1) & (position == 0) & (offset < steps // 2)):
            return False
        heads = np.concatenate([read.at(name) for name in ("Tempo", "Chord", "Rest")])
        at_head = read.running("Offset", heads) if len(heads) else heads
        return not np.any(at_head != steps // 2) and rises(bar, position * steps + offset)

    def _rests_are_silent(self, read: Reader) -> bool:
        rests, notes = read.at("Rest"), read.notes()[0]
        if not len(rests) or not len(notes):
            return True
        bars = read.at("Bar")
        lengths = np.full(len(bars), self._bins.common_time)
        if len(read.at("TimeSig")):
            lengths = self._bar_lengths[read.running("TimeSig", bars + 2)]
        starts = np.concatenate([[0], np.cumsum(lengths)])

        def place(ids: Ints) -> Ints:
            return starts[np.searchsorted(bars, ids) - 1] + read.running("Position", ids)

        said = notes + 1 + ("Velocity" in read.vocabulary.base)
        is_drum = np.zeros(len(notes), bool)
        if "Program" in read.vocabulary.base:
            is_drum = read.value[notes - 1] == DRUMS
        value = read.value[np.minimum(said, len(read.value) - 1)]
        length = np.where(is_drum, DRUM_LENGTH, self._bins.durations[np.where(is_drum, 0, value)])
        reach = np.append(0, np.maximum.accumulate(place(notes) + length))
        return not np.any(reach[np.searchsorted(notes, rests)] > place(rests))


def _rows_in_order(read: Reader) -> bool:
    """Return whether programs rise at each place, and in each pedal, bend and pitches."""
    notes, _ = read.notes()
    places, code = notes, _FIRST_PITCH + read.value[notes]
    pedals, bends = read.at("Pedal"), read.at("Bend")
    if len(pedals) or len(bends):
        places = np.concatenate([notes, pedals, bends])
        code = np.concatenate([code, read.value[pedals], np.full(len(bends), _BEND)])
        order = np.argsort(places)
        places, code = places[order], code[order]
    if "Program" in read.vocabulary.base:
        program = read.value[places - 1]
        rests = read.at("Rest")
        if len(rests) and DRUMS in program[np.isin(places, np.append(pedals, bends))]:
            return False  # a hit has its own state, but not in a rest
        code = code + _CODES * program
    return rises(np.searchsorted(read.at("Position"), places), code)


def _pedals_take_turns(read: Reader) -> bool:
    places = read.at("Pedal")
    if not len(places):
        return True
    program = np.zeros(len(places), np.int64)
    if "Program" in read.vocabulary.base:
        program = read.value[places - 1]
    order = np.argsort(program, kind="stable")
    program, down = program[order], read.value[places][order]
    first = np.append(True, program[1:] != program[:-1])
    return bool(np.all(down[first] == 1)) and not np.any(~first[1:] & (down[1:] == down[:-1]))


def _pitches_are_midi(read: Reader) -> bool:
    if "Key" not in read.vocabulary.base:
        return True
    lowest = PITCH_OFFSET + transposition(KEYS[read.value[read.at("Key")[0]]])
    pitch = read.value[read.at("Pitch")]
    return not np.any((pitch < lowest) | (pitch >= lowest + 128))
