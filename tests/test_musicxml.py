"""MusicXML is read as it sounds, held against a second reader on real files, and written back."""

import random
import warnings
from pathlib import Path

import music21
import pytest

from composer import ComposerWarning, MidiError, Score, ScoreError, Track, interop
from composer.interop import read_musicxml, to_music21
from tests.musicxml_reader import read as read_again

CORPUS = Path(music21.__file__).parent / "corpus"
HEAD = '<score-partwise version="4.0"><part-list>{}</part-list>{}</score-partwise>'
ATTRIBUTES = (
    "<attributes><divisions>4</divisions>{key}<time><beats>4</beats><beat-type>4</beat-type>"
    "</time>{more}</attributes>"
)


def corpus_files(seed, count):
    """Return files of music21's corpus, of as many collections as can be."""
    folders = {}
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix in (".mxl", ".xml", ".musicxml") and path.stat().st_size < 40_000:
            folders.setdefault(path.parent.name, []).append(path)
    drawn = random.Random(seed)
    rounds = [drawn.sample(paths, min(len(paths), 6)) for paths in folders.values()]
    mixed = [paths[i] for i in range(6) for paths in rounds if i < len(paths)]
    return mixed[:count]


def note(pitch="C4", length=4, more="", inside=""):
    step, alter, octave = pitch[0], pitch.count("#") - pitch.count("b"), pitch[-1]
    return (
        f"<note>{inside}<pitch><step>{step}</step><alter>{alter}</alter>"
        f"<octave>{octave}</octave></pitch><duration>{length}</duration>{more}</note>"
    )


def attributes(more="", fifths=0, mode="major"):
    key = f"<key><fifths>{fifths}</fifths><mode>{mode}</mode></key>"
    return ATTRIBUTES.format(key=key, more=more)


@pytest.fixture
def read(tmp_path):
    """Read parts, each a list of measures."""

    def of(*parts, declared=""):
        heads, bodies = [], []
        for number, measures in enumerate(parts):
            heads.append(f'<score-part id="P{number}"><part-name/>{declared}</score-part>')
            rows = "".join(f'<measure number="{n}">{m}</measure>' for n, m in enumerate(measures))
            bodies.append(f'<part id="P{number}">{rows}</part>')
        path = tmp_path / "x.musicxml"
        path.write_text(HEAD.format("".join(heads), "".join(bodies)), encoding="utf-8")
        return read_musicxml(path)

    return of


def assert_read_alike(path):
    wanted, got = read_again(path), read_musicxml(path)
    notes = {
        (round(on * 480), round(off * 480), pitch)
        for part in wanted["parts"]
        for on, off, pitch in part["notes"]
        if pitch is not None
    }
    assert sounding(got) == notes
    lines = [round(start * 480) for start in wanted["starts"][:-1]]
    assert [int(got.meter.bar_start(bar)) for bar in range(len(lines))] == lines
    tempos = {tick: round(60e6 / mspq, 1) for tick, mspq in got.tempos.tolist()}
    for at, bpm in wanted["tempos"]:
        assert tempos[round(at * 480)] == pytest.approx(bpm, abs=0.1)
    lyrics = [len(set(part["lyrics"])) for part in wanted["parts"]]
    assert sum(len(set(track.lyrics)) for track in got.tracks) == sum(lyrics)
    roots = {round(at * 480) for p in wanted["parts"] for at, _ in p["roots"] if at is not None}
    assert roots <= {tick for tick, _ in got.chords}
    keys = wanted["parts"][0]["keys"]
    if keys and all(abs(fifths) <= 7 for _, fifths in keys):
        assert got.key_signatures["sharps"].tolist()[:1] == [keys[0][1]]


def sounding(score):
    rows = [row for track in score.tracks for row in track.notes.tolist()]
    return {(onset, onset + duration, pitch) for onset, duration, pitch, _ in rows}


@pytest.mark.parametrize("path", corpus_files(1, 20), ids=lambda path: path.name)
def test_real_files_are_read_as_a_second_reader_reads_them(path):
    assert_read_alike(path)


