"""A second reader of MusicXML, to hold ours against: plain lists, nothing shared with composer.

It reads a document in two steps: every measure becomes a list of (position, element) pairs, then
each kind of thing is looked up in these. Times are quarters.
"""

import io
import zipfile
from collections import defaultdict
from fractions import Fraction as F
from pathlib import Path
from xml.etree import ElementTree

STEP = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def load(path):
    raw = Path(path).read_bytes()
    if raw[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(raw))
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        (inner, *_) = [e.get("full-path") for e in container.iter() if e.tag.endswith("rootfile")]
        raw = archive.read(inner)
    return ElementTree.fromstring(raw)


def place(measure, divisions):
    """Return (position, length, element) of each child of a measure, and the divisions after."""
    placed, at, last = [], F(0), F(0)
    for child in measure:
        here, length = at, F(0)
        if child.tag == "attributes" and child.findtext("divisions"):
            divisions = F(child.findtext("divisions"))
        if child.tag in ("note", "backup", "forward"):
            length = F(child.findtext("duration") or 0) / divisions
        if child.tag == "backup":
            at -= length
        elif child.tag == "forward":
            at += length
        elif child.tag == "note" and child.find("grace") is None:
            if child.find("chord") is not None:
                here = last
            else:
                last, at = at, at + length
        placed.append((here, length, child, at))
    return placed, divisions


def read(path):
    """Return the parts: dicts of notes, lyrics, keys, chord roots and places of bar lines."""
    root = load(path)
    names = {p.get("id"): (p.findtext("part-name") or "").strip() for p in root.iter("score-part")}
    drums = {}
    for midi in root.iter("midi-instrument"):
        if midi.findtext("midi-unpitched"):
            drums[midi.get("id")] = int(midi.findtext("midi-unpitched")) - 1
    parts = [(p.get("id"), p.findall("measure")) for p in root.findall("part")]
    table = []
    for _, measures in parts:
        divisions, rows = F(1), []
        for measure in measures:
            placed, divisions = place(measure, divisions)
            rows.append(placed)
        table.append(rows)
    starts = bar_lines(table)
    tempos = {}
    read_parts = []
    for (name, _), rows in zip(parts, table, strict=True):
        part = one_part(rows, starts, drums, tempos)
        part["name"] = names.get(name, "")
        read_parts.append(part)
    return {"parts": read_parts, "starts": starts, "tempos": sorted(tempos.items())}


def bar_lines(table):
    full, starts, at = F(4), [], F(0)
    for number in range(max(map(len, table))):
        rows = [part[number] for part in table if number < len(part)]
        for time in [t for row in rows for _, _, e, _ in row for t in e.findall("time")]:
            if time.find("beats") is not None and "+" not in time.findtext("beats"):
                full = F(4 * int(time.findtext("beats")), int(time.findtext("beat-type")))
        starts.append(at)
        at += max((after for row in rows for *_, after in row), default=F(0)) or full
    return [*starts, at]


def one_part(rows, starts, drums, tempos):
    part = {"lyrics": [], "keys": [], "roots": []}
    shift, fifths, pieces, own = 0, 0, [], {}
    for start, placed in zip(starts, rows, strict=False):
        for here, length, element, _ in placed:
            at = start + here
            if element.tag == "attributes":
                for move in element.findall("transpose"):
                    octaves = 12 * int(move.findtext("octave-change") or 0)
                    chromatic = int(move.findtext("chromatic") or 0)
                    shift = octaves + chromatic
                    fifths = 7 * chromatic - 12 * int(move.findtext("diatonic") or 0)
                for key in element.findall("key/fifths")[:1]:
                    part["keys"].append((at, int(key.text) + fifths))
            for sound in [element] if element.tag == "sound" else element.findall("sound"):
                if sound.get("tempo") and float(sound.get("tempo")) > 0:
                    own[at] = float(sound.get("tempo"))
            if element.tag == "harmony" and element.findtext("kind") != "none":
                for harmony in element.findall("root")[:1]:
                    alter = int(harmony.findtext("root-alter") or 0)
                    pitch = STEP[harmony.findtext("root-step")] + alter + shift
                    offset = element.findtext("offset")
                    part["roots"].append((None if offset else at, pitch % 12))
            silent = [element.find(tag) for tag in ("rest", "cue", "grace")]
            if element.tag == "note" and length and silent == [None] * 3:
                pieces.append((at, at + length, sounding(element, shift, drums), ties(element)))
                for lyric in element.findall("lyric"):
                    text = "".join(e.text or "" for e in lyric if e.tag in ("text", "elision"))
                    if text.strip():
                        part["lyrics"].append((lyric.get("number", "1"), at, text.strip()))
    part["notes"] = joined(pieces)
    tempos.update({at: tempo for at, tempo in own.items() if at not in tempos})
    first = min((row[0] for row in part["lyrics"]), key=lambda n: (len(n), n), default="")
    part["lyrics"] = [row[1:] for row in part["lyrics"] if row[0] == first]
    return part


def sounding(note, shift, drums):
    pitch, instrument = note.find("pitch"), note.find("instrument")
    drum = None if instrument is None else drums.get(instrument.get("id"))
    if drum is not None:
        return drum
    if pitch is None:
        return None
    alter = round(float(pitch.findtext("alter") or 0))
    return 12 * int(pitch.findtext("octave")) + 12 + STEP[pitch.findtext("step")] + alter + shift


def ties(note):
    said = [tie.get("type") for tie in note.findall("tie")]
    return said or [tied.get("type") for tied in note.findall("notations/tied")]


def joined(pieces):
    """Join tied pieces by pitch, whatever their voice, from the last to the first."""
    after = defaultdict(list)
    notes = []
    for start, end, pitch, tie in sorted(pieces, key=lambda p: p[0], reverse=True):
        if "start" in tie and after[pitch, end]:
            end = after[pitch, end].pop()
        if "stop" in tie:
            after[pitch, start].append(end)
        notes.append((start, end, pitch, "stop" in tie))
    left = {key: list(ends) for key, ends in after.items()}
    whole = []
    for start, end, pitch, stops in notes:
        if stops and end not in left.get((pitch, start), []):
            continue
        if stops:
            left[pitch, start].remove(end)
        whole.append((start, end, pitch))
    return whole
