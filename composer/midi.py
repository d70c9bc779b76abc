"""Reading Standard MIDI Files, and writing them through ``symusic``.

Conventions
-----------
A file is checked, repaired and read by ``composer.smf.read``, which lists what it repairs and how.
What was repaired and what a score cannot keep is named in one ``ComposerWarning`` a file. Reading,
writing and reading again gives the same score.

- One track is made of each (track chunk, channel, program), in this order, if it has notes or
  controllers; a chunk that has neither, but events, becomes a track too.
- A chunk without a program on a channel has the one that other chunks of its port have set there.
  Ports are not kept: tracks that only their ports told apart come back apart, on other channels.
- Controllers and pitch bends of a program that has not begun a note yet belong to each program of
  their channel that begins one later in the chunk: all before a channel's first note to each of its
  programs. If none does, they make a track of their own.
- Lyrics beside notes belong to the last track of their chunk.
- A bank select is written before the program change that it is for. Controllers that end notes
  (120, 123 to 127) are not written where a note of their track sounds on: the notes say how long.
- Pedals are what controller 64 says; one that is not let go lasts as long as its track's notes. A
  track that has pedals and no controller 64 is written with controllers made from them.
- Notes of one pitch in one track are first in, first out, as MIDI has no other way: a note inside
  another one of its pitch comes back with the ends exchanged.
- Notes of length 0 are kept, and there is a warning of them; a tokenizer makes them one position
  long.
- Chord symbols are markers that begin with ``chord:``. In a file without any they are the texts of
  a track if nearly all of these can be read so (see ``composer.smf.chord_texts``); all other texts
  are left out.
- Text is UTF-8; bytes that are not become characters of their own and are written as they were
  (see ``composer.smf.text``). Empty markers and lyrics are not kept, nor are release velocities
  and the clicks of a time signature.
- A written file has a chunk for the whole piece and one for each track. Channels go round from 0,
  drums on channel 9 (counted from 0), so that from the 16th pitched track on channels are shared,
  which DAWs do not mind. Empty lyrics and markers break a wait of more than
  2**28 - 1 ticks, which is the longest.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import symusic

from composer._calls import shown
from composer._files import read_whole, write_whole
from composer.errors import ComposerWarning, MidiError, ScoreError
from composer.score.events import (
    CONTROL,
    KEY_SIGNATURE,
    MAX_TICK,
    NOTE,
    PEDAL,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    Events,
    Text,
)
from composer.score.score import Score, Track
from composer.smf.chunks import MAX_TRACKS
from composer.smf.read import CHORD_PREFIX, SUSTAIN, pedals_of, read_score, split_markers, too_many
from composer.smf.text import encode_text, has_raw_bytes
from composer.smf.walk import MAX_DELTA, NOTES_OFF, SOUND_OFF
from composer.smf.write import (
    BANKS,
    add_conductor,
    banks_ahead,
    change_tracks,
    texts_as_bytes,
)

#: Bytes that a MIDI file may have: a day of music has a tenth of that.
MOST_BYTES = 256_000_000

_SCORES = ", or interop.to_music21(score).write('musicxml', path)"
#: Endings of other files that somebody may want, and what makes them.
_OTHERS = {
    **dict.fromkeys((".musicxml", ".mxl", ".xml"), _SCORES),
    **dict.fromkeys((".abc", ".krn", ".ly", ".mscz", ".mei", ".pdf", ".png", ".svg"), ""),
    **dict.fromkeys((".wav", ".mp3", ".ogg", ".flac", ".aiff", ".m4a"), " and play it in a DAW"),
    **dict.fromkeys((".txt", ".json", ".csv", ".py", ".npz", ".xlsx"), ""),
}

MAX_DENOMINATOR = 128  # of a time signature, as far as symusic counts

# symusic's names of our columns, in the order of the dtypes.
_COLUMNS = {
    NOTE: ("time", "duration", "pitch", "velocity"),
    CONTROL: ("time", "number", "value"),
    PITCH_BEND: ("time", "value"),
    PEDAL: ("time", "duration"),
    TEMPO: ("time", "mspq"),
    TIME_SIGNATURE: ("time", "numerator", "denominator"),
    KEY_SIGNATURE: ("time", "key", "tonality"),
}


def read_midi(source: str | os.PathLike[str] | bytes | BinaryIO) -> Score:
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
        The file was repaired, or holds what a score cannot keep; once a file, with the counts.
    """
    content, name = _read_bytes(source)
    is_notation = b"<score-" in content[:4096] or content.startswith(b"PK")
    if is_notation or (content.lstrip()[:1] == b"<" and name.lower().endswith("xml")):
        raise MidiError(
            f"{name} is not a MIDI file; if it is MusicXML, read it with "
            "composer.interop.read_musicxml(path)"
        )
    score, dropped, repairs = read_score(content, name)
    news = []
    if repairs:
        news.append(f"was repaired: {'; '.join(repairs)}")
    if dropped:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in dropped.items())
        news.append(f"holds what a score cannot keep, and it is left out: {kinds}")
    if news:
        warnings.warn(f"{name} {', and '.join(news)}", ComposerWarning, stacklevel=4)
    return score


