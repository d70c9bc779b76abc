"""MusicXML files read as scores, as they sound.

References
----------
MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/: ``transpose`` (chromatic, diatonic and octaves
from written to sounding pitch), ``midi-unpitched`` (counts from 1), ``sound`` (tempo in quarters a
minute), ``cue`` (a silent note), ``measure`` (begins in all parts together).
"""

from __future__ import annotations

import dataclasses
import os
import zipfile
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from composer.errors import ScoreError
from composer.interop.musicxml_symbols import (
    SEMITONES,
    Shift,
    Tempo,
    chord_of,
    key_of,
    tempo_of,
    tonic_of,
)
from composer.interop.mxl import content_of
from composer.interop.percussion import drum_of_position, is_drum_name
from composer.interop.written import WrittenNote, WrittenPart, score_of
from composer.score.score import Score

_UNTITLED = "Music21 Fragment"  # what music21 writes where there is no title
#: Velocity of a note that nothing is said of, and of MusicXML's ``dynamics`` of 100 percent.
DEFAULT_VELOCITY = 90


def read_musicxml(path: str | os.PathLike[str]) -> Score:
    """Return a MusicXML file as a score, with its chord symbols; repeats are not played out.

    Parameters
    ----------
    path
        A file that ends in ``.musicxml``, ``.mxl`` or ``.xml``.

    Raises
    ------
    ScoreError
        The file is not there, or is not MusicXML.
    """
    return score_of(read_parts(path), 480)


def read_parts(path: str | os.PathLike[str]) -> list[WrittenPart]:
    """Return the parts of a MusicXML file, as ``read_musicxml`` makes a score of.

    Raises
    ------
    ScoreError
        The file is not there, or is not MusicXML.
    """
    try:
        path = Path(path)
        is_file = path.is_file()
    except (TypeError, ValueError, OSError) as error:
        raise ScoreError(f"{path!r} is not a path; for example 'song.musicxml'") from error
    if not is_file:
        raise ScoreError(f"{path} does not exist; check the path")
    try:
        root = ElementTree.fromstring(content_of(path))
        if root.tag not in ("score-partwise", "score-timewise"):
            raise ScoreError(f"its root is <{root.tag}>, not <score-partwise>")
        return _read_root(root)
    except (
        ScoreError,
        OSError,
        LookupError,
        ValueError,
        ArithmeticError,
        NotImplementedError,
        ElementTree.ParseError,
        zipfile.BadZipFile,
    ) as error:
        raise ScoreError(f"{path} cannot be read as MusicXML: {error}") from error


def _read_root(root: Element) -> list[WrittenPart]:
    declared = {part.get("id", ""): part for part in root.iter("score-part")}
    measures: dict[str, list[Element]] = {}
    if root.tag == "score-partwise":
        for part in root.findall("part"):
            measures.setdefault(part.get("id", ""), []).extend(part.findall("measure"))
    else:
        for measure in root.findall("measure"):
            for part in measure.findall("part"):
                measures.setdefault(part.get("id", ""), []).append(part)

    def make() -> list[_Reader]:
        return [_Reader(declared.get(name), found) for name, found in measures.items()]

    readers = make()
    counts = {len(reader.elements) for reader in readers}
    free = len(counts) > 1 or any(
        e.get("non-controlling") == "yes" for reader in readers for e in reader.elements
    )
    if free or not _read_together(readers):  # parts in meters of their own: each goes its own way
        readers = make()
        for reader in readers:
            reader.read_all()
    bpm = 120.0
    # Of tempos at one place the first part's holds, and its last.
    marks = {at: tempo for reader in reversed(readers) for at, tempo in reader.tempos}
    tempos = []
    for at, tempo in sorted(marks.items()):
        bpm = tempo.value * bpm if tempo.is_ratio else tempo.value
        tempos.append((at, bpm))
    if readers:
        readers[0].part.tempos = tempos
        title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
        if title != _UNTITLED:
            readers[0].part.title = " ".join(title.split())
    return [reader.finished() for reader in readers]


def _read_together(readers: list[_Reader]) -> bool:
    """Read measure by measure: the longest part says how long each is.

    Returns whether this is so; not where two parts fill measures of different meters.
    """
    start = Fraction(0)
    for number in range(max((len(reader.elements) for reader in readers), default=0)):
        lengths = [reader.read_measure(number, start) for reader in readers]
        filled = {
            length for length, reader in zip(lengths, readers, strict=True) if length == reader.full
        }
        if len(filled) > 1:
            return False
        length = max(lengths) or max(reader.full for reader in readers)
        for reader in readers:
            reader.part.measures.append((start, length))
        start += length
    return True


@dataclasses.dataclass
class _Instrument:
    """What a part list says of an instrument."""

    name: str = ""
    program: int | None = None
    channel: int | None = None
    unpitched: int | None = None