@pytest.mark.slow
def test_many_real_files_are_read_as_a_second_reader_reads_them():
    paths = corpus_files(2, 80)
    assert len(paths) >= 60
    for path in paths:
        assert_read_alike(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::music21.exceptions21.Music21DeprecationWarning")
def test_real_files_come_back_whole(tmp_path):
    for path in [p for p in corpus_files(3, 60) if p.stat().st_size < 8_000]:
        score = read_musicxml(path)
        back = read_musicxml(to_music21(score).write("musicxml", tmp_path / "x.musicxml"))
        assert sounding(back) == sounding(score)
        assert back.chords == score.chords
        kinds = [[(track.program, track.is_drum) for track in s.tracks] for s in (score, back)]
        assert kinds[0] == kinds[1]


TRANSPOSED = {  # chromatic, diatonic, octave-change: pitch of a written C4, sharps of written C
    "trumpet": ((-2, -1, None), 58, -2),
    "horn": ((-7, -4, None), 53, -1),
    "alto sax": ((-9, -5, None), 51, -3),
    "tenor sax": ((-2, -1, -1), 46, -2),
    "bass clarinet in an interval": ((-14, -8, None), 46, -2),
    "piccolo": ((0, 0, 1), 72, 0),
    "contrabass without diatonic": ((0, None, -1), 48, 0),
    "clarinet in E flat without diatonic": ((3, None, None), 63, -3),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposing_instruments_sound(read, name):
    (chromatic, diatonic, octaves), pitch, sharps = TRANSPOSED[name]
    rows = [("diatonic", diatonic), ("chromatic", chromatic), ("octave-change", octaves)]
    inside = "".join(f"<{tag}>{value}</{tag}>" for tag, value in rows if value is not None)
    chord = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
    score = read([attributes(f"<transpose>{inside}</transpose>") + chord + note(length=16)])
    assert score.tracks[0].notes["pitch"].tolist() == [pitch]
    assert score.key_signatures["sharps"].tolist() == [sharps]
    assert score.chords[0].text == {0: "C", -1: "F", -2: "Bb", -3: "Eb"}[sharps]


def test_an_instrument_changes_in_mid_piece(read):
    change = "<attributes><transpose><chromatic>-3</chromatic></transpose></attributes>"
    score = read([attributes() + note(length=16), change + note(length=16)])
    assert score.tracks[0].notes["pitch"].tolist() == [60, 57]


TEMPOS = {
    '<sound tempo="90"/>': 90,
    '<direction><direction-type><words/></direction-type><sound tempo="90"/></direction>': 90,
    "{dotted quarter}60": 90,
    "{half}45": 90,
    "{quarter}c. 90": 90,
    "{quarter}84-96": 90,
    "{eighth}180": 90,
    "<direction><direction-type><words>Lively (♩ = 90)</words></direction-type></direction>": 90,
}


@pytest.mark.parametrize("text", TEMPOS)
@pytest.mark.parametrize("part", [0, 1])
def test_tempos_are_found_wherever_they_stand(read, text, part):
    mark = text
    if text.startswith("{"):
        unit, number = text[1:].split("}")
        dot = "<beat-unit-dot/>" if "dotted" in unit else ""
        mark = (
            f"<direction><direction-type><metronome><beat-unit>{unit.split()[-1]}</beat-unit>{dot}"
            f"<per-minute>{number}</per-minute></metronome></direction-type></direction>"
        )
    parts = [[attributes() + note(length=16)] for _ in range(2)]
    parts[part] = [attributes() + mark + note(length=16)]
    tempos = read(*parts).tempos.tolist()
    assert [round(60e6 / mspq) for _, mspq in tempos] == [TEMPOS[text]]


def test_a_metric_modulation_goes_on_from_the_tempo_before(read):
    units = "<beat-unit>quarter</beat-unit><beat-unit>quarter</beat-unit><beat-unit-dot/>"
    mark = f"<direction><direction-type><metronome>{units}</metronome></direction-type></direction>"
    first = attributes() + '<sound tempo="80"/>' + note(length=16)
    tempos = read([first, mark + note(length=16)]).tempos.tolist()
    assert [round(60e6 / mspq) for _, mspq in tempos] == [80, 120]


def test_short_measures_are_bars(read):
    score = read([attributes() + note(), note(length=16), note(length=6), note(length=16)])
    assert [int(score.meter.bar_start(bar)) for bar in range(4)] == [0, 480, 2400, 3120]
    assert score.time_signatures.tolist() == [(0, 1, 4), (480, 4, 4), (2400, 3, 8), (3120, 4, 4)]


def test_parts_in_meters_of_their_own_go_their_own_way(read):
    three = attributes().replace("<beats>4", "<beats>3")
    two = attributes().replace("<beats>4", "<beats>2")
    score = read([three + note(length=12), note(length=12)], [two + note(length=8), note(length=8)])
    assert [track.notes["onset"].tolist() for track in score.tracks] == [[0, 1440], [0, 960]]


@pytest.mark.parametrize("length", ["1e99999999", "9" * 5000, "nan", "four"])
def test_numbers_that_notation_does_not_have_are_refused(read, length):
    with pytest.raises(ScoreError, match="cannot be read as MusicXML"):
        read([attributes() + note(length=length)])


@pytest.mark.parametrize(("fifths", "sharps"), [(9, -3), (-8, 4), (12, 0), (10**30, 4)])
def test_signatures_beyond_seven_are_respelled(read, fifths, sharps):
    score = read([attributes(fifths=fifths) + note(length=16)])
    assert score.key_signatures["sharps"].tolist() == [sharps]


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("1", "1"), ("5", "1")])
def test_ties_go_on_in_any_voice_of_the_part(read, first, second):
    opened = note(length=16, more=f"<voice>{first}</voice><tie type='start'/>")
    closed = note(length=8, more=f"<voice>{second}</voice><tie type='stop'/>")
    assert sounding(read([attributes() + opened, closed + note(length=8)])) == {
        (0, 2880, 60),
        (2880, 3840, 60),
    }


