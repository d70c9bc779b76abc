"""The order of the ``cells`` format, on columns: what ``cells_grammar`` says id by id."""

from __future__ import annotations

import numpy as np

from composer.tokenizers.bins import BAR_LENGTHS
from composer.tokenizers.cells.levels import KIND_OF
from composer.tokenizers.cells.vocabulary import CHORDS, MAX_BARS
from composer.tokenizers.columns import Ints, Reader
from composer.tokenizers.families import DRUMS, KEYS, lowest_pitch
from composer.tokenizers.scan import basses_are_no_roots, is_family, rises


def _first(read: Reader, name: str) -> int:
    """Return the place of a family's first token, or the length of the sequence."""
    places = read.at(name)
    return int(places[0]) if len(places) else len(read.value)


def kinds_of_cell(read: Reader) -> Ints:
    """Return what each Part begins in a bar: 0 a cell, 1 drums, 2 chords."""
    kind = np.zeros(CHORDS + 1, np.int64)
    programs = read.value[read.at("Program")][:CHORDS]
    kind[: len(programs)] = programs == DRUMS
    kind[CHORDS] = 2
    return kind[read.value[read.at("Part")]]


def cells_in_order(read: Reader) -> bool:
    """Return whether the values of a sequence that goes through the table keep their order."""
    return (
        _bars_in_order(read)
        and _headings_in_order(read)
        and _parts_in_order(read)
        and _controls_in_order(read)
        and _positions_in_order(read)
        and _notes_in_order(read)
        and basses_are_no_roots(read)
    )


def _bars_in_order(read: Reader) -> bool:
    fill, places = _first(read, "Fill"), read.at("Bar")
    bars = read.value[places]
    given = bars[places < fill]
    step = np.diff(given)
    if len(read.at("Fill")) == 0:
        return not np.any((step <= 0) & ((given[:-1] != MAX_BARS - 1) | (given[1:] != 0)))
    once = len(np.unique(bars)) == len(bars)
    return len(read.at("Fill")) == 1 and once and not np.any(step <= 0)


def _headings_in_order(read: Reader) -> bool:
    """Return whether bars say only a TimeSig and a Tempo that differ from the header's."""
    values = (read.value[read.at(name)] for name in ("TimeSig", "Tempo"))
    return all(not np.any(value[1:] == value[0]) for value in values)


def _parts_in_order(read: Reader) -> bool:
    fill, places = _first(read, "Fill"), read.at("Part")
    part = read.value[places]
    inside = places > _first(read, "Bar")
    declared = part[~inside]
    if not np.array_equal(declared, np.arange(len(declared))) or len(declared) > CHORDS:
        return False
    places, part = places[inside], part[inside]
    if np.any((part >= len(declared)) & (part != CHORDS)):
        return False
    bar = np.searchsorted(read.at("Bar"), places)
    given = places < fill
    if not rises(bar[given], np.where(part == CHORDS, -1, part)[given]):
        return False
    if not is_family(read, "Position", places[given] + 1).all():  # an empty cell
        return False
    written = (bar * (CHORDS + 1) + part)[~given]
    return len(np.unique(written)) == len(written)


def _controls_in_order(read: Reader) -> bool:
    places = read.at("Control")
    inside = places > _first(read, "Bar")
    said = np.searchsorted(read.at("Part"), places)
    return rises(said, KIND_OF[read.value[places]]) and not np.any(
        inside & (places < _first(read, "Fill"))
    )


def _positions_in_order(read: Reader) -> bool:
    bars, signatures = read.at("Bar"), read.at("TimeSig")
    lengths = np.full(len(bars) + 1, BAR_LENGTHS[read.value[signatures[0]]])
    lengths[np.searchsorted(bars, signatures[1:])] = BAR_LENGTHS[read.value[signatures[1:]]]
    places = read.at("Position")
    position = read.value[places]
    if np.any(position >= lengths[np.searchsorted(bars, places)]):
        return False
    return rises(np.searchsorted(read.at("Part"), places), position)


def _notes_in_order(read: Reader) -> bool:
    lowest = lowest_pitch(KEYS[read.value[read.at("Key")[0]]])
    pitch = read.value[read.at("Pitch")]
    if np.any((pitch < lowest) | (pitch >= lowest + 128)):
        return False
    places, _ = read.notes()
    parts = read.at("Part")
    if not rises(np.searchsorted(read.at("Position"), places), read.value[places]):
        return False
    cell = np.searchsorted(parts, places)
    first = places[np.concatenate([[True], cell[1:] != cell[:-1]])[: len(cell)]]
    if not is_family(read, "Velocity", first - 1).all():
        return False
    return _velocities_change(read, parts, lowest)


def _velocities_change(read: Reader, parts: Ints, lowest: int) -> bool:
    """Return whether each Velocity is another than its cell's last and a note can follow it."""
    places = read.at("Velocity")
    velocity, cell = read.value[places], np.searchsorted(parts, places)
    if np.any((cell[1:] == cell[:-1]) & (velocity[1:] == velocity[:-1])):
        return False
    after_note = is_family(read, "Duration", places - 1)
    after_hit = is_family(read, "Drum", places - 1)
    too_high = after_note & (read.value[places - 2] >= lowest + 127)
    return not np.any(too_high | (after_hit & (read.value[places - 1] >= 127)))
