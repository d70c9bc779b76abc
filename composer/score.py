"""The value objects of a piece: ``Score``, ``Track`` and their events.

Conventions
-----------
Times are integer ticks, ``tpq`` of them to a quarter note. An event's ``offset`` is
``onset + duration``. Pitches are MIDI numbers (60 is middle C), velocities 1 to 127, programs 0 to
127 as General MIDI numbers them. Events live in numpy structured arrays (the dtypes below), sorted
and read-only, so that whatever is hot is arithmetic on columns: ``track.notes["pitch"] + 12``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from composer.errors import ScoreError

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from composer.meter import Meter

#: A structured array of one of the dtypes below.
Events = npt.NDArray[Any]

NOTE = np.dtype([("onset", "i8"), ("duration", "i8"), ("pitch", "i2"), ("velocity", "i2")])
CONTROL = np.dtype([("tick", "i8"), ("number", "i2"), ("value", "i2")])
PITCH_BEND = np.dtype([("tick", "i8"), ("value", "i4")])  # -8192 to 8191
PEDAL = np.dtype([("tick", "i8"), ("duration", "i8")])
TEMPO = np.dtype([("tick", "i8"), ("mspq", "i4")])  # microseconds a quarter note
TIME_SIGNATURE = np.dtype([("tick", "i8"), ("numerator", "i4"), ("denominator", "i4")])
KEY_SIGNATURE = np.dtype([("tick", "i8"), ("sharps", "i2"), ("minor", "i2")])  # flats are negative

#: Largest tick a score may hold; MIDI readers count in 32 bits.
MAX_TICK = 2**31 - 1


class Note(NamedTuple):
    """One note; a row of ``Track.notes``."""

    onset: int  # ticks
    duration: int  # ticks
    pitch: int  # 0-127
    velocity: int = 90  # 1-127


class Text(NamedTuple):
    """A text at a tick: a marker, a lyric syllable or a chord symbol."""

    tick: int
    text: str


def microseconds_per_quarter(bpm: float) -> int:
    """Return a tempo in beats a minute as MIDI stores it.

    >>> microseconds_per_quarter(120)
    500000
    """
    return round(60_000_000 / bpm)


def _table(rows: Iterable[Any], dtype: np.dtype[Any], keys: Sequence[str], what: str) -> Events:
    """Return ``rows`` as a sorted, read-only array of ``dtype``."""
    if isinstance(rows, np.ndarray):
        if rows.dtype != dtype:
            raise ScoreError(f"{what} have dtype {rows.dtype}; build them with dtype {dtype}")
        table = rows
    else:
        try:
            table = np.array([tuple(row) for row in rows], dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise ScoreError(f"{what} must be rows of {dtype.names}: {error}") from None
    if len(table) > 1:
        order = np.lexsort([table[key] for key in reversed(keys)])
        if (np.diff(order) != 1).any():
            table = table[order]
    if table.flags.writeable:
        table = table.copy() if table is rows else table
        table.flags.writeable = False
    return table


def _check_range(values: Events, low: int, high: int, what: str) -> None:
    if len(values) and (values.min() < low or values.max() > high):
        bad = values[(values < low) | (values > high)][0]
        raise ScoreError(f"{what} {bad} is outside {low} to {high}")


def _texts(rows: Iterable[Any], what: str) -> tuple[Text, ...]:
    """Return ``rows`` as texts sorted by tick."""
    texts = tuple(sorted((Text(*row) for row in rows), key=lambda text: text.tick))
    if texts:
        _check_range(np.array([texts[0].tick, texts[-1].tick]), 0, MAX_TICK, f"{what} tick")
    return texts


class _Value:
    """Equality by content, which dataclasses with arrays do not have by themselves."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            same = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not same:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True, eq=False)
class Track(_Value):
    """One instrument's events.

    Parameters
    ----------
    name
        Name of the track, as DAWs show it.
    program
        General MIDI program, 0 to 127.
    is_drum
        Whether the notes are drum hits (MIDI channel 10).
    notes
        Array of dtype ``NOTE``, or rows of (onset, duration, pitch, velocity).
    controls, pitch_bends, pedals
        Arrays of dtype ``CONTROL``, ``PITCH_BEND`` and ``PEDAL``, or rows.
    lyrics
        Syllables with their ticks.

    Raises
    ------
    ScoreError
        A value is outside its range.
    """

    name: str = ""
    program: int = 0
    is_drum: bool = False
    notes: Events = ()  # type: ignore[assignment]
    controls: Events = ()  # type: ignore[assignment]
    pitch_bends: Events = ()  # type: ignore[assignment]
    pedals: Events = ()  # type: ignore[assignment]
    lyrics: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.program <= 127:
            raise ScoreError(f"program {self.program} is outside 0 to 127")
        notes = _table(self.notes, NOTE, ("onset", "pitch", "duration", "velocity"), "notes")
        _check_range(notes["onset"], 0, MAX_TICK, "note onset")
        _check_range(notes["duration"], 0, MAX_TICK, "note duration")
        _check_range(notes["pitch"], 0, 127, "pitch")
        _check_range(notes["velocity"], 1, 127, "velocity")
        controls = _table(self.controls, CONTROL, ("tick",), "controls")
        _check_range(controls["tick"], 0, MAX_TICK, "control tick")
        _check_range(controls["number"], 0, 127, "control number")
        _check_range(controls["value"], 0, 127, "control value")
        pitch_bends = _table(self.pitch_bends, PITCH_BEND, ("tick",), "pitch bends")
        _check_range(pitch_bends["tick"], 0, MAX_TICK, "pitch bend tick")
        _check_range(pitch_bends["value"], -8192, 8191, "pitch bend")
        pedals = _table(self.pedals, PEDAL, ("tick",), "pedals")
        _check_range(pedals["tick"], 0, MAX_TICK, "pedal tick")
        _check_range(pedals["duration"], 0, MAX_TICK, "pedal duration")
        columns: dict[str, Any] = {
            "notes": notes,
            "controls": controls,
            "pitch_bends": pitch_bends,
            "pedals": pedals,
            "lyrics": _texts(self.lyrics, "lyric"),
        }
        for name, value in columns.items():
            object.__setattr__(self, name, value)

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return int((self.notes["onset"] + self.notes["duration"]).max(initial=0))

    def replace(self, **changes: Any) -> Track:
        """Return a copy with the fields named changed."""
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        kind = "drums" if self.is_drum else f"program {self.program}"
        return f"Track({self.name!r}, {kind}, {len(self.notes)} notes)"