class _Reader:
    """Reads one part, measure by measure."""

    def __init__(self, declared: Element | None, elements: list[Element]) -> None:
        self.elements = elements
        self.part = WrittenPart()
        self.tempos: list[tuple[Fraction, Tempo]] = []
        self.instruments: dict[str, _Instrument] = {}
        self.used: list[str] = []
        self.divisions = Fraction(1)
        self.full = Fraction(4)
        self.fifths, self.mode = 0, "major"
        self.shifts: dict[str, Shift] = {}
        self.percussion = False
        self.velocity = DEFAULT_VELOCITY
        self.verses: list[tuple[str, Fraction, str]] = []
        self.at = self.before = self.reached = self.start = Fraction(0)
        if declared is not None:
            self.part.name = (declared.findtext("part-name") or "").strip()
            for element in declared.findall("score-instrument"):
                name = (element.findtext("instrument-name") or "").strip()
                self.instruments[element.get("id", "")] = _Instrument(name)
            for element in declared.findall("midi-instrument"):
                self._midi(element)

    def _midi(self, element: Element) -> None:
        one = self.instruments.setdefault(element.get("id", ""), _Instrument())
        program = _number(element, "midi-program")
        channel = _number(element, "midi-channel")
        unpitched = _number(element, "midi-unpitched")
        one.program = one.program if program is None else min(max(program - 1, 0), 127)
        one.channel = one.channel if channel is None else channel
        one.unpitched = one.unpitched if unpitched is None else min(max(unpitched - 1, 0), 127)

    def read_all(self) -> None:
        """Read the whole part, each measure behind the one before."""
        start = Fraction(0)
        for number in range(len(self.elements)):
            length = self.read_measure(number, start) or self.full
            self.part.measures.append((start, length))
            start += length

    def read_measure(self, number: int, start: Fraction) -> Fraction:
        """Read a measure, and return how far it reaches in quarters."""
        self.start = self.at = self.before = self.reached = start
        for element in self.elements[number]:
            if element.tag == "note":
                self._note(element)
            elif element.tag in ("backup", "forward"):
                step = self._duration(element)
                self.at = max(self.at + (step if element.tag == "forward" else -step), start)
                self.reached = max(self.reached, self.at)
            elif element.tag == "attributes":
                self._attributes(element)
            elif element.tag in ("direction", "sound"):
                self._direction(element)
            elif element.tag == "harmony":
                self._harmony(element)
        return self.reached - start

    def _duration(self, element: Element) -> Fraction:
        return _exact(element.findtext("duration") or "0") / self.divisions

    def _attributes(self, element: Element) -> None:
        divisions = element.findtext("divisions")
        if divisions:
            self.divisions = _exact(divisions)
            if self.divisions <= 0:
                raise ScoreError(f"divisions {divisions} are not above 0")
        for transpose in element.findall("transpose"):
            shift = Shift.of(transpose)
            if transpose.get("number") is None:
                self.shifts = {}
            self.shifts[transpose.get("number", "")] = shift
        for clef in element.findall("clef"):
            self.percussion = (clef.findtext("sign") or "").lower() == "percussion"
        key = element.find("key")
        if key is not None:
            found = key_of(key, self._shift(key.get("number") or "1"))
            if found is not None:
                self.fifths, self.mode = found
                minor = int(self.mode in ("minor", "aeolian"))
                self.part.keys.append((self.at, self.fifths, minor))
        time = element.find("time")
        if time is not None and time.find("beats") is not None:
            numerator, denominator = _meter(time)
            self.full = Fraction(4 * numerator, denominator)
            self.part.meters.append((self.at, numerator, denominator))

    def _shift(self, staff: str) -> Shift:
        return self.shifts.get(staff) or self.shifts.get("") or Shift()

    def _offset(self, element: Element) -> Fraction:
        return _exact(element.findtext("offset") or "0") / self.divisions

    def _direction(self, element: Element) -> None:
        # The offset of a direction moves its print, and its sound where it says so.
        moved = element.tag == "sound" or element.find("offset[@sound='yes']") is not None
        at = max(self.at + (self._offset(element) if moved else 0), Fraction(0))
        sound = element if element.tag == "sound" else element.find("sound")
        if sound is not None and element.tag == "direction":
            at = max(at + self._offset(sound), Fraction(0))
        tempo = tempo_of(element, sound)
        if tempo is not None:
            self.tempos.append((at, tempo))
        if sound is not None and sound.get("dynamics"):
            self.velocity = _velocity(sound.get("dynamics", ""))
        for change in () if sound is None else sound.findall("midi-instrument"):
            self._midi(change)

    def _harmony(self, element: Element) -> None:
        shift = self._shift(element.findtext("staff") or "1")
        tonic = tonic_of(self.fifths, self.mode)
        text = chord_of(element, shift, tonic, self.mode)
        if text is not None:
            self.part.chords.append((max(self.at + self._offset(element), Fraction(0)), text))

    def _note(self, element: Element) -> None:
        if element.find("grace") is not None:
            return
        length = self._duration(element)
        is_chord = element.find("chord") is not None
        onset = self.before if is_chord else self.at
        if not is_chord:
            self.before, self.at = self.at, self.at + length
            self.reached = max(self.reached, self.at)
        if element.find("cue") is not None or element.find("rest") is not None or length <= 0:
            return
        instrument = element.find("instrument")
        name = instrument.get("id", "") if instrument is not None else ""
        if not name and len(self.instruments) == 1:
            name = next(iter(self.instruments))
        pitch, is_drum = self._pitch(element, self.instruments.get(name, _Instrument()))
        if not 0 <= pitch <= 127:
            return
        if name not in self.used:
            self.used.append(name)
        ties = {tie.get("type") for tie in element.findall("tie")}
        ties = ties or {tied.get("type") for tied in element.findall("notations/tied")}
        dynamics = element.get("dynamics")
        self.part.notes.append(
            WrittenNote(
                onset,
                onset + length,
                pitch,
                self.velocity if dynamics is None else _velocity(dynamics),
                element.findtext("voice") or "",
                tie_start="start" in ties,
                tie_stop="stop" in ties,
                is_drum=is_drum,
            )
        )
        for lyric in element.findall("lyric"):
            text = "".join((e.text or "") for e in lyric if e.tag in ("text", "elision")).strip()
            if text:
                self.verses.append((lyric.get("number") or "1", onset, text))

    def _pitch(self, element: Element, one: _Instrument) -> tuple[int, bool]:
        """Return how a note sounds, and whether it is a drum."""
        pitched, unpitched = element.find("pitch"), element.find("unpitched")
        is_drum = unpitched is not None or one.channel == 10 or one.unpitched is not None
        is_drum = is_drum or self.percussion or is_drum_name(self.part.name)
        if is_drum and one.unpitched is not None:
            return one.unpitched, True
        if pitched is None:
            step = element.findtext("unpitched/display-step") or ""
            octave = int(element.findtext("unpitched/display-octave") or 4)
            head = element.findtext("notehead") or ""
            return drum_of_position(one.name or self.part.name, step, octave, head), True
        step, octave = pitched.findtext("step") or "", int(pitched.findtext("octave") or 4)
        alter = _exact(pitched.findtext("alter") or "0")
        if is_drum and one.channel is None and self.percussion:
            head = element.findtext("notehead") or ""
            return drum_of_position(one.name or self.part.name, step, octave, head), True
        number = 12 * (octave + 1) + SEMITONES[step.strip().upper()] + round(alter)
        if not is_drum:
            number += self._shift(element.findtext("staff") or "1").semitones
        return number, is_drum

    def finished(self) -> WrittenPart:
        """Return the part with its program, its kind and the first of its verses."""
        known = [self.instruments[name] for name in self.used if name in self.instruments]
        known = known or list(self.instruments.values())
        programs = [one.program for one in known if one.program is not None]
        self.part.program = programs[0] if programs else 0
        notes = self.part.notes
        self.part.is_drum = bool(notes) and all(note.is_drum for note in notes)
        if not notes:
            self.part.is_drum = any(one.channel == 10 for one in known)
        order = sorted({verse for verse, _, _ in self.verses}, key=lambda v: (len(v), v))
        self.part.lyrics = sorted(
            ((at, text) for verse, at, text in self.verses if verse == order[0]),
            key=lambda row: row[0],
        )
        return self.part


def _number(element: Element, name: str) -> int | None:
    text = element.findtext(name)
    return int(text) if text and text.strip().isdigit() else None


def _exact(text: str) -> Fraction:
    """Return a number as a fraction; one of many digits or with an exponent is not written here."""
    text = text.strip()
    if len(text) > 24 or "e" in text.lower():
        raise ScoreError(f"{text[:24]} is not a number that notation has, for example 3 or 0.5")
    return Fraction(text)


def _velocity(percent: str) -> int:
    return min(max(round(DEFAULT_VELOCITY * float(percent) / 100), 1), 127)


def _meter(time: Element) -> tuple[int, int]:
    """Return a signature of a ``time`` element; sums such as 3+2 over 8 or 2/4 + 3/8 added up."""
    beats = [sum(int(n) for n in (e.text or "").split("+")) for e in time.findall("beats")]
    units = [int(e.text or "") for e in time.findall("beat-type")]
    denominator = max(units)
    numerator = sum(Fraction(n * denominator, d) for n, d in zip(beats, units, strict=True))
    if numerator <= 0 or Fraction(numerator).denominator != 1 or denominator & (denominator - 1):
        raise ScoreError(f"meter {beats}/{units} is not a meter of whole beats")
    return int(numerator), denominator
