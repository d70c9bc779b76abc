"""The grammar of the ``cells`` format: its table, and the order that its values keep."""

from __future__ import annotations

from composer.tokenizers.bins import BAR_LENGTHS
from composer.tokenizers.cells.levels import KIND_OF, STARTS
from composer.tokenizers.cells.scan import cells_in_order, kinds_of_cell
from composer.tokenizers.cells.vocabulary import CHORDS, MAX_BARS, MAX_PARTS
from composer.tokenizers.families import DRUMS, KEYS, lowest_pitch
from composer.tokenizers.grammar import (
    Cursor,
    Grammar,
    Mask,
    not_the_root,
    rising_position,
    rising_rank,
    take_position,
    take_rank,
)
from composer.tokenizers.scan import Branch, Scan
from composer.tokenizers.vocabulary import Vocabulary

#: What may follow once a cell or a bar's heading is over.
_NEXT = {"Part": "@cell", "Bar": "bar", "Fill": "fill", "EOS": "end"}
_HEADER_NEXT = {"Part": "program", "Bar": "bar", "Fill": "fill", "EOS": "end"}

CELLS_TABLE = {
    "start": {"BOS": "key"},
    "key": {"Key": "meter"},
    "meter": {"TimeSig": "tempo"},
    "tempo": {"Tempo": "style"},
    "style": {"Style": "header", **_HEADER_NEXT},
    "header": _HEADER_NEXT,
    "program": {"Program": "role"},
    "role": {"Role": "controls", "Control": "controls", **_HEADER_NEXT},
    "controls": {"Control": "controls", **_HEADER_NEXT},
    "fill": {"Bar": "bar"},
    "bar": {"Left": "left", "TimeSig": "bar meter", "Tempo": "bar tempo", **_NEXT},
    "left": {"TimeSig": "bar meter", "Tempo": "bar tempo", **_NEXT},
    "bar meter": {"Tempo": "bar tempo", **_NEXT},
    "bar tempo": _NEXT,
    "cell": {"Control": "cell", "Position": "onset", **_NEXT},
    "onset": {"Velocity": "pitch", "Pitch": "duration"},
    "pitch": {"Pitch": "duration"},
    "duration": {"Duration": "note"},
    "note": {"Velocity": "pitch", "Pitch": "duration", "Position": "onset", **_NEXT},
    "drum cell": {"Control": "drum cell", "Position": "drum onset", **_NEXT},
    "drum onset": {"Velocity": "drum", "Drum": "hit"},
    "drum": {"Drum": "hit"},
    "hit": {"Velocity": "drum", "Drum": "hit", "Position": "drum onset", **_NEXT},
    "chord cell": {"Position": "chord", **_NEXT},
    "chord": {"Chord": "bass"},
    "bass": {"Bass": "after bass", "Position": "chord", **_NEXT},
    "after bass": {"Position": "chord", **_NEXT},
    "end": {},
}

_EMPTY_CELLS = ("cell", "drum cell", "chord cell")


def cells_grammar(vocabulary: Vocabulary) -> Grammar:
    """Return the grammar of the ``cells`` format."""
    return Grammar(
        vocabulary,
        CELLS_TABLE,
        narrow={
            "EOS": _ends_a_cell,
            "Fill": _once,
            "TimeSig": _other_signature,
            "Tempo": _other_tempo,
            "Part": _part_order,
            "Control": _control_order,
            "Bar": _bar_order,
            "Position": rising_position,
            "Bass": not_the_root,
            "Velocity": _new_velocity,
            "Pitch": _rising_pitch,
            "Drum": _rising_drum,
        },
        move={
            "Key": _take_key,
            "TimeSig": _take_signature,
            "Tempo": _take_tempo,
            "Part": _take_part,
            "Control": _take_control,
            "Program": _take_program,
            "Fill": _take_fill,
            "Bar": _take_bar,
            "Position": take_position,
            "Chord": take_rank,
            "Velocity": _take_velocity,
            "Pitch": take_rank,
            "Drum": take_rank,
        },
        branches={"@cell": _cell_state},
        scan=Scan(
            vocabulary, CELLS_TABLE, cells_in_order, Branch("Part", _EMPTY_CELLS, kinds_of_cell)
        ),
    )


def _cell_state(cursor: Cursor) -> str:
    if cursor.part == CHORDS:
        return "chord cell"
    return "drum cell" if cursor.drums >> cursor.part & 1 else "cell"


