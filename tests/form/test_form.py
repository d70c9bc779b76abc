"""Forms by letters: like sections are the same music, and the end is a close, whatever the weights.

The checks read the finished score and share no code with masks and outlines.
"""

import dataclasses
import re

import numpy as np
import pytest

import composer
from composer.constraints.counts import OnsetCount, Rhythm
from composer.constraints.lines import Cadence
from composer.constraints.pitches import PitchRange
from composer.controls.kinds import KINDS, NAMES
from composer.errors import RequestError, SymbolError
from composer.form.letters import Form
from composer.form.outline import NONE, Outline
from composer.generate.batch import write_cells, write_together
from composer.generate.writer import Writer
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import Part
from composer.theory.chords import parse_chord
from composer.theory.keys import Key
from composer.tokenizers.cells.levels import UNSAID, Levels
from tests.brute.asked import breaches, random_asked
from tests.generate.test_batch import all_of, check_untouched, plain_grid

STRONG = {"4/4": (0, 2), "3/4": (0,), "6/8": (0,), "12/8": (0, 3)}  # beats, in quarters


def notes_in(score, track, first, count):
    """Return (ticks from the first bar, duration, pitch, velocity) of notes in some bars."""
    notes = score.tracks[track].notes
    start, end = score.meter.bar_start([first, first + count]).tolist()
    inside = notes[(notes["onset"] >= start) & (notes["onset"] < end)]
    return [(onset - start, *rest) for onset, *rest in inside.tolist()]


def begun_in(score, track, first, count):
    """Return the same without the durations, as notes end where what follows is another bar."""
    return [(onset, *rest) for onset, _, *rest in notes_in(score, track, first, count)]


def chords_in(score, first, count):
    """Return the chord that holds in each bar and those that begin later in it."""
    found = []
    for bar in range(first, first + count):
        start, end = score.meter.bar_start([bar, bar + 1]).tolist()
        holding = [text for tick, text in score.chords if tick <= start][-1]
        found.append((holding, [(t - start, x) for t, x in score.chords if start < t < end]))
    return found


# Reading a form


