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
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from composer.errors import ScoreError

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from composer.checking.certificate import Certificate
    from composer.edits.patch import Patch
    from composer.harmony.sources import ChordsLike
    from composer.meter import Meter

#: A structured array of one of the dtypes below.
Events = npt.NDArray[Any]
Value = TypeVar("Value", bound="_Value")

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


# What each column may hold, and what it is called where it does not.
_RANGES: dict[np.dtype[Any], tuple[tuple[str, int, int, str], ...]] = {
    NOTE: (
        ("onset", 0, MAX_TICK, "note onset"),
        ("duration", 0, MAX_TICK, "note duration"),
        ("pitch", 0, 127, "pitch"),
        ("velocity", 1, 127, "velocity"),
    ),
    CONTROL: (
        ("tick", 0, MAX_TICK, "control tick"),
        ("number", 0, 127, "control number"),
        ("value", 0, 127, "control value"),
    ),
    PITCH_BEND: (("tick", 0, MAX_TICK, "pitch bend tick"), ("value", -8192, 8191, "pitch bend")),
    PEDAL: (("tick", 0, MAX_TICK, "pedal tick"), ("duration", 0, MAX_TICK, "pedal duration")),
    TEMPO: (
        ("tick", 0, MAX_TICK, "tempo tick"),
        ("mspq", 1, 2**24 - 1, "tempo in microseconds a quarter"),
    ),
    TIME_SIGNATURE: (
        ("tick", 0, MAX_TICK, "time signature tick"),
        ("numerator", 1, 255, "time signature numerator"),
        ("denominator", 1, 2**15, "time signature denominator"),
    ),
    KEY_SIGNATURE: (
        ("tick", 0, MAX_TICK, "key signature tick"),
        ("sharps", -7, 7, "key signature sharps"),
        ("minor", 0, 1, "key signature mode"),
    ),
}


def frozen(table: Events) -> Events:
    """Return a table that is read-only from now on."""
    table.flags.writeable = False
    return table


_EMPTY = {dtype: frozen(np.empty(0, dtype)) for dtype in _RANGES}


def joined(tables: Sequence[Events], dtype: np.dtype[Any]) -> Events:
    """Return tables of one dtype behind each other."""
    # As bytes, since numpy copies rows of several columns one by one.
    parts = [np.ascontiguousarray(table).view(np.uint8) for table in tables]
    return np.concatenate([np.empty(0, np.uint8), *parts]).view(dtype)