def write_midi(score: Score, path: str | os.PathLike[str]) -> None:
    """Write a Standard MIDI File of type 1; an existing file is replaced whole or not at all.

    Raises
    ------
    MidiError
        The score holds what no MIDI file can, or the file cannot be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise MidiError(f"{shown(path)} is not a path; for example 'song.mid'")
    _check_ending(path)
    try:
        content = midi_bytes(score)
    except MidiError as error:
        raise MidiError(f"{os.fspath(path)} cannot be written: {error}") from error
    write_whole(path, content, MidiError)


def midi_bytes(score: Score) -> bytes:
    """Return a Standard MIDI File of type 1.

    Raises
    ------
    MidiError
        The score holds what no MIDI file can.
    """
    try:
        _check_bounds(score)
        # symusic would put tempos into the first part, and without a part out of order.
        tracks = Score(
            score.tpq,
            tuple(_break_waits(pedals_as_controls(_held(track))) for track in score.tracks),
        )
        if any(has_raw_bytes(text) for track in score.tracks for text in _texts_of(track)):
            content = _to_symusic(tracks, _to_latin1).dumps_midi()
            content = change_tracks(content, texts_as_bytes)
        else:
            content = to_symusic(tracks).dumps_midi()
        if any(np.isin(track.controls["number"], BANKS).any() for track in tracks.tracks):
            content = change_tracks(content, banks_ahead)
        return add_conductor(content, score, join_markers(score))
    except ScoreError as error:
        raise MidiError(str(error)) from error


def _check_ending(path: str | os.PathLike[str]) -> None:
    """Refuse to write MIDI under the name of another kind of file."""
    ending = os.path.splitext(os.fspath(path))[1].lower()
    if ending in _OTHERS:
        raise MidiError(
            f"{path} ends in {ending}, and this writes MIDI; write a name in .mid{_OTHERS[ending]}"
        )


def from_symusic(other: Any) -> Score:
    """Return a symusic score, of any time unit, as a ``Score``.

    Raises
    ------
    ScoreError
        A value is outside its range.

    Examples
    --------
    >>> other = symusic.Score(480)
    >>> other.tempos.append(symusic.Tempo(0, mspq=400_000))
    >>> from_symusic(other).tempos.tolist()
    [(0, 400000)]
    """
    other = other.to("tick")
    markers, chords = split_markers(Text(marker.time, marker.text) for marker in other.markers)
    return Score(
        tpq=other.ticks_per_quarter,
        tracks=tuple(_join_lyrics(_from_symusic_track(track) for track in other.tracks)),
        tempos=_table(other.tempos, TEMPO),
        time_signatures=_table(other.time_signatures, TIME_SIGNATURE),
        key_signatures=_table(other.key_signatures, KEY_SIGNATURE),
        markers=markers,
        chords=chords,
    )


def to_symusic(score: Score) -> Any:
    """Return a score as symusic has it, in ticks; chords become markers.

    Raises
    ------
    ScoreError
        A time signature's denominator is above 128, or a text is not Unicode.
    """
    return _to_symusic(score, _unicode)


def _to_symusic(score: Score, text_of: Callable[[str], str]) -> Any:
    worst = score.time_signatures["denominator"].max(initial=1)
    if worst > MAX_DENOMINATOR:
        raise ScoreError(
            f"time signature denominator {worst} is outside 1 to {MAX_DENOMINATOR}; notate it anew"
        )
    other = symusic.Score(score.tpq)
    other.tempos = _list(symusic.Tempo, score.tempos)
    other.time_signatures = _list(symusic.TimeSignature, score.time_signatures)
    other.key_signatures = _list(symusic.KeySignature, score.key_signatures)
    for tick, text in join_markers(score):
        other.markers.append(symusic.TextMeta(tick, text_of(text)))
    for track in score.tracks:
        copy = symusic.Track(text_of(track.name), track.program, track.is_drum)
        copy.notes = _list(symusic.Note, track.notes)
        copy.controls = _list(symusic.ControlChange, track.controls)
        copy.pitch_bends = _list(symusic.PitchBend, track.pitch_bends)
        copy.pedals = _list(symusic.Pedal, track.pedals)
        for tick, text in track.lyrics:
            copy.lyrics.append(symusic.TextMeta(tick, text_of(text)))
        other.tracks.append(copy)
    return other


def _read_bytes(source: str | os.PathLike[str] | bytes | BinaryIO) -> tuple[bytes, str]:
    """Return the content of a source and what to call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), "the MIDI data"
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        try:
            return read_whole(source, MidiError, most=MOST_BYTES), name
        except FileNotFoundError:
            raise MidiError(f"{name} does not exist; check the path") from None
    if not callable(getattr(source, "read", None)) or hasattr(source, "tracks"):
        raise MidiError(
            f"{shown(source)} is not a source of MIDI; give a path, bytes, or a file that is open"
        )
    name = str(getattr(source, "name", "the MIDI stream"))
    try:
        content = source.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # closed, or open for writing only
        raise MidiError(f"{name} cannot be read: {error}; open it in mode 'rb'") from error
    if not isinstance(content, bytes):
        raise MidiError(f"{name} is open as text; open it in mode 'rb'")
    if len(content) > MOST_BYTES:
        raise MidiError(f"{name} has more than {MOST_BYTES / 1e6:,.0f} MB; no MIDI file does")
    return content, name