def _ends_a_cell(cursor: Cursor, values: Mask) -> None:
    """Leave a cell empty only if it is to be written."""
    if cursor.state in _EMPTY_CELLS and not cursor.filling:
        values[:] = False


def _once(cursor: Cursor, values: Mask) -> None:
    _ends_a_cell(cursor, values)
    if cursor.filling or cursor.wrapped:
        values[:] = False


def _other_signature(cursor: Cursor, values: Mask) -> None:
    if cursor.bar >= 0:
        values[cursor.signature] = False


def _other_tempo(cursor: Cursor, values: Mask) -> None:
    if cursor.bar >= 0:
        values[cursor.tempo] = False


def _part_order(cursor: Cursor, values: Mask) -> None:
    """Keep parts in order: declared one by one; in a bar rising, chords first, or written once."""
    if cursor.bar < 0:
        values[: cursor.parts] = False
        values[cursor.parts + 1 :] = False
        values[CHORDS] = False
        return
    _ends_a_cell(cursor, values)
    values[cursor.parts : MAX_PARTS] = False
    if cursor.filling:
        values[_bits(cursor.parts_said)] = False
    elif cursor.part >= 0:
        values[CHORDS] = False
        if cursor.part != CHORDS:
            values[: cursor.part + 1] = False


def _bits(said: int) -> list[int]:
    """Return the members of a bit set."""
    found = []
    while said:
        found.append(said.bit_length() - 1)
        said ^= 1 << found[-1]
    return found


def _bar_order(cursor: Cursor, values: Mask) -> None:
    """Keep bars rising, from 0 again after the last number; no bar that was given is written."""
    _ends_a_cell(cursor, values)
    if cursor.filling:
        values[_bits(cursor.bars_said)] = False
    elif cursor.bar == MAX_BARS - 1:
        values[1:] = False
    else:
        values[: cursor.bar + 1] = False


def _control_order(cursor: Cursor, values: Mask) -> None:
    """Keep kinds of controls in order, one level each; of cells only those written say any."""
    if cursor.bar >= 0 and not cursor.filling:
        values[:] = False
    values[: STARTS[cursor.control + 1]] = False


def _pitches_left(cursor: Cursor) -> bool:
    return cursor.rank < (127 if cursor.drums >> cursor.part & 1 else cursor.lowest + 127)


def _new_velocity(cursor: Cursor, values: Mask) -> None:
    """Say a velocity when it changes, and only if a note can follow."""
    if not _pitches_left(cursor):
        values[:] = False
    elif cursor.velocity >= 0:
        values[cursor.velocity] = False


def _rising_drum(cursor: Cursor, values: Mask) -> None:
    rising_rank(cursor, values)
    if cursor.velocity < 0:
        values[:] = False


def _rising_pitch(cursor: Cursor, values: Mask) -> None:
    """Keep pitches rising inside an onset, and inside MIDI's range in the piece's own key."""
    _rising_drum(cursor, values)
    values[: cursor.lowest] = False
    values[cursor.lowest + 128 :] = False


def _take_key(cursor: Cursor, value: int) -> None:
    cursor.lowest = lowest_pitch(KEYS[value])


def _take_signature(cursor: Cursor, value: int) -> None:
    if cursor.bar < 0:
        cursor.signature = value
    cursor.bar_length = int(BAR_LENGTHS[value])


def _take_tempo(cursor: Cursor, value: int) -> None:
    if cursor.bar < 0:
        cursor.tempo = value


def _take_part(cursor: Cursor, value: int) -> None:
    cursor.control = -1
    if cursor.bar < 0:
        cursor.parts += 1
        return
    cursor.part = value
    cursor.parts_said |= 1 << value
    cursor.position = cursor.rank = cursor.velocity = -1


def _take_control(cursor: Cursor, value: int) -> None:
    cursor.control = int(KIND_OF[value])


def _take_program(cursor: Cursor, value: int) -> None:
    if value == DRUMS:
        cursor.drums |= 1 << (cursor.parts - 1)


def _take_fill(cursor: Cursor, value: int) -> None:
    cursor.filling = True


def _take_bar(cursor: Cursor, value: int) -> None:
    cursor.wrapped |= value < cursor.bar and not cursor.filling
    cursor.bar = value
    cursor.bars_said |= 1 << value
    cursor.part, cursor.parts_said = -1, 0
    cursor.bar_length = int(BAR_LENGTHS[cursor.signature])


def _take_velocity(cursor: Cursor, value: int) -> None:
    cursor.velocity = value
