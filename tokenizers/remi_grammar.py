"""Vocabulary and grammar of the REMI formats: one table, less what the settings leave out."""

from __future__ import annotations

from composer.tokenizers.bins import BAR_LENGTHS, COMMON_TIME, MAX_POSITIONS
from composer.tokenizers.families import (
    DRUMS,
    chord_families,
    duration_family,
    program_family,
    signature_family,
    single,
    tempo_family,
)
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
from composer.tokenizers.remi_scan import kinds_of_note, remi_in_order
from composer.tokenizers.scan import Branch, Scan
from composer.tokenizers.vocabulary import Family, Vocabulary

_LATER = {"Position": "onset", "Bar": "bar", "EOS": "end"}
_NOTES = {"Program": "@note", "Pitch": "velocity"}

# With every family in it; a format reads what is left without the families it lacks.
REMI_TABLE = {
    "start": {"BOS": "first bar"},
    "first bar": {"Bar": "first meter"},
    "first meter": {"TimeSig": "first position"},
    "first position": {"Position": "first tempo"},
    "first tempo": {"Tempo": "tempo"},
    "bar": {"TimeSig": "meter", **_LATER},
    "meter": _LATER,
    "onset": {"Tempo": "tempo", "Chord": "chord", **_NOTES},
    "tempo": {"Chord": "chord", **_NOTES, **_LATER},
    "chord": {"Bass": "bass", **_NOTES, **_LATER},
    "bass": {**_NOTES, **_LATER},
    "pitch": {"Pitch": "velocity"},
    "velocity": {"Velocity": "duration"},
    "duration": {"Duration": "note"},
    "drum": {"Drum": "drum velocity"},
    "drum velocity": {"Velocity": "note"},
    "note": {**_NOTES, **_LATER},
    "end": {},
}


def remi_vocabulary(
    *, programs: bool, time_signatures: bool, tempos: bool, chords: bool, velocity_bins: int
) -> Vocabulary:
    """Return the vocabulary of a REMI format; the arguments are those of ``RemiConfig``."""
    return Vocabulary(
        (
            *single("PAD", "BOS", "EOS", "Bar"),
            *([signature_family()] if time_signatures else []),
            Family.of("Position", range(MAX_POSITIONS if time_signatures else COMMON_TIME)),
            *([tempo_family()] if tempos else []),
            *(chord_families() if chords else []),
            *([program_family()] if programs else []),
            Family.of("Pitch", range(128)),
            *([Family.of("Drum", range(128))] if programs else []),
            Family.of("Velocity", range(velocity_bins)),
            duration_family(),
        )
    )


def remi_grammar(vocabulary: Vocabulary) -> Grammar:
    """Return the grammar of a REMI format, whose vocabulary says which families it has."""
    has = vocabulary.base
    table = {
        state: {family: after for family, after in row.items() if family in has}
        for state, row in REMI_TABLE.items()
    }
    if "Program" in has:
        for row in table.values():  # every note says its program first
            if "Program" in row:
                del row["Pitch"]
    first = "first position" if "Tempo" in has else "bar"
    if "TimeSig" in has:
        table["first meter"]["TimeSig"] = first if "Tempo" in has else "meter"
    else:
        table["first bar"]["Bar"] = first
    table = _reachable(table)
    return Grammar(
        vocabulary,
        table,
        narrow={
            "TimeSig": _other_signature,
            "Position": _position,
            "Tempo": _other_tempo,
            "Bass": not_the_root,
            "Program": _rising_program,
            "Pitch": _rising_pitch,
            "Drum": rising_rank,
        },
        move={
            "Bar": _take_bar,
            "TimeSig": _take_signature,
            "Position": _take_position,
            "Tempo": _take_tempo,
            "Chord": take_rank,
            "Program": _take_program,
            "Pitch": _take_pitch,
            "Drum": take_rank,
        },
        branches={"@note": lambda cursor: "drum" if cursor.part == DRUMS else "pitch"},
        scan=Scan(
            vocabulary, table, remi_in_order, Branch("Program", ("pitch", "drum"), kinds_of_note)
        ),
    )


def _reachable(table: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the states that a sequence can come to."""
    reached, left = set[str](), ["start"]
    while left:
        state = left.pop()
        if state not in reached:
            reached.add(state)
            for after in table[state].values():
                left += ["pitch", "drum"] if after == "@note" else [after]
    return {state: row for state, row in table.items() if state in reached}


def _other_signature(cursor: Cursor, values: Mask) -> None:
    if cursor.signature >= 0:
        values[cursor.signature] = False


def _other_tempo(cursor: Cursor, values: Mask) -> None:
    if cursor.tempo >= 0:
        values[cursor.tempo] = False


def _position(cursor: Cursor, values: Mask) -> None:
    rising_position(cursor, values)
    if cursor.state == "first position":
        values[1:] = False


def _rising_program(cursor: Cursor, values: Mask) -> None:
    """Keep programs rising inside an onset, and from one to itself while a pitch is left."""
    if cursor.part >= 0:
        values[: cursor.part + (cursor.rank == 127)] = False


def _rising_pitch(cursor: Cursor, values: Mask) -> None:
    """Keep pitches rising inside a program; before the first note ``rank`` is a chord's."""
    if cursor.part >= 0:
        rising_rank(cursor, values)


def _take_bar(cursor: Cursor, value: int) -> None:
    cursor.position = -1
    if cursor.signature < 0:
        cursor.bar_length = COMMON_TIME


def _take_signature(cursor: Cursor, value: int) -> None:
    cursor.signature, cursor.bar_length = value, int(BAR_LENGTHS[value])


def _take_position(cursor: Cursor, value: int) -> None:
    take_position(cursor, value)
    cursor.part = -1


def _take_tempo(cursor: Cursor, value: int) -> None:
    cursor.tempo = value


def _take_program(cursor: Cursor, value: int) -> None:
    if value != cursor.part:
        cursor.part, cursor.rank = value, -1


def _take_pitch(cursor: Cursor, value: int) -> None:
    cursor.part = max(cursor.part, 0)  # without programs all notes are of one
    take_rank(cursor, value)
