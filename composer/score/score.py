"""The value objects of a piece: ``Score``, ``Track`` and their events.

Conventions
-----------
Times are integer ticks, ``tpq`` of them to a quarter note. An event's ``offset`` is
``onset + duration``. Pitches are MIDI numbers (60 is middle C), velocities 1 to 127, programs 0 to
127 as General MIDI numbers them. Events live in numpy structured arrays (the dtypes of
``composer.score.events``), sorted and read-only, so that whatever is hot is arithmetic on columns:
``track.notes["pitch"] + 12``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cached_property, partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from composer._calls import called_right, shown
from composer.errors import RequestError, ScoreError
from composer.score.events import (
    CONTROL,
    KEY_SIGNATURE,
    NOTE,
    PEDAL,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    Events,
    Text,
    Value,
    event_table,
    text_events,
)

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from composer.checking.certificate import Certificate
    from composer.edits.patch import Patch
    from composer.harmony.sources import ChordsLike
    from composer.score.meter import Meter


def _checked_number(name: str, most: int, unit: str, number: int) -> int:
    least = int(name == "tpq")
    if not isinstance(number, Integral):
        raise ScoreError(
            f"{name} {shown(number)} is not a whole number from {least} to {most}{unit}"
        )
    if not least <= number <= most:
        raise ScoreError(f"{name} {number} is outside {least} to {most}{unit}")
    return number


def _checked_name(name: str) -> str:
    if not isinstance(name, str):
        raise ScoreError(f"name {shown(name)} is not a text; for example 'Flute'")
    return name


def _checked_kind(is_drum: bool) -> bool:
    if not isinstance(is_drum, bool | np.bool_):
        raise ScoreError(f"is_drum {shown(is_drum)} is neither True nor False; give one of them")
    return bool(is_drum)


def _checked_tracks(tracks: Iterable[Track]) -> tuple[Track, ...]:
    given = tuple(tracks) if isinstance(tracks, Iterable) else (None,)
    if not all(isinstance(track, Track) for track in given):
        raise ScoreError(
            f"tracks {shown(tracks)} are not tracks; give a list of Track, such as "
            "[Track('Flute', 73)]"
        )
    return given


def _checked_history(patches: Iterable[Patch]) -> tuple[Patch, ...]:
    if not patches:  # as nearly all are: what a patch is takes long to import
        return ()
    from composer.edits.patch import Patch

    given = tuple(patches) if isinstance(patches, Iterable) else (None,)
    if not all(isinstance(patch, Patch) for patch in given):
        raise ScoreError(f"history {shown(patches)} is not a history; give that of another score")
    return given


def _checked_chords(rows: Any) -> tuple[Text, ...]:
    if isinstance(rows, str):
        raise ScoreError(
            f"chords {shown(rows)} are a text, and a score keeps (tick, text); "
            "with_chords puts a text of chords into a score"
        )
    return text_events(rows, "chord")


def _checked_signatures(rows: Iterable[Any]) -> Events:
    table = event_table(rows, TIME_SIGNATURE, "time signatures")
    denominators = table["denominator"]
    if (denominators & (denominators - 1)).any():
        raise ScoreError(f"time signature denominators {denominators} must be powers of 2")
    return table


@called_right("composer.Track")
@dataclasses.dataclass(frozen=True, eq=False)
class Track(Value):
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
        "name": _checked_name,
        "program": partial(_checked_number, "program", 127, ""),
        "is_drum": _checked_kind,
        "notes": lambda rows: event_table(rows, NOTE, "notes"),
        "controls": lambda rows: event_table(rows, CONTROL, "controls"),
        "pitch_bends": lambda rows: event_table(rows, PITCH_BEND, "pitch bends"),
        "pedals": lambda rows: event_table(rows, PEDAL, "pedals"),
        "lyrics": lambda rows: text_events(rows, "lyric"),
    }

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return int((self.notes["onset"] + self.notes["duration"]).max(initial=0))

    def __repr__(self) -> str:
        kind = "drums" if self.is_drum else f"program {self.program}"
        return f"Track({self.name!r}, {kind}, {len(self.notes)} notes)"


@called_right("composer.Score")
@dataclasses.dataclass(frozen=True, eq=False)
class Score(Value):
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
    title
        Name of the piece; in MIDI files that of the track for the whole piece. Equality does not
        look at it.
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
    title: str = dataclasses.field(default="", compare=False)
    history: tuple[Patch, ...] = dataclasses.field(default=(), compare=False)

    _CHECKS: ClassVar = {
        "tpq": partial(_checked_number, "tpq", 32767, " ticks a quarter note"),
        "tracks": _checked_tracks,
        "tempos": lambda rows: event_table(rows, TEMPO, "tempos"),
        "time_signatures": _checked_signatures,
        "key_signatures": lambda rows: event_table(rows, KEY_SIGNATURE, "key signatures"),
        "markers": lambda rows: text_events(rows, "marker"),
        "chords": _checked_chords,
        "title": _checked_name,
        "history": _checked_history,
    }

    @classmethod
    @called_right("composer.Score.read")
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

    @called_right("composer.Score.write")
    def write(self, path: str | PathLike[str]) -> None:
        """Write a Standard MIDI File of type 1; an existing file is replaced whole or not at all.

        Raises
        ------
        MidiError
            The file cannot be written.
        """
        from composer.midi import write_midi

        write_midi(self, path)

    @called_right("composer.Score.apply")
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
        from composer.edits.patch import own_patch

        return own_patch(patch).applied_to(self)

    @called_right("composer.Score.undo")
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

    @called_right("composer.Score.certificate")
    def certificate(self) -> Certificate:
        """Check what the last verb was asked for, and return what was found.

        Raises
        ------
        RequestError
            The score has no history.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("C G", where=composer.OnsetCount(min=2), seed=1)
        >>> certificate = tune.certificate()
        >>> certificate.holds
        True
        """
        from composer.checking.certificate import certify

        return certify(self)

    @called_right("composer.Score.piano_roll")
    def piano_roll(self, bars: int | str | tuple[int, int] | None = None) -> Figure:
        """Draw the score as a matplotlib figure; a notebook shows it.

        Parameters
        ----------
        bars
            A bar, or the first and last of some, counted from 1: ``5``, ``"5-8"`` or ``(5, 8)``;
            all without it.

        Raises
        ------
        RequestError
            The score has no such bars, or nothing to draw.
        ImportError
            matplotlib is not installed.
        """
        from composer.display import piano_roll

        return piano_roll(self, bars=bars)

    @called_right("composer.Score.with_chords")
    def with_chords(
        self,
        chords: ChordsLike | None = None,
        *,
        track: str | int | None = None,
        markers: bool = False,
        notes: bool = False,
        letters: str | None = None,
        key: str | None = None,
    ) -> Score:
        """Return the score with other chord symbols: given, or told by a track, markers or notes.

        Parameters
        ----------
        chords
            Lead-sheet text, bars, ``(bar, beat, symbol)``, a score, or the path of a file with
            chords, as for the verbs; repeated until the last bar.
        track
            Name or number (from 1) of a track of block chords, which are read exactly; it stays.
        markers
            Whether to take those markers for chords that can be read as chord symbols, as DAWs and
            Band-in-a-Box write them. They are not markers any more.
        notes
            Whether to take the chords that the notes of all tracks suggest.
        letters
            What markers of one letter are, A to G, if there are any: ``"chords"``, or rehearsal
            marks of ``"sections"``, which stay.
        key
            Key that Roman numerals refer to, and that chords in the notes are spelled in; the
            score's without it.

        Raises
        ------
        RequestError
            None or several of the four sources are given, there is no such track, its notes make
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
        >>> arpeggio = [(0, 480, 57, 90), (480, 480, 60, 90), (960, 960, 64, 90)]
        >>> Score(tracks=[Track(notes=arpeggio)]).with_chords(notes=True).chords
        (Text(tick=0, text='Am'),)
        """
        from composer.harmony.with_chords import with_chords

        return with_chords(
            self, chords, track=track, markers=markers, notes=notes, letters=letters, key=key
        )

    @called_right("composer.Score.transpose")
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
        from composer.harmony.transpose import transpose

        return transpose(self, interval, to=to)

    @cached_property
    def meter(self) -> Meter:
        """Bars, positions and seconds of this score."""
        from composer.score.meter import Meter

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


def own_score(value: object) -> Score:
    """Return a value that was given as a score.

    Raises
    ------
    RequestError
        It is not a score.
    """
    if isinstance(value, Score):
        return value
    raise RequestError(
        f"{shown(value)} is not a score; give what a verb returned, or Score.read('song.mid')"
    )


Track._BLANK, Score._BLANK = vars(Track()), vars(Score())