def test_sections_lie_one_after_the_other():
    named = [(s.name, s.start, s.bars) for s in Form.parse("A8, B4 | A’8").sections(20)]
    assert named == [("A", 0, 8), ("B", 8, 4), ("A'", 12, 8)]
    assert [s.bars for s in Form.parse("AABA").sections(12)] == [3, 3, 3, 3]
    assert str(Form.parse("A8 B4 A''8")) == "A8 B4 A''8"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("AAxA", SymbolError, "at 'xA'"),
        (" ", SymbolError, "no section"),
        ("A8 B", RequestError, "1 of its 2 sections"),
        ("A0", RequestError, "1 or more"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(text, error, message):
    with pytest.raises(error, match=message):
        Form.parse(text)


@pytest.mark.parametrize(
    ("form", "bars", "chords", "expected"),
    [
        ("AABA", None, 0, 16),
        ("AABA", 32, 0, 32),
        ("AABA", None, 8, 32),  # of a section
        ("AABA", None, 32, 32),  # of the whole
        ("AABA", None, 3, 12),
        ("AABA", 32, 4, 32),  # twice in each section
        ("A8 B4", None, 4, 12),
        ("A8 B4", None, 12, 12),
    ],
)
def test_bars_add_up(form, bars, chords, expected):
    assert Form.parse(form).bars(bars, chords) == expected


@pytest.mark.parametrize(
    ("form", "bars", "chords"), [("AABA", 10, 0), ("A8 B4", 16, 0), ("AABA", 16, 3), ("AB", 1, 0)]
)
def test_what_does_not_add_up_is_refused(form, bars, chords):
    with pytest.raises(RequestError, match="do not add up"):
        Form.parse(form).bars(bars, chords)


def test_what_a_form_makes_of_bars():
    outline = Form.parse("AABA").outline(32)
    assert outline.copied[8:16].tolist() == [*range(8)]
    assert outline.copied[24:].tolist() == [0, 1, 2, NONE, 4, 5, NONE, NONE]
    assert outline.varied[24:].tolist() == [NONE, NONE, NONE, 3, NONE, NONE, 6, 7]
    assert np.flatnonzero(outline.contrasts).tolist() == [*range(16, 24)]
    assert np.flatnonzero(outline.half_closes).tolist() == [23, 30]
    assert np.flatnonzero(outline.closes).tolist() == [31]
    # A' is a variation each time, and the second time it is what it was.
    outline = Form.parse("AA'A'B").outline(16)
    assert outline.varied[7] == 3
    assert outline.copied[8:12].tolist() == [4, 5, 6, 7]


# What is written


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("meter", STRONG)
def test_like_sections_are_the_same_and_the_piece_closes(meter, seed, random_composer):
    given = "C Am F G" if seed % 2 else None
    key = ("C", "A minor")[seed // 2] if given is None else "C"
    song = random_composer.melody(given, form="AABA", meter=meter, key=key, seed=seed)
    home = Key.parse(key)
    assert song.bars == 16
    assert [(m.tick, m.text) for m in song.markers] == [
        (int(song.meter.bar_start(4 * i)), name) for i, name in enumerate("AABA")
    ]
    first = notes_in(song, 0, 0, 4)
    assert first
    assert notes_in(song, 0, 4, 4) == first
    assert chords_in(song, 0, 4) == chords_in(song, 4, 4)
    if given:  # the chords of its ending are the same, so that three bars can be
        assert begun_in(song, 0, 12, 3) == begun_in(song, 0, 0, 3)
    else:
        assert begun_in(song, 0, 12, 2) == begun_in(song, 0, 0, 2)
        assert chords_in(song, 12, 2) == chords_in(song, 0, 2)
        (last, others), dominant = chords_in(song, 15, 1)[0], chords_in(song, 14, 1)[0][0]
        assert (parse_chord(last).root, parse_chord(last).bass, others) == (home.tonic, None, [])
        assert parse_chord(dominant).root == (home.tonic + 7) % 12
        assert parse_chord(chords_in(song, 11, 1)[0][0]).root == (home.tonic + 7) % 12
    check_close(song, 15, meter, home)
    check_sections_end(song)


def check_close(song, bar, meter, home):
    """The last note begins on a strong beat, is held, and is the tonic or the root."""
    onset, duration, pitch, _ = song.tracks[0].notes[-1].tolist()
    end = int(song.meter.bar_start(bar + 1))
    start = int(song.meter.bar_start(bar))
    strong = [start + beat * song.tpq for beat in STRONG[meter]]
    assert onset in strong
    assert duration >= [*strong, end][1] - start
    assert onset + duration <= end
    chord = parse_chord([text for tick, text in song.chords if tick <= onset][-1])
    target = home.tonic if home.tonic in chord.pitch_classes else chord.root
    assert pitch % 12 == target


def check_sections_end(song):
    for track in song.tracks:
        for marker in song.markers[1:]:
            sounding = (track.notes["onset"] < marker.tick) & (
                track.notes["onset"] + track.notes["duration"] > marker.tick
            )
            assert not sounding.any()


def test_a_root_ends_a_melody_whose_last_chord_has_no_tonic(random_composer):
    song = random_composer.melody("C F G", form="AB", key="C", seed=1)
    assert song.tracks[0].notes["pitch"][-1] % 12 == 7


def test_where_the_chords_differ_a_copy_is_one_no_more(random_composer):
    chords = "C C C C  C F#m C C  G G G C"
    same = [0, 0, 0]
    for seed in range(3):
        song = random_composer.melody(chords, form="A4 A4 B4", key="C", seed=seed)
        for i, bar in enumerate((0, 2, 3)):
            same[i] += begun_in(song, 0, 4 + bar, 1) == begun_in(song, 0, bar, 1)
        other = notes_in(song, 0, 5, 1)
        assert all(note[2] % 12 in {6, 9, 1} for note in other if note[0] in (0, 960))
    assert same == [3, 3, 3]


@pytest.mark.parametrize("seed", range(6))
def test_a_melody_without_a_form_closes_as_well(seed, random_composer):
    song = random_composer.melody(None if seed % 2 else "C Am F G", bars=4, key="C", seed=seed)
    check_close(song, 3, "4/4", Key.parse("C"))


def test_the_last_onset_there_can_be_is_held(random_composer):
    off = [Rhythm(allowed=[1.5, 2.5], bars=4)]
    for where, beat in ((off, 2.5), ([Cadence(degree=1, beat=1)], 1), ([Cadence(5, 4)], 4)):
        song = random_composer.melody("C Am F C", key="C", where=where, seed=2)
        onset, duration, *_ = notes_in(song, 0, 3, 1)[-1]
        assert composer.check(song, where) == []
        assert onset == (beat - 1) * song.tpq
        assert onset + duration == 4 * song.tpq or (duration >= 2 * song.tpq and beat == 1)


@pytest.mark.parametrize(("beat", "strong"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_parts_of_an_arrangement_end_with_the_tune(beat, strong, random_composer):
    notes = [(0, 1920, 67, 80), (480 * (beat + 3), 480, 72, 80)]
    tune = composer.Score(480, (composer.Track("Tune", 73, notes=notes),)).with_chords("G | C")
    song = random_composer.arrange(tune, ["piano", "bass", "cello"], seed=beat)
    for track in song.tracks[1:]:
        last = track.notes[track.notes["onset"] == track.notes["onset"][-1]]
        assert int(last["onset"][0]) == 480 * (strong + 3)
        assert {*(last["onset"] + last["duration"]).tolist()} == {3840}


def test_constraints_hold_in_a_form_and_copies_are_the_same(random_composer):
    where = [OnsetCount(min=3, max=5), Rhythm(required=[1, 3], bars="1-8"), PitchRange("C4-C6")]
    song = random_composer.melody("C Am F G", form="AABA", where=where, seed=3)
    assert composer.check(song, where) == []
    assert notes_in(song, 0, 4, 4) == notes_in(song, 0, 0, 4)


def test_what_is_asked_goes_before_the_close(random_composer):
    where = [Rhythm(required=[4], bars=16), OnsetCount(max=1, bars=16)]
    song = random_composer.melody("C Am F G", form="AABA", where=where, seed=3)
    assert composer.check(song, where) == []
    assert notes_in(song, 0, 15, 1)[0][0] == 3 * song.tpq


def test_parts_of_an_arrangement_take_up_sections(random_composer):
    tune = random_composer.melody("C Am F G", form="AABA", seed=2)
    parts = ["piano", "bass", "drums"]
    song = random_composer.arrange(tune, parts, form="AABA", seed=2)
    assert song.markers == tune.markers
    assert song.tracks[0] == tune.tracks[0]
    for track in (1, 2, 3):
        first = notes_in(song, track, 0, 4)
        assert first
        assert notes_in(song, track, 4, 4) == first
        assert begun_in(song, track, 12, 3) == begun_in(song, track, 0, 3)
    bass = song.tracks[2].notes[-1]
    assert bass["pitch"] % 12 == 7
    assert bass["onset"] == song.meter.bar_start(15) + 2 * song.tpq
    with pytest.raises(RequestError, match="do not add up to 16 bars"):
        random_composer.arrange(tune, parts, form="ABA")


def test_chords_follow_a_form_alone(random_composer):
    song = random_composer.chords(key="D minor", form="A4 B4 A4", chords_per_bar=2, seed=1)
    assert song.bars == 12
    assert chords_in(song, 8, 2) == chords_in(song, 0, 2)
    assert song.chords[-1].text == "Dm"


def test_a_contrast_lies_elsewhere(random_composer):
    for seed in range(4):
        song = random_composer.melody("C Am F G", form="AABA", seed=seed)
        before = np.median([note[2] for note in notes_in(song, 0, 0, 8)])
        pitches = [note[2] for note in notes_in(song, 0, 8, 4)]
        assert min(pitches) >= before - 4 or max(pitches) <= before + 4


def lengths_asked(writer):
    """Return the levels of note length that a writer asked for, bar by bar."""
    return writer.request.levels.cells[:, 0, NAMES.index("note_length")].tolist()


@pytest.mark.parametrize(("duration", "wanted"), [(6, 0.75), (48, 3)])
def test_a_contrast_has_notes_of_another_length(duration, wanted, decoders, spy_on, cells):
    notes = [(bar, 0, 0, 74, duration, 80) for bar in range(8)]
    grid = plain_grid(16, [Part("", 73)], notes)
    written = all_of(grid, 0, 1)
    written[:8] = False
    outline = Form.parse("AABA").outline(16)
    request = Request(grid, written, (PartRules("melody"),), Sampling(1), 1, outline=outline)
    (writer,) = write_together([request], decoders[512], cells)
    level = KINDS[NAMES.index("note_length")].levels.index(wanted)
    assert lengths_asked(writer) == [UNSAID] * 8 + [level] * 4 + [UNSAID] * 4
    spy = spy_on(512)
    assert spy.write(request).notes.tolist() == writer.grid.notes.tolist()
    control = cells.vocabulary.id(f"Control_note_length:{wanted:g}")
    assert sum(said.count(control) for said in spy.sequences) == 4


@pytest.mark.parametrize("name", ["density", "note_length"])
def test_what_is_asked_of_a_contrast_stays(name, decoders, cells):
    grid = plain_grid(12, [Part("", 73)])
    asked = Levels.none(12, 1)
    asked.cells[4:6, 0, NAMES.index(name)] = 2
    outline = Form.parse("ABA").outline(12)
    request = Request(grid, all_of(grid, 0, 1), (PartRules("melody"),), outline=outline)
    request = dataclasses.replace(request, levels=asked)
    (writer,) = write_together([request], decoders[512], cells)
    kept, free = lengths_asked(writer)[4:6], lengths_asked(writer)[6:8]
    assert kept == [2 if name == "note_length" else UNSAID] * 2
    assert free[0] != UNSAID
    assert free[0] == free[1]
    assert asked.cells[6:].max() == UNSAID  # the levels that were given are as they were


@pytest.mark.parametrize("context_length", [120, 250])
def test_copies_are_the_same_in_the_shortest_context(context_length, short_decoder, cells):
    """Even where the budget cut the cells short that are copied."""
    grid = plain_grid(12, [Part("", 0), Part("", 0, True)])
    rules = (PartRules("melody", least_onsets=48, least_notes=3), PartRules(least_onsets=30))
    outline = Form.parse("AABA").outline(12)
    for seed in range(2):
        request = Request(grid, all_of(grid, 0, 1, 2), rules, Sampling(1), seed, outline=outline)
        spy = short_decoder(context_length)
        result = spy.write(request)
        first = result.notes[result.notes["bar"] < 3]
        second = result.notes[(result.notes["bar"] >= 3) & (result.notes["bar"] < 6)].copy()
        second["bar"] -= 3
        assert len(first)
        assert second.tolist() == first.tolist()
        last = result.notes[(result.notes["bar"] == 11) & (result.notes["part"] == 0)]
        assert last["position"].max() == 24


# Outlines


def random_outline(seed, bars):
    rng = np.random.default_rng([seed, 11])

    def earlier():
        column = np.array([int(rng.integers(-1, bar)) if bar else NONE for bar in range(bars)])
        column[rng.random(bars) < 0.4] = NONE
        return column

    flags = [rng.random(bars) < share for share in (0.3, 0.3, 0.2, 0.3)]
    return Outline(flags[0], earlier(), earlier(), earlier(), *flags[1:])


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(4))
def test_any_outline_leaves_what_is_asked_as_it_is(batch, decoders, cells):
    for seed in range(12 * batch, 12 * batch + 12):
        request, where = random_asked(seed)
        bars = len(request.grid.bars)
        shaped = dataclasses.replace(request, outline=random_outline(seed, bars))
        try:
            Writer(request, decoders[1024].fork(), cells)
        except RequestError as refusal:
            with pytest.raises(RequestError, match=re.escape(str(refusal))):
                write_cells(shaped, decoders[1024], cells)
            continue
        result = write_cells(shaped, decoders[1024], cells)
        assert breaches(shaped, result, where) == []
        check_untouched(shaped, result)


def test_an_outline_that_looks_ahead_is_refused():
    free = Outline.free(2)
    with pytest.raises(RequestError, match="bar 1 takes up bar 2"):
        dataclasses.replace(free, copied=np.array([1, NONE]))
    with pytest.raises(RequestError, match="make no outline"):
        dataclasses.replace(free, begins=np.zeros(3, bool))


def test_an_outline_of_other_bars_is_refused():
    grid = plain_grid(2, [Part("", 0)])
    with pytest.raises(RequestError, match="of 3 bars; the grid has 2"):
        Request(grid, all_of(grid, 1), (PartRules(),), outline=Outline.free(3))


def test_bars_in_two_pieces_take_up_both():
    outline = Form.parse("AB").outline(2)
    copied = np.array([NONE, 0])
    cut = dataclasses.replace(outline, copied=copied, same_chords=copied).cut([2, 2])
    assert cut.copied.tolist() == [NONE, NONE, 0, 1]
    assert cut.begins.tolist() == [True, False, True, False]
    assert cut.closes.tolist() == [False, False, False, True]


def test_a_free_outline_changes_nothing(decoders, cells):
    grid = plain_grid(6, [Part("", 73)])
    request = Request(grid, all_of(grid, 0, 1), (PartRules("melody"),), Sampling(1), 5)
    free = dataclasses.replace(request, outline=Outline.free(6))
    found = [write_cells(one, decoders[512], cells).notes.tolist() for one in (request, free)]
    assert found[0] == found[1]