def _table(events: Any, dtype: np.dtype[Any]) -> Events:
    """Return a list of symusic's as one of our tables."""
    table = np.empty(len(events), dtype)
    if len(events):
        columns = events.numpy()
        for ours, theirs in zip(dtype.names or (), _COLUMNS[dtype], strict=True):
            table[ours] = columns[theirs]
    return table


def _list(factory: Any, table: Events) -> Any:
    """Return one of our tables as symusic's list."""
    # Each parameter of from_numpy takes one type: times and long values 32 bits, the rest bytes.
    narrow = {"pitch": "i1", "velocity": "i1", "sharps": "i1", "minor": "u1", "number": "u1"}
    narrow |= {"numerator": "u1", "denominator": "u1"}
    if table.dtype == CONTROL:
        narrow["value"] = "u1"
    names = table.dtype.names or ()
    columns = (table[name].astype(narrow.get(name, "i4")) for name in names)
    return factory.from_numpy(*columns)


def join_markers(score: Score) -> list[Text]:
    """Return markers and chords in order, the chords with the prefix that tells them apart."""
    chords = (Text(tick, CHORD_PREFIX + text) for tick, text in score.chords)
    return sorted([*score.markers, *chords], key=lambda marker: marker.tick)


def _from_symusic_track(track: Any) -> Track:
    controls, notes = _table(track.controls, CONTROL), _table(track.notes, NOTE)
    # Worked out anew, because symusic has a pedal down from tick 0 on every channel but the first.
    has_sustain = (controls["number"] == SUSTAIN).any()
    return Track(
        name=track.name,
        program=track.program,
        is_drum=track.is_drum,
        notes=notes,
        controls=controls,
        pitch_bends=_table(track.pitch_bends, PITCH_BEND),
        pedals=pedals_of(controls, notes) if has_sustain else _table(track.pedals, PEDAL),
        lyrics=tuple(Text(lyric.time, lyric.text) for lyric in track.lyrics),
    )