@dataclasses.dataclass(frozen=True, eq=False)
class Score(_Value):
    """A piece of music: tracks and what holds for all of them.

    Parameters
    ----------
    tpq
        Ticks per quarter note, 1 to 32767.
    tracks
        The instruments, in order.
    tempos, time_signatures, key_signatures
        Arrays of dtype ``TEMPO``, ``TIME_SIGNATURE`` and ``KEY_SIGNATURE``, or rows. Before the
        first of them 120 bpm and 4/4 hold, as in MIDI.
    markers
        Texts at ticks.
    chords
        Chord symbols at ticks; each holds until the next. ``N.C.`` ends a chord. In MIDI files
        they are markers that begin with ``chord:``.

    Raises
    ------
    ScoreError
        A value is outside its range.

    Examples
    --------
    >>> score = Score(tpq=480, tracks=(Track("Flute", 73, notes=[(0, 480, 72, 90)]),))
    >>> score.tracks[0].notes["pitch"].tolist()
    [72]
    >>> score.end
    480
    """

    tpq: int = 480
    tracks: tuple[Track, ...] = ()
    tempos: Events = ()  # type: ignore[assignment]
    time_signatures: Events = ()  # type: ignore[assignment]
    key_signatures: Events = ()  # type: ignore[assignment]
    markers: tuple[Text, ...] = ()
    chords: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.tpq <= 32767:
            raise ScoreError(f"tpq {self.tpq} is outside 1 to 32767 ticks a quarter note")
        tempos = _table(self.tempos, TEMPO, ("tick",), "tempos")
        signatures = _table(self.time_signatures, TIME_SIGNATURE, ("tick",), "time signatures")
        keys = _table(self.key_signatures, KEY_SIGNATURE, ("tick",), "key signatures")
        tables = {"tempo": tempos, "time signature": signatures, "key signature": keys}
        for what, table in tables.items():
            _check_range(table["tick"], 0, MAX_TICK, f"{what} tick")
        _check_range(tempos["mspq"], 1, 2**24 - 1, "tempo in microseconds a quarter")
        _check_range(signatures["numerator"], 1, 255, "time signature numerator")
        denominators = signatures["denominator"]
        _check_range(denominators, 1, 2**15, "time signature denominator")
        if (denominators & (denominators - 1)).any():
            raise ScoreError(f"time signature denominators {denominators} must be powers of 2")
        _check_range(keys["sharps"], -7, 7, "key signature sharps")
        _check_range(keys["minor"], 0, 1, "key signature mode")
        columns: dict[str, Any] = {
            "tracks": tuple(self.tracks),
            "tempos": tempos,
            "time_signatures": signatures,
            "key_signatures": keys,
            "markers": _texts(self.markers, "marker"),
            "chords": _texts(self.chords, "chord"),
        }
        for name, value in columns.items():
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, source: str | PathLike[str] | bytes | BinaryIO) -> Score:
        """Read a Standard MIDI File.

        Parameters
        ----------
        source
            A path, the bytes of a file, or a binary file that is open.

        Raises
        ------
        MidiError
            The source is no MIDI file, is cut short, or lies about its lengths.

        Warns
        -----
        ComposerWarning
            The file holds events that a score cannot keep; once a file, with their counts.
        """
        from composer.midi import read_midi

        return read_midi(source)

    def write_midi(self, path: str | PathLike[str]) -> None:
        """Write a Standard MIDI File of type 1; an existing file is replaced whole or not at all.

        Raises
        ------
        MidiError
            The file cannot be written.
        """
        from composer.midi import write_midi

        write_midi(self, path)

    def piano_roll(self, bars: str | tuple[int, int] | None = None) -> Figure:
        """Draw the score as a matplotlib figure; a notebook shows it.

        Parameters
        ----------
        bars
            First and last bar, counted from 1: ``"5-8"`` or ``(5, 8)``; all without it.

        Raises
        ------
        RequestError
            The score has no such bars, or nothing to draw.
        ImportError
            matplotlib is not installed.
        """
        from composer.display import piano_roll

        return piano_roll(self, bars=bars)

    @cached_property
    def meter(self) -> Meter:
        """Bars, positions and seconds of this score."""
        from composer.meter import Meter

        return Meter.of(self)

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return max((track.end for track in self.tracks), default=0)

    @property
    def bars(self) -> int:
        """Number of bars up to the last note's end."""
        return self.meter.bars_until(self.end)

    @property
    def seconds(self) -> float:
        """Length up to the last note's end, in seconds."""
        return float(self.meter.seconds(self.end))

    def replace(self, **changes: Any) -> Score:
        """Return a copy with the fields named changed."""
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        names = ", ".join(track.name or f"program {track.program}" for track in self.tracks)
        return f"Score({self.bars} bars, {self.seconds:.1f} s, tracks: {names or 'none'})"
