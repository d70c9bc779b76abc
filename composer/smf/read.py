"""The bytes of a Standard MIDI File: checked, repaired, counted, and read into a score.

``read_score`` refuses what nobody can read right, repairs what can be, counts what no score can
keep, and puts the rest into tracks.

Conventions
-----------
Repaired, and said in ``Reading.repairs``:

- What stands around the file: a RIFF wrapper, up to 256 bytes before the header, a header of more
  than 6 bytes, fewer tracks than the header counts, bytes after the last track, be they another
  file. A format above 2 is read as format 1.
- Tracks beyond those that the header counts are skipped, as by all readers; where it counts none,
  all are read.
- SMPTE time: a quarter is half a second, or one second where ticks a second are odd (25 frames of
  an odd number of ticks), and 1.001 times that for NTSC's 29.97 frames. All seconds are exact;
  tempo events, which mean nothing there, are left out. Other rates than the standard's four are
  taken at their word.
- Format 2: the patterns stand side by side and keep their ticks, as ``symusic``, ``mido`` and what
  builds on it have them; no reader can know in what order they were meant to be played.
- Running status goes on across meta and system exclusive events: the standard ends it there, but
  many writers do not, and a data byte in that place has no other meaning.
- A number of more than 4 bytes, the most that the standard allows, is read to its end.
- A data byte over 127 counts as 127, as ``mido`` has it with ``clip=True``.
- A track ends without an end event where its chunk ends; what stands behind its end event is
  skipped.
- Controllers 120 and 123 to 127 end the notes of their channel and chunk, as the standard has it.
- A track on another channel than the tenth is a drum kit where it chooses a bank of kits, or where
  its chunk is called like a kit or a piece of one and nothing speaks against it: see
  ``composer.smf.kits``.
- The words of karaoke files are lyrics: see ``composer.smf.karaoke``.
- A note without an end sounds until the end of the piece, which is the latest event of all tracks,
  end events included; in format 2 until the end of its pattern. An end without a note is nothing.

A channel is one in all tracks, as the standard has it: a track that sets no program on a channel
has the one that other tracks have set there up to its first note (not in format 2). Each port has
sixteen channels of its own, the tenth of them drums, and a track is on the port that its first port
event names, or on port 0; it keeps its program there, and the port is left out.

A sustain pedal that is not let go is down until the last note of its track ends; its controllers
stay as they are.

Left out, and said in ``Reading.dropped``: impossible tempos, time and key signatures, chunks of
unknown kind, and every event that a score has no place for.

Refused: what is cut short, lengths that cannot be, statuses that no file may hold, and ticks above
``MAX_TICK``.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from composer.errors import MidiError
from composer.score.events import KEY_SIGNATURE, MAX_TICK, PEDAL, TIME_SIGNATURE, Events, Text
from composer.score.events import TEMPO as TEMPO_ROW
from composer.score.score import Score, Track
from composer.smf.chord_texts import chords_among
from composer.smf.chunks import MAX_TRACKS, Layout, find_tracks
from composer.smf.karaoke import lyrics_among
from composer.smf.kits import is_kit, turns_to_xg
from composer.smf.text import decode_text
from composer.smf.walk import (
    BAD_STATUS,
    BEHIND_END,
    BENDS,
    CHANNEL,
    CHUNK,
    CONTROLS,
    CUT,
    FIRST,
    HIGH_BYTE,
    KEY,
    KIND,
    KINDS,
    LONG,
    LONG_NUMBER,
    LOST_NAME,
    LYRIC,
    MARKER,
    METER,
    NAME,
    NO_END,
    NO_STATUS,
    NOTES,
    OWNER,
    POLY,
    PORT,
    PORT_SET,
    PRESSURE,
    PROGRAM,
    PROGRAM_SET,
    RESUMED,
    SECOND,
    SYSEX,
    SYSTEM,
    TEMPO,
    TEXT,
    TICK,
    TOO_LATE,
    UNENDED,
    UNSET,
    Ints,
    Walked,
    walk_tracks,
)

CHORD_PREFIX = "chord:"
NO_PEDALS = Track().pedals
DRUMS = 9  # their channel, counted from 0
SUSTAIN = 64  # controller number

# What no score can keep.
_DROPPED = {
    SYSEX: "system exclusive",
    SYSTEM: "system common or real-time message",
    POLY: "polyphonic aftertouch",
    PRESSURE: "channel aftertouch",
    LOST_NAME: "name of a track without events",
    TEMPO: "impossible tempo",
    METER: "impossible time signature",
    KEY: "impossible key signature",
    0x00: "sequence number",
    TEXT: "text",
    0x02: "copyright notice",
    0x04: "instrument name",
    0x07: "cue point",
    0x08: "program name",
    0x09: "device name",
    0x20: "channel prefix",
    PORT: "port",
    0x54: "SMPTE offset",
    0x7F: "sequencer specific",
}
# What is read another way than it stands there.
_REPAIRED = {
    HIGH_BYTE: "data byte over 127, read as 127",
    RESUMED: "running status that goes on after a meta or system event",
    NO_END: "track without an end event",
    BEHIND_END: "byte after the end of a track, skipped",
    LONG: "number of more than 4 bytes",
    UNENDED: "note without an end, held to the end of the piece",
}


class Reading(NamedTuple):
    """What ``read_score`` makes of a file."""

    score: Score
    dropped: dict[str, int]  # kind of event -> how many no score can keep
    repairs: list[str]  # what was read another way than it stands there


def read_score(source: bytes, name: str) -> Reading:
    """Check a MIDI file and read it.

    Parameters
    ----------
    source
        The bytes of the file.
    name
        What to call it in messages.

    Raises
    ------
    MidiError
        The bytes are no MIDI file, are cut short, or contradict themselves.
    """
    layout = find_tracks(source, name)
    walked = walk_tracks(source, layout.tracks, layout.form == 2)
    _check(source, layout, walked, name)
    if len(walked.tracks) >= MAX_TRACKS:
        raise MidiError(f"{name} cannot be read: {too_many(len(walked.tracks))}")
    found = {kind: int(walked.counts[kind]) for kind in walked.counts[:KINDS].nonzero()[0].tolist()}
    dropped = {
        _DROPPED.get(kind, f"meta event {kind:#04x}"): count
        for kind, count in found.items()
        if kind not in _REPAIRED
    }
    if layout.chunks:
        dropped["chunk of unknown kind"] = layout.chunks
    repairs = [f"{count} x {_REPAIRED[kind]}" for kind, count in found.items() if kind in _REPAIRED]
    if silent := int((walked.notes["duration"] == 0).sum()):
        repairs.append(f"{silent} x note of length 0, kept; tokens make it one position long")
    tempos = _rows(walked.others, TEMPO, TEMPO_ROW)
    if layout.mspq:
        if len(tempos):
            dropped["tempo in SMPTE time"] = len(tempos)
        tempos = np.array([(0, layout.mspq)], TEMPO_ROW)
    # What Python looks at one by one has the lowest kinds.
    others = walked.others[walked.others[:, KIND] <= PORT_SET].tolist()
    markers, chords = split_markers(
        Text(row[TICK], decode_text(source[row[FIRST] : row[SECOND]]))
        for row in others
        if row[KIND] == MARKER
    )
    if not chords and layout.form != 2:
        chords = chords_among(
            (row[OWNER], Text(row[TICK], decode_text(source[row[FIRST] : row[SECOND]])))
            for row in others
            if row[KIND] == TEXT
        )
        _count_off(dropped, _DROPPED[TEXT], len(chords))
    names = {
        row[OWNER]: decode_text(source[row[FIRST] : row[SECOND]])
        for row in others
        if row[KIND] == NAME
    }
    sung = {}
    if not chords and not any(row[KIND] == LYRIC for row in others):
        sung = lyrics_among(
            (
                (row[OWNER], Text(row[TICK], decode_text(source[row[FIRST] : row[SECOND]])))
                for row in others
                if row[KIND] == TEXT
            ),
            names,
        )
        _count_off(dropped, _DROPPED[TEXT], sum(map(len, sung.values())))
    # A first chunk without events is about the whole piece, and its name the title.
    title = (
        names.get(0, "") if layout.form == 1 and not (walked.tracks[:, CHUNK] == 0).any() else ""
    )
    if title:
        _count_off(dropped, _DROPPED[LOST_NAME], _rows_of(others, NAME, 0))
    tracks, kits, words = _tracks(source, walked, others, names, sung, layout.form == 2)
    repairs += kits
    _count_off(dropped, _DROPPED[LOST_NAME], words)
    score = Score(
        tpq=layout.tpq,
        tracks=tracks,
        tempos=tempos,
        time_signatures=_rows(walked.others, METER, TIME_SIGNATURE),
        key_signatures=_rows(walked.others, KEY, KEY_SIGNATURE),
        markers=markers,
        chords=chords,
        title=title,
    )
    return Reading(score, dropped, layout.repairs + repairs)


def _rows_of(others: list[list[int]], kind: int, chunk: int) -> int:
    return sum(row[KIND] == kind and row[OWNER] == chunk for row in others)


def _count_off(dropped: dict[str, int], kind: str, kept: int) -> None:
    """Take events that were kept after all out of the counts."""
    if kept:
        dropped[kind] -= kept
        if not dropped[kind]:
            del dropped[kind]


def _check(source: bytes, layout: Layout, walked: Walked, name: str) -> None:
    """Refuse a file whose tracks cannot be walked to their ends."""
    broken = walked.chunk if walked.error else len(layout.tracks)
    for index, (start, stop) in enumerate(layout.tracks[:broken], 1):
        place = walked.places[index - 1]
        if place < stop and b"MTrk" in source[place:stop]:
            raise MidiError(
                f"{name} lies about its lengths: track {index} says {stop - start} bytes, "
                f"and ends after {place - start} with another track behind"
            )
    if walked.error:
        what = "is cut short" if walked.error == CUT else "is broken"
        place, stop = walked.places[broken], layout.tracks[broken][1]
        reason = _describe(walked.error, place, walked.value, stop - place)
        raise MidiError(f"{name} {what}: track {broken + 1} {reason}")


def too_many(tracks: int) -> str:
    """Return why so many tracks are not a file."""
    return f"{tracks} tracks are more than {MAX_TRACKS - 1}; merge some"


def _describe(error: int, place: int, value: int, left: int) -> str:
    """Return what is wrong with a track, as the end of a sentence."""
    return {
        CUT: f"needs {value} bytes at byte {place}, {left} are left",
        NO_STATUS: f"has the value {value} at byte {place}, where an event must begin",
        BAD_STATUS: f"has the status {value:#x} at byte {place}, which no file may hold",
        LONG_NUMBER: f"has a number above {MAX_TICK} at byte {place}",
        TOO_LATE: f"reaches tick {value} at byte {place}, which is outside 0 to {MAX_TICK}",
    }[error]


def _rows(others: Ints, kind: int, dtype: np.dtype[Any]) -> Events:
    """Return the events of one kind as a table of a tick and one or two values."""
    rows = others[others[:, KIND] == kind]
    table = np.empty(len(rows), dtype)
    if len(rows):
        for name, column in zip(dtype.names or (), (TICK, FIRST, SECOND), strict=False):
            table[name] = rows[:, column]
    return table


def _tracks(
    source: bytes,
    walked: Walked,
    others: list[list[int]],
    names: dict[int, str],
    sung: dict[int, list[Text]],
    apart: bool,
) -> tuple[tuple[Track, ...], list[str], int]:
    """Return the tracks by chunk, channel and program, each with its channel's program.

    Behind them come those that were found to be kits, in words, and the number of tracks that were
    made for the words of a chunk without events.
    """
    lyrics = dict(sung)
    ports: dict[int, int] = {}
    for row in others:
        if row[KIND] == PORT_SET:
            ports.setdefault(row[OWNER], row[FIRST])
    programs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in others:
        if row[KIND] == LYRIC:
            text = Text(row[TICK], decode_text(source[row[FIRST] : row[SECOND]]))
            lyrics.setdefault(row[OWNER], []).append(text)
        elif row[KIND] == PROGRAM_SET and not apart:
            on_port = ports.get(row[OWNER], 0), row[FIRST]
            programs.setdefault(on_port, []).append((row[TICK], row[SECOND]))
    for on_channel in programs.values():
        on_channel.sort(key=itemgetter(0))
    # What the walk finds is valid, and in order but for many notes at one tick.
    make = Track.trusted if walked.in_order else Track
    tracks: list[tuple[int, Track]] = []
    kits: list[str] = []
    is_xg = turns_to_xg(source)
    rows = sorted(walked.tracks.tolist())
    for index, row in enumerate(rows):
        chunk, channel, program = row[CHUNK], row[CHANNEL], row[PROGRAM]
        if row[UNSET] >= 0:
            set_there = programs.get((ports.get(chunk, 0), channel), [])
            before = bisect_right(set_there, row[UNSET], key=itemgetter(0))
            program = set_there[before - 1][1] if before else program
        controls = walked.controls[row[CONTROLS] : row[CONTROLS + 1]]
        notes = walked.notes[row[NOTES] : row[NOTES + 1]]
        is_last = index + 1 == len(rows) or rows[index + 1][CHUNK] != chunk
        name, is_drum = names.get(chunk, ""), channel == DRUMS
        if not is_drum and is_kit(name, program, notes, controls, is_xg=is_xg):
            is_drum = True
            kits.append(f"track {name!r} on channel {channel + 1}, read as a drum kit")
        track = make(
            name=name,
            program=program,
            is_drum=is_drum,
            notes=notes,
            controls=controls,
            pitch_bends=walked.pitch_bends[row[BENDS] : row[BENDS + 1]],
            pedals=pedals_of(controls, notes),
            lyrics=tuple(lyrics.get(chunk, ())) if is_last else (),
        )
        tracks.append((chunk, track))
    alone = sung.keys() - {chunk for chunk, _ in tracks}
    tracks += [(chunk, Track(names.get(chunk, ""), lyrics=tuple(sung[chunk]))) for chunk in alone]
    tracks.sort(key=itemgetter(0))
    return tuple(track for _, track in tracks), kits, sum(chunk in names for chunk in alone)


def split_markers(markers: Iterable[Text]) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    """Return the markers that are not chords, and the chords."""
    others, chords = [], []
    for marker in markers:
        if marker.text.startswith(CHORD_PREFIX):
            chords.append(Text(marker.tick, marker.text[len(CHORD_PREFIX) :]))
        elif marker.text:
            others.append(marker)
    return tuple(others), tuple(chords)


def pedals_of(controls: Events, notes: Events) -> Events:
    """Return when the sustain pedal is down, dtype ``PEDAL``, by what its controller says.

    A pedal that is not let go is down until the last of the notes ends, if it holds any.

    >>> from composer.score.score import CONTROL, NOTE
    >>> rows = [(0, 64, 127), (9, 1, 5), (480, 64, 0), (500, 64, 127)]
    >>> notes = np.array([(490, 30, 60, 90)], NOTE)
    >>> pedals_of(np.array(rows, CONTROL), notes).tolist()
    [(0, 480), (500, 20)]
    """
    sustain = controls[controls["number"] == SUSTAIN]
    if not len(sustain):
        return NO_PEDALS
    sustain = sustain[np.argsort(sustain["tick"], kind="stable")]
    down = sustain["value"] >= 64
    turns = np.flatnonzero(down != np.concatenate([[False], down[:-1]]))
    starts, ends = sustain["tick"][turns[0::2]], sustain["tick"][turns[1::2]]
    if len(ends) < len(starts):
        last = (notes["onset"] + notes["duration"]).max(initial=0)
        ends = np.append(ends, last) if last > starts[-1] else ends
    pedals = np.empty(len(ends), PEDAL)
    pedals["tick"] = starts[: len(ends)]
    pedals["duration"] = ends - pedals["tick"]
    pedals.flags.writeable = False
    return pedals