def _join_lyrics(tracks: Iterable[Track]) -> list[Track]:
    """Return tracks with lyrics where they were: symusic gives a chunk's lyrics their own track."""
    joined: list[Track] = []
    for track in tracks:
        events = (track.notes, track.controls, track.pitch_bends, track.pedals)
        alone = bool(track.lyrics) and not any(len(table) for table in events)
        last = joined[-1] if joined else None
        if alone and last and last.name == track.name and not last.lyrics:
            joined[-1] = last.replace(lyrics=track.lyrics)
        else:
            joined.append(track)
    return joined


def _held(track: Track) -> Track:
    """Return a track without controllers that would end its notes before their ends."""
    controls, notes = track.controls, track.notes
    ending = (controls["number"] == SOUND_OFF) | (controls["number"] >= NOTES_OFF)
    if not ending.any():
        return track
    starts, ends = notes["onset"], np.sort(notes["onset"] + notes["duration"])
    ticks = controls["tick"]
    begun, ended = np.searchsorted(starts, ticks), np.searchsorted(ends, ticks, side="right")
    return track.replace(controls=controls[~(ending & (begun > ended))])


def pedals_as_controls(track: Track) -> Track:
    """Return a track whose pedals stand among its controllers."""
    if not len(track.pedals) or (track.controls["number"] == SUSTAIN).any():
        return track
    downs, ups = np.empty((2, len(track.pedals)), CONTROL)
    downs["tick"], downs["value"] = track.pedals["tick"], 127
    ups["tick"], ups["value"] = track.pedals["tick"] + track.pedals["duration"], 0
    both = np.concatenate([ups, downs])  # so that at one tick the pedal goes up first
    both["number"] = SUSTAIN
    return track.replace(controls=np.concatenate([track.controls, both]))


def _last_tick(track: Track) -> int:
    """Return the tick of a track's last event."""
    pedals = track.pedals["tick"] + track.pedals["duration"]
    columns = [track.controls["tick"], track.pitch_bends["tick"], pedals]
    ticks = [int(column.max(initial=0)) for column in columns]
    return max([track.end, *ticks, *(tick for tick, _ in track.lyrics[-1:])])


def _break_waits(track: Track) -> Track:
    """Return a track with an empty lyric wherever symusic may meet a wait too long for it."""
    breaks = range(MAX_DELTA, _last_tick(track), MAX_DELTA)
    if not breaks:
        return track
    return track.replace(lyrics=(*track.lyrics, *(Text(tick, "") for tick in breaks)))


def _check_bounds(score: Score) -> None:
    """Refuse more tracks than a file can count, and ends too late for a reader."""
    if len(score.tracks) >= MAX_TRACKS:
        raise ScoreError(too_many(len(score.tracks)))
    last = max((_last_tick(track) for track in score.tracks), default=0)
    if last >= MAX_TICK:  # symusic ends a chunk one tick behind its last event
        raise ScoreError(f"tick {last} is outside 0 to {MAX_TICK - 1}; lower tpq or split it")


def _texts_of(track: Track) -> Iterator[str]:
    yield track.name
    for _, text in track.lyrics:
        yield text


def _unicode(text: str) -> str:
    """Return a text that UTF-8 can hold, or refuse it."""
    if not text.isascii():
        encode_text(text)
    return text


def _to_latin1(text: str) -> str:
    """Return a text's bytes as characters, in which symusic keeps them all."""
    return encode_text(text).decode("latin-1")
