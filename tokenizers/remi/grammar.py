"""Vocabulary and grammar of the REMI formats: one table, less what the settings leave out."""

from __future__ import annotations

from composer.tokenizers.bins import DRUM_LENGTH, MAX_QUARTERS, Bins
from composer.tokenizers.families import (
    DRUMS,
    KEYS,
    chord_families,
    duration_family,
    key_family,
    lowest_pitch,
    program_family,
    relative_pitch_family,
    signature_family,
    single,
    tempo_family,
)
from composer.tokenizers.grammar import Cursor, Grammar, Mask, not_the_root, rising_rank, take_rank
from composer.tokenizers.remi.columns import BENT, DOWN, FRESH, UP, kinds_of_note
from composer.tokenizers.remi.config import RemiConfig
from composer.tokenizers.remi.scan import RemiOrder
from composer.tokenizers.scan import Branch, Scan
from composer.tokenizers.vocabulary import Family, Vocabulary

_LATER = {"Position": "position", "Bar": "bar", "EOS": "end"}
_CONTROLS = {"Pedal": "note", "Bend": "note"}
_NOTES = {"Program": "@note", **_CONTROLS, "Pitch": "velocity"}

# With every family in it; a format reads what is left without the families it lacks.
REMI_TABLE = {
    "start": {"BOS": "key"},
    "key": {"Key": "first bar"},
    "first bar": {"Bar": "first meter"},
    "first meter": {"TimeSig": "first position"},
    "first position": {"Position": "first offset"},
    "first offset": {"Offset": "first tempo"},
    "first tempo": {"Tempo": "tempo"},
    "bar": {"TimeSig": "meter", **_LATER},
    "meter": _LATER,
    "position": {"Offset": "onset"},
    "onset": {"Tempo": "tempo", "Chord": "chord", "Rest": "rest", **_NOTES},
    "tempo": {"Chord": "chord", "Rest": "rest", **_NOTES, **_LATER},
    "chord": {"Bass": "bass", "Rest": "rest", **_NOTES, **_LATER},
    "bass": {"Rest": "rest", **_NOTES, **_LATER},
    "rest": {"Program": "silent", "Pedal": "rest", "Bend": "rest", **_LATER},
    "silent": {"Pedal": "rest", "Bend": "rest"},
    "pitch": {**_CONTROLS, "Pitch": "velocity"},
    "velocity": {"Velocity": "duration"},
    "duration": {"Duration": "note"},
    "drum": {"Drum": "drum velocity"},
    "drum velocity": {"Velocity": "note"},
    "note": {**_NOTES, **_LATER},
    "end": {},
}