def _table(rows: Iterable[Any], dtype: np.dtype[Any], what: str) -> Events:
    """Return ``rows`` as a checked, sorted, read-only array of ``dtype``."""
    if isinstance(rows, np.ndarray):
        if rows.dtype != dtype:
            raise ScoreError(f"{what} have dtype {rows.dtype}; build them with dtype {dtype}")
        table = rows
    else:
        try:
            table = np.array([tuple(row) for row in rows], dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise ScoreError(f"{what} must be rows of {dtype.names}: {error}") from None
    if not len(table):
        return _EMPTY[dtype]
    for name, low, high, column in _RANGES[dtype]:
        _check_range(table[name], low, high, column)
    table = _sorted(table)
    if table.flags.writeable:
        table = frozen(table.copy() if table is rows else table)
    return table


def _sorted(table: Events) -> Events:
    """Return a table in order of time; notes of one onset by pitch, duration and velocity."""
    if table.dtype != NOTE:
        ticks = table["tick"]
        if (ticks[1:] >= ticks[:-1]).all():
            return table
        return np.asarray(table[np.argsort(ticks, kind="stable")])
    # Two numbers say the order: pitches and velocities have seven bits.
    begins = table["onset"] << 7 | table["pitch"]
    steps = begins[1:] - begins[:-1]
    if (steps > 0).all():
        return table
    lasts = table["duration"] << 7 | table["velocity"]
    if not (steps < 0).any():
        ties = np.flatnonzero(steps == 0)
        if (lasts[ties] <= lasts[ties + 1]).all():
            return table
    return np.asarray(table[np.lexsort((lasts, begins))])


def _check_range(values: Events, low: int, high: int, what: str) -> None:
    # Called thousands of times a second; the methods min and max take twice as long.
    if np.minimum.reduce(values) < low or np.maximum.reduce(values) > high:
        bad = values[(values < low) | (values > high)][0]
        raise ScoreError(f"{what} {bad} is outside {low} to {high}")


def _texts(rows: Iterable[Any], what: str) -> tuple[Text, ...]:
    """Return ``rows`` as texts sorted by tick."""
    texts = [row if type(row) is Text else Text(*row) for row in rows]
    texts.sort(key=itemgetter(0))
    if texts:
        _check_range(np.array([texts[0].tick, texts[-1].tick]), 0, MAX_TICK, f"{what} tick")
    return tuple(texts)


def _checked_tpq(tpq: int) -> int:
    if not 1 <= tpq <= 32767:
        raise ScoreError(f"tpq {tpq} is outside 1 to 32767 ticks a quarter note")
    return tpq


def _checked_program(program: int) -> int:
    if not 0 <= program <= 127:
        raise ScoreError(f"program {program} is outside 0 to 127")
    return program


def _checked_signatures(rows: Iterable[Any]) -> Events:
    table = _table(rows, TIME_SIGNATURE, "time signatures")
    denominators = table["denominator"]
    if (denominators & (denominators - 1)).any():
        raise ScoreError(f"time signature denominators {denominators} must be powers of 2")
    return table


class _Value:
    """Equality by content, which dataclasses with arrays do not have by themselves."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if not field.compare:
                continue
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            same = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not same:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]

    # What each field goes through: it returns the value that is kept, or raises ScoreError.
    _CHECKS: ClassVar[dict[str, Callable[[Any], Any]]]
    _BLANK: ClassVar[dict[str, Any]]  # the fields where nothing is said

    def __post_init__(self) -> None:
        vars(self).update((name, check(vars(self)[name])) for name, check in self._CHECKS.items())

    @classmethod
    def trusted(cls: type[Value], **fields: Any) -> Value:
        """Return one of fields that are valid, sorted and read-only already: nothing is checked."""
        new = object.__new__(cls)
        vars(new).update(cls._BLANK, **fields)
        return new

    def replace(self: Value, **changes: Any) -> Value:
        """Return a copy with the fields named changed."""
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            if name not in names:
                raise TypeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(names)}")
        # The others have been checked, and cannot have changed since.
        fields = {name: vars(self)[name] for name in names}
        for name, value in changes.items():
            fields[name] = self._CHECKS[name](value) if name in self._CHECKS else value
        return self.trusted(**fields)


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

    _CHECKS: ClassVar = {
        "program": _checked_program,
        "notes": lambda rows: _table(rows, NOTE, "notes"),
        "controls": lambda rows: _table(rows, CONTROL, "controls"),
        "pitch_bends": lambda rows: _table(rows, PITCH_BEND, "pitch bends"),
        "pedals": lambda rows: _table(rows, PEDAL, "pedals"),
        "lyrics": lambda rows: _texts(rows, "lyric"),
    }

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return int((self.notes["onset"] + self.notes["duration"]).max(initial=0))

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
    history
        The patches that made it, oldest first: each verb adds its own. ``replace`` keeps them,
        equality does not look at them, and they are not in MIDI files.

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
    history: tuple[Patch, ...] = dataclasses.field(default=(), compare=False)

    _CHECKS: ClassVar = {
        "tpq": _checked_tpq,
        "tracks": tuple,
        "tempos": lambda rows: _table(rows, TEMPO, "tempos"),
        "time_signatures": _checked_signatures,
        "key_signatures": lambda rows: _table(rows, KEY_SIGNATURE, "key signatures"),
        "markers": lambda rows: _texts(rows, "marker"),
        "chords": lambda rows: _texts(rows, "chord"),
        "history": tuple,
    }

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

    def apply(self, patch: Patch) -> Score:
        """Return the score with an edit made to it, which is the last of its history then.

        Patches about different cells may be applied in any order.

        Parameters
        ----------
        patch
            From the ``history`` of a score, its ``revert()``, or from ``composer.diff``.

        Raises
        ------
        RequestError
            The score does not hold what the patch takes out.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("C G Am F", seed=1)
        >>> other = composer.infill(tune, bars="3-4", seed=2)
        >>> tune.apply(other.history[-1]) == other
        True
        """
        return patch.applied_to(self)

    def undo(self) -> Score:
        """Return the score as it was before the last patch of its history.

        Raises
        ------
        RequestError
            It has no history, or was changed since where the patch changed it.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("C G Am F", seed=1)
        >>> composer.infill(tune, bars="3-4", seed=2).undo() == tune
        True
        """
        from composer.edits.patch import last_patch

        before = last_patch(self).revert().applied_to(self)
        return before.replace(history=self.history[:-1])

    def certificate(self) -> Certificate:
        """Check what the last verb was asked for, and return what was found.

        Raises
        ------
        RequestError
            The score has no history.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("C G", where=composer.NoteCount(min=2), seed=1)
        >>> certificate = tune.certificate()
        >>> certificate.holds
        True
        """
        from composer.checking.certificate import certify

        return certify(self)

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

    def with_chords(
        self,
        chords: ChordsLike | None = None,
        *,
        track: str | int | None = None,
        markers: bool = False,
        letters: str | None = None,
        key: str | None = None,
    ) -> Score:
        """Return the score with other chord symbols: given ones, a track's, or its markers.

        Parameters
        ----------
        chords
            Lead-sheet text, bars, ``(bar, beat, symbol)``, a score, or the path of a file with
            chords, as for the verbs; repeated until the last bar.
        track
            Name or number (from 1) of a track of block chords, which are read exactly; it stays.
        markers
            Whether to take those markers for chords that can be read as chord symbols, as DAWs and
            Band-in-a-Box write them. They are no markers any more.
        letters
            What markers of one letter are, A to G, if there are any: ``"chords"``, or rehearsal
            marks of ``"sections"``, which stay.
        key
            Key that Roman numerals refer to; the score's without it.

        Raises
        ------
        RequestError
            None or several of the three sources are given, there is no such track, its notes make
            no chord, markers of one letter leave open what they are, or no marker is a chord.
        SymbolError
            A chord or the key cannot be read.

        Examples
        --------
        >>> Score().with_chords("Am F").chords
        (Text(tick=0, text='Am'), Text(tick=1920, text='F'))
        >>> marked = Score(markers=[(0, "Verse"), (0, "Am7"), (1920, "D7/F#")])
        >>> [text for _, text in marked.with_chords(markers=True).chords]
        ['Am7', 'D7/F#']
        """
        from composer.harmony.chords_into import with_chords

        return with_chords(self, chords, track=track, markers=markers, letters=letters, key=key)

    def transpose(self, interval: int | str | None = None, *, to: str | None = None) -> Score:
        """Return the score in another key: notes, key signatures and chord symbols.

        Drums stay as they are. Chord symbols keep what follows their root, and are spelled for the
        new key.

        Parameters
        ----------
        interval
            Semitones, or words such as ``"up a minor third"``, ``"down a fourth"`` or ``"-M2"``.
        to
            In place of it, the key to come to, of the same mode; the nearer way, a tritone up.

        Raises
        ------
        RequestError
            A note would leave MIDI's pitches, or the key is of the other mode.
        SymbolError
            The interval or the key cannot be read.

        Examples
        --------
        >>> score = Score(key_signatures=[(0, 0, 0)], chords=[(0, "C/E"), (480, "F#m7b5")])
        >>> higher = score.transpose("up a minor third")
        >>> higher.key_signatures.tolist(), [text for _, text in higher.chords]
        ([(0, -3, 0)], ['Eb/G', 'Am7b5'])
        """
        from composer.harmony.transposing import transpose

        return transpose(self, interval, to=to)

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

    def __repr__(self) -> str:
        names = ", ".join(track.name or f"program {track.program}" for track in self.tracks)
        return f"Score({self.bars} bars, {self.seconds:.1f} s, tracks: {names or 'none'})"


Track._BLANK, Score._BLANK = vars(Track()), vars(Score())
