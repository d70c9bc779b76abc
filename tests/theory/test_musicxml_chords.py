"""Chord symbols go to MusicXML and back as they were written."""

import pytest

from composer import Score
from composer.interop import from_music21, read_musicxml, to_music21
from composer.theory.chord_names import WAYS, suffix_tones
from composer.theory.chords import parse_chord, split_symbol
from composer.theory.musicxml_chords import chord_text, music21_chord

FILE = """<?xml version="1.0"?><score-partwise version="3.1"><part-list><score-part id="P1">
<part-name>Lead</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes>
<divisions>1</divisions><key><fifths>0</fifths></key><time><beats>4</beats><beat-type>4</beat-type>
</time></attributes>{}</measure></part></score-partwise>"""
NOTE = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"


def harmony(root, kind, text=None, bass=None, degrees=()):
    """Return a harmony element; root and bass are (step, alter), degrees (value, alter, type)."""
    shown = "" if text is None else f' text="{text}"'
    low = (
        bass and f"<bass><bass-step>{bass[0]}</bass-step><bass-alter>{bass[1]}</bass-alter></bass>"
    )
    changes = "".join(
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{change}</degree-type></degree>"
        for value, alter, change in degrees
    )
    return (
        f"<harmony><root><root-step>{root[0]}</root-step><root-alter>{root[1]}</root-alter></root>"
        f"<kind{shown}>{kind}</kind>{low or ''}{changes}</harmony>{NOTE}"
    )


C = ("C", 0)
ELEMENTS = {
    harmony(("B", -1), "major-seventh"): "Bbmaj7",
    harmony(C, "dominant", "7", degrees=[(9, -1, "add")]): "C7(b9)",
    harmony(C, "dominant", bass=("E", 0), degrees=[(5, 1, "alter")]): "C7(#5)/E",
    harmony(C, "dominant-ninth", "9"): "C9",
    harmony(C, "none", "N.C."): "N.C.",
    harmony(C, "suspended-fourth", "sus"): "Csus",
    harmony(C, "suspended-fourth", degrees=[(7, -1, "add")]): "C7sus4",
    harmony(C, "major", degrees=[(9, 0, "add")]): "C(add9)",
    harmony(C, "half-diminished", "ø"): "Cø",
    harmony(C, "major", "m7"): "C",
    harmony(("F", 1), "minor-sixth"): "F#m6",
    harmony(C, "major", degrees=[(3, 0, "subtract")]): "C(no3)",
    harmony(C, "other", "foo"): "Cfoo",
    harmony(C, "major-minor"): "CmMaj7",
    harmony(("E", -1), "minor-seventh", "-7", bass=("D", -1)): "Eb-7/Db",
}


def test_harmony_elements_of_a_file_are_read(tmp_path):
    path = tmp_path / "lead.musicxml"
    path.write_text(FILE.format("".join(ELEMENTS)), encoding="utf-8")
    score = read_musicxml(path)
    assert [text for _, text in score.chords] == list(ELEMENTS.values())
    assert [tick for tick, _ in score.chords] == [480 * i for i in range(len(ELEMENTS))]


@pytest.mark.parametrize("suffix", WAYS)
def test_every_symbol_comes_back_from_music21(suffix):
    for way in (suffix, *WAYS[suffix]):
        for text in (f"C{way}", f"Bb{way}/D"):
            assert chord_text(music21_chord(text)) == text


@pytest.mark.parametrize("suffix", [s for s in WAYS if suffix_tones(s)])
def test_kinds_and_degrees_alone_ask_for_the_same_tones(suffix):
    symbol = music21_chord(f"C{suffix}")
    symbol.chordKindStr = ""
    assert suffix_tones(split_symbol(chord_text(symbol))[1]) == suffix_tones(suffix)


def test_symbols_come_back_from_a_file(tmp_path):
    texts = ["C13(b9)", "F#m7b5/C", "Db7alt", "N.C.", "Bb6/9", "Cbmaj7", "E7#9", "A9sus4/E"]
    score = Score(chords=[(480 * i, text) for i, text in enumerate(texts)])
    path = to_music21(score).write("musicxml", tmp_path / "lead.musicxml")
    assert read_musicxml(path).chords == score.chords
    assert from_music21(to_music21(score)).chords == score.chords
    written = path.read_text()
    assert written.count("<harmony") == len(texts)
    assert '<kind text="13(b9)">dominant-13th</kind>' in written


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match="does not exist; check the path"):
        read_musicxml(tmp_path / "nowhere.musicxml")
    (tmp_path / "broken.musicxml").write_text("<score-partwise><part>")
    with pytest.raises(ValueError, match="cannot be read as MusicXML"):
        read_musicxml(tmp_path / "broken.musicxml")
    assert parse_chord("C") is not None