def test_cue_and_grace_notes_are_left_out_and_cues_take_time(read):
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>"
    score = read([attributes() + note(length=8, inside="<cue/>") + grace + note(length=8)])
    assert sounding(score) == {(960, 1920, 60)}


DRUMS = {  # place, head, name: pitch
    ("F4", "", ""): 36,
    ("C5", "", ""): 38,
    ("G5", "x", ""): 42,
    ("C5", "", "Cowbell"): 56,
}


@pytest.mark.parametrize(("place", "head", "name"), DRUMS)
def test_drums_without_midi_are_found_by_name_and_place(read, place, head, name):
    declared = (
        f'<score-instrument id="I"><instrument-name>{name}</instrument-name></score-instrument>'
    )
    drum = (
        f"<note><unpitched><display-step>{place[0]}</display-step><display-octave>{place[1]}"
        f"</display-octave></unpitched><duration>16</duration><notehead>{head or 'normal'}"
        "</notehead></note>"
    )
    (track,) = read([attributes() + drum], declared=declared).tracks
    assert (track.is_drum, track.notes["pitch"].tolist()) == (True, [DRUMS[place, head, name]])


NUMERALS = {
    ("<numeral><numeral-root>2</numeral-root></numeral><kind>minor</kind>", 0, "major"): "Dm",
    ("<numeral><numeral-root>5</numeral-root></numeral><kind>dominant</kind>", 0, "minor"): "E7",
    (
        "<numeral><numeral-root>7</numeral-root><numeral-alter>-1</numeral-alter></numeral>"
        "<kind>major</kind>",
        2,
        "major",
    ): "C",
    (
        "<numeral><numeral-root>1</numeral-root></numeral><kind>major</kind><inversion>1</inversion>",
        -1,
        "major",
    ): "F/A",
    ("<function>bVI</function><kind>major</kind>", 0, "major"): "Ab",
    ("<function>4</function><kind>major</kind>", 1, "major"): "C",
}


@pytest.mark.parametrize(("inside", "fifths", "mode"), NUMERALS)
def test_numerals_and_functions_are_chords_in_the_key(read, inside, fifths, mode):
    chord = f"<harmony>{inside}</harmony>"
    score = read([attributes(fifths=fifths, mode=mode) + chord + note(length=16)])
    assert [text for _, text in score.chords] == [NUMERALS[inside, fifths, mode]]


def test_a_signature_of_single_accidentals_is_left_out_with_a_warning(read):
    key = "<key><key-step>B</key-step><key-alter>-1</key-alter></key>"
    with pytest.warns(ComposerWarning, match="single accidentals is left out"):
        score = read([ATTRIBUTES.format(key=key, more="") + note(length=16)])
    assert (len(score.key_signatures), sounding(score)) == (0, {(0, 1920, 60)})


@pytest.mark.parametrize(("sharps", "names"), [(-3, "Ab Db"), (-1, "Ab C#"), (3, "G# C#")])
def test_notes_go_out_spelled_by_the_key(sharps, names):
    score = Score(
        tracks=[Track(notes=[(0, 480, 68, 90), (480, 480, 61, 90)])],
        key_signatures=[(0, sharps, 0)],
    )
    written = [n.name.replace("-", "b") for n in to_music21(score).recurse().notes]
    assert written[0] == names.split()[0]
    if sharps != -1:
        assert written == names.split()


def test_notes_of_a_chord_go_out_spelled_by_the_chord():
    notes = [(0, 480, pitch, 90) for pitch in (64, 68, 71, 74)]
    score = Score(tracks=[Track(notes=notes)], key_signatures=[(0, -3, 0)], chords=[(0, "E7")])
    (chord,) = [event for event in to_music21(score).recurse().notes if event.isChord][-1:]
    assert [pitch.name for pitch in chord.pitches] == ["E", "G#", "B", "D"]


@pytest.mark.parametrize("given", ["song.mid", None, 3])
@pytest.mark.parametrize("name", sorted(set(interop.__all__) - {"read_musicxml"}))
def test_what_cannot_be_converted_is_refused(name, given):
    with pytest.raises(ScoreError, match=f"{name} was given .*; give a .*for example"):
        getattr(interop, name)(given)


def test_reading_musicxml_as_midi_names_the_reader(tmp_path):
    path = tmp_path / "x.musicxml"
    path.write_text(HEAD.format("", ""))
    with pytest.raises(MidiError, match=r"read it with composer.interop.read_musicxml"):
        Score.read(path)


def test_files_of_other_xml_are_refused(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text("<svg/>")
    with warnings.catch_warnings(), pytest.raises(ScoreError, match="its root is <svg>"):
        read_musicxml(path)