def remi_vocabulary(config: RemiConfig) -> Vocabulary:
    """Return the vocabulary of a REMI format."""
    bins, steps = config.bins, config.microtiming
    longest = MAX_QUARTERS * bins.resolution if config.time_signatures else bins.common_time
    own_drums = config.programs and config.drum_tokens
    return Vocabulary(
        (
            *single("PAD", "BOS", "EOS", "Bar"),
            *([key_family()] if config.relative_pitch else []),
            *([signature_family()] if config.time_signatures else []),
            Family.of("Position", range(longest)),
            *([Family.of("Offset", range(-steps // 2, steps // 2))] if steps else []),
            *([tempo_family(config.tempo_bins)] if config.tempos else []),
            *(chord_families() if config.chords else []),
            *(single("Rest") if config.rests else []),
            *([program_family()] if config.programs else []),
            *([Family.of("Pedal", ["up", "down"])] if config.pedals else []),
            *([Family.of("Bend", bins.bend(range(bins.bends)))] if bins.bends else []),
            relative_pitch_family() if config.relative_pitch else Family.of("Pitch", range(128)),
            *([Family.of("Drum", range(128))] if own_drums else []),
            *([Family.of("Velocity", range(bins.velocities))] if bins.velocities else []),
            duration_family(bins.durations),
        )
    )


def remi_grammar(vocabulary: Vocabulary, bins: Bins) -> Grammar:
    """Return the grammar of a REMI format, whose vocabulary says which families it has."""
    table, order = _table(vocabulary), _Order(vocabulary, bins)
    return Grammar(
        vocabulary,
        table,
        narrow={
            "TimeSig": _other_signature,
            "Position": order.positions,
            "Offset": order.offsets,
            "Tempo": order.tempos,
            "Chord": order.on_position,
            "Bass": not_the_root,
            "Rest": order.rests,
            "Program": order.programs,
            "Pedal": _pedals,
            "Bend": _bends,
            "Pitch": _rising_pitch,
            "Drum": rising_rank,
        },
        move={
            "Key": _take_key,
            "Bar": order.take_bar,
            "TimeSig": order.take_signature,
            "Position": order.take_position,
            "Offset": _take_offset,
            "Tempo": _take_tempo,
            "Chord": take_rank,
            "Program": _take_program,
            "Pedal": _take_pedal,
            "Bend": _take_bend,
            "Pitch": _take_pitch,
            "Drum": _take_drum,
            "Duration": order.take_duration,
        },
        branches={"@note": lambda cursor: "drum" if cursor.part == DRUMS else "pitch"},
        scan=Scan(
            vocabulary,
            table,
            RemiOrder(vocabulary, bins).keeps,
            Branch("Program", ("pitch", "drum"), kinds_of_note),
        ),
    )


def _table(vocabulary: Vocabulary) -> dict[str, dict[str, str]]:
    """Return the states that a format has, and what follows in each."""
    has = vocabulary.base
    table = {
        state: {family: after for family, after in row.items() if family in has}
        for state, row in REMI_TABLE.items()
    }
    if "Program" in has:
        for state, row in table.items():  # every note says its program first
            if "Program" in row:
                for family in ("Pedal", "Bend", "Pitch"):
                    row.pop(family, None)
                if state == "rest" and not table["silent"]:
                    del row["Program"]
        if "Drum" not in has:
            table["drum"] = {"Pitch": "drum velocity"}
    if "Tempo" not in has:
        table["first position"] = {}
    # A state whose one token the format lacks is left out.
    passed = {
        state: next(iter(row.values()))
        for state, row in REMI_TABLE.items()
        if len(row) == 1 and not table[state]
    }
    if "Tempo" not in has:
        passed["first position"] = "meter"
    for row in table.values():
        for family, after in row.items():
            while after in passed:
                after = passed[after]
            row[family] = after
    return _reachable(table)


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


class _Order:
    """The rules of order that depend on the settings."""

    def __init__(self, vocabulary: Vocabulary, bins: Bins) -> None:
        self._steps = bins.steps
        self._common_time = bins.common_time
        self._bar_lengths: list[int] = bins.bar_lengths.tolist()
        self._durations: list[int] = bins.durations.tolist()
        self._last_control = BENT if "Bend" in vocabulary.base else DOWN

    def positions(self, cursor: Cursor, values: Mask) -> None:
        """Keep positions rising inside a bar; one is said again for a later offset."""
        again = self._steps > 1 and cursor.offset < self._steps - 1
        values[: max(0, cursor.position + (not again))] = False
        values[cursor.bar_length :] = False
        if cursor.state == "first position":
            values[1:] = False

    def offsets(self, cursor: Cursor, values: Mask) -> None:
        values[: cursor.offset + 1] = False
        if cursor.state == "first offset":
            values[self._steps // 2 + 1 :] = False

    def on_position(self, cursor: Cursor, values: Mask) -> None:
        """Keep what has no offset to where there is none."""
        if self._steps > 1 and cursor.offset != self._steps // 2:
            values[:] = False

    def tempos(self, cursor: Cursor, values: Mask) -> None:
        self.on_position(cursor, values)
        if cursor.tempo >= 0:
            values[cursor.tempo] = False

    def rests(self, cursor: Cursor, values: Mask) -> None:
        """Keep rests to where nothing sounds."""
        self.on_position(cursor, values)
        values &= cursor.until <= cursor.position

    def programs(self, cursor: Cursor, values: Mask) -> None:
        """Keep programs rising at one place, and from one to itself while something is left."""
        last = 127 if cursor.part == DRUMS else cursor.lowest + 127
        if cursor.state == "rest":
            values[DRUMS] = False
            last = self._last_control
        if cursor.part >= 0:
            values[: cursor.part + (cursor.rank >= last)] = False

    def take_bar(self, cursor: Cursor, value: int) -> None:
        cursor.until -= cursor.bar_length
        cursor.bar += 1
        cursor.position = cursor.offset = -1
        if cursor.signature < 0:
            cursor.bar_length = self._common_time

    def take_signature(self, cursor: Cursor, value: int) -> None:
        cursor.signature, cursor.bar_length = value, self._bar_lengths[value]

    def take_position(self, cursor: Cursor, value: int) -> None:
        if value != cursor.position:
            # Nothing comes before the piece begins.
            cursor.offset = self._steps // 2 - 1 if value == cursor.bar == 0 else -1
        cursor.position, cursor.part = value, -1

    def take_duration(self, cursor: Cursor, value: int) -> None:
        cursor.until = max(cursor.until, cursor.position + self._durations[value])


def _other_signature(cursor: Cursor, values: Mask) -> None:
    if cursor.signature >= 0:
        values[cursor.signature] = False


def _rank(cursor: Cursor) -> int:
    """Return what the running program did last at this place; ``rank`` may be a chord's."""
    return cursor.rank if cursor.part >= 0 else FRESH


def _pedals(cursor: Cursor, values: Mask) -> None:
    is_down = bool(cursor.pedals >> max(cursor.part, 0) & 1)
    values[0] &= is_down and _rank(cursor) < UP
    values[1] &= not is_down and _rank(cursor) < DOWN


def _bends(cursor: Cursor, values: Mask) -> None:
    values &= _rank(cursor) < BENT


def _rising_pitch(cursor: Cursor, values: Mask) -> None:
    """Keep pitches rising inside a program, and inside what MIDI has."""
    values[: max(_rank(cursor) + 1, cursor.lowest)] = False
    values[cursor.lowest + 128 :] = False


def _take_key(cursor: Cursor, value: int) -> None:
    cursor.lowest = lowest_pitch(KEYS[value])


def _take_offset(cursor: Cursor, value: int) -> None:
    cursor.offset = value


def _take_tempo(cursor: Cursor, value: int) -> None:
    cursor.tempo = value


def _take_program(cursor: Cursor, value: int) -> None:
    if value != cursor.part:
        cursor.part, cursor.rank = value, FRESH


def _take_pedal(cursor: Cursor, value: int) -> None:
    cursor.part = max(cursor.part, 0)  # without programs all notes are of one
    cursor.rank = DOWN if value else UP
    cursor.pedals ^= 1 << cursor.part


def _take_bend(cursor: Cursor, value: int) -> None:
    cursor.part, cursor.rank = max(cursor.part, 0), BENT


def _take_pitch(cursor: Cursor, value: int) -> None:
    if cursor.state == "drum":
        _take_drum(cursor, value)
    cursor.part, cursor.rank = max(cursor.part, 0), value


def _take_drum(cursor: Cursor, value: int) -> None:
    cursor.until = max(cursor.until, cursor.position + DRUM_LENGTH)
    cursor.rank = value
