"""What cannot be is said in one sentence: what was given, and what would be right."""

import numpy as np
import pytest

import composer
from composer import (
    ChordTones,
    ComposerError,
    DrumPieces,
    InScale,
    Locked,
    MaxLeap,
    MaxPolyphony,
    OnsetCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
    SymbolError,
    Track,
)

NOTES = [(480 * i, 480, 60 + i % 5, 90) for i in range(16)]
SONG = Score(
    tracks=(
        Track("Flute", 73, notes=NOTES),
        Track("Piano", 0, notes=NOTES),
        Track("Drums", is_drum=True, notes=[(0, 60, 36, 90)]),
        Track("Silent", 48),
    ),
    key_signatures=[(0, 0, 0)],
    chords=[(0, "C")],
)

WRONG = [
    # Parts that do not exist, and bars out of range.
    ("infill", ("1", "tuba"), {}, "no track 'tuba'; it has 1 'Flute', 2 'Piano', 3 'Drums'"),
    ("infill", ("1", 0), {}, "no track 0; it has 1 'Flute'"),
    ("infill", ("1", 3.5), {}, "part 3.5 is not a name; write a name, or a number from 1 on"),
    ("infill", ("1", []), {}, "parts is empty; name tracks of the score"),
    ("infill", ("5-6",), {}, "bars 5 to 6 are not in the score, which has 1 to 4"),
    ("infill", (5,), {}, "bar 5 is not in the score, which has 1 to 4"),
    ("infill", (3.5,), {}, "bars 3.5 cannot be read; write first and last, such as '5-8'"),
    ("infill", ((1, 2, 3),), {}, r"bars \(1, 2, 3\) cannot be read"),
    ("infill", ([],), {}, "bars is empty; name some, such as '5-8'"),
    ("infill", ("1-2, 2",), {}, "bars '1-2, 2' name 2 twice; name each bar once"),
    ("infill", (), {}, "infill takes bars or cells, and neither is given"),
    ("infill", ("1",), {"cells": {1: 1}}, "infill takes bars or cells, and both are given"),
    ("infill", (None, 1), {"cells": {1: 1}}, "parts 1 is given; leave it out"),
    ("infill", (), {"cells": {}}, "cells is empty; name bars by part"),
    ("infill", (), {"cells": "piano"}, "cells 'piano' name no parts; for example {'piano'"),
    ("infill", (), {"cells": {"piano": 1, 2: 2}}, "name 2 twice; name each part once"),
    ("infill", (), {"cells": {"piano": "4-5"}}, "bars 4 to 5 are not in the score"),
    ("vary", (), {"bars": 9}, "bar 9 is not in the score, which has 1 to 4"),
    ("vary", (), {"parts": "Silent"}, "silent; name bars and parts that have notes"),
    ("vary", (0,), {}, "amount 0 is not above 0 and up to 1; for example 0.3"),
    ("vary", (30,), {}, "amount 30 is not above 0 and up to 1"),
    ("vary", ("much",), {}, "amount 'much' is not above 0"),
    ("extend", (0,), {}, "bars 0 is outside 1 to 1000; give how many to add"),
    ("extend", ("4-5",), {}, "bars '4-5' is outside 1 to 1000"),
    ("arrange", ("wooden thing",), {}, "instrument 'wooden thing' is unknown; did you mean"),
    ("arrange", ("piano",), {"keep": "tuba"}, "no track 'tuba'"),
    ("arrange", ([],), {}, "instruments is empty; name some, such as"),
    ("harmonize", (), {"part": "drums"}, "part 'drums' plays no chords; name another instrument"),
    ("harmonize", (), {"chords_per_bar": 0}, "chords_per_bar 0 is outside 1 to 4; leave it out"),
    ("reduce", ("guitar",), {}, "cannot be reduced to 'guitar'; give to='piano'"),
    # A range of no notes, and other values of no meaning.
    ("infill", (1,), {"range": "C9-C1"}, "range 120 to 24 is not a range of MIDI pitches"),
    ("infill", (1,), {"range": (60,)}, r"range \(60,\) cannot be read; write one such as 'C4-C6'"),
    ("infill", (1,), {"range": ("a", "b")}, "note 'a' cannot be read; write one such as 'C4'"),
    ("infill", (1,), {"range": (60.5, 70)}, "is not a pair of MIDI pitches; for example"),
    ("infill", (1, 1), {"range": {2: "C4-C5"}}, "names Piano, of which nothing is written"),
    ("infill", (1,), {"range": {1: "C4-C5", "flute": "C4-C5"}}, "names Flute twice"),
    ("infill", (1, "chords"), {"notes": 2}, "notes 2 is about notes, and none are written"),
    ("infill", (1,), {"polyphony": 0}, "polyphony 0 is not a number of notes; give a whole number"),
    ("infill", (1,), {"polyphony": "rich"}, "polyphony 'rich' is unknown; take a number or single"),
    ("infill", (1,), {"notes": (6, 2)}, r"notes \(6, 2\) is not a number of onsets a bar"),
    ("infill", (1,), {"notes": -1}, "notes -1 is not a number of onsets a bar"),
    ("infill", (1,), {"seed": -1}, "seed -1 is not a whole number from 0 on; leave it out"),
    ("infill", (1,), {"seed": 1.5}, "seed 1.5 is not a whole number"),
    ("infill", (1,), {"sampling": 0.9}, "sampling 0.9 is not a Sampling; for example Sampling"),
    ("infill", (1,), {"temperature": "hot"}, "temperature 'hot' is outside 0 to 5"),
    ("infill", (1,), {"key": 3}, "key 3 cannot be read; write one like 'Bb major'"),
    ("infill", (1,), {"where": "low"}, "where holds 'low', which is not a constraint"),
    ("infill", (1,), {"controls": [5]}, "controls holds 5, which is not one; for example Controls"),
    ("infill", (1,), {"controls": "busy"}, "controls holds 'busy', which is not one"),
    # Contradictory settings.
    (
        "infill",
        (1, 1),
        {"range": "C4-C5", "where": PitchRange("C2-C3")},
        r"PitchRange\(low=36, high=48\) and PitchRange\(low=60, high=72\) leave no pitch in bar 1 "
        "of Flute",
    ),
    (
        "infill",
        (1, 1),
        {"notes": 2, "where": OnsetCount(min=5)},
        r"OnsetCount\(min=5\) in bar 1 of Flute needs 5 onsets; OnsetCount\(min=2, max=2\)",
    ),
    (
        "infill",
        (1, 1),
        {"notes": 0, "where": Rhythm(required=[1])},
        r"needs 1 onset; OnsetCount\(max=0\) allows 0",
    ),
    (
        "infill",
        (1, 1),
        {"key": "C", "range": "F#4-F#4"},
        r"InScale\(\) and PitchRange\(low=66, high=66\) leave no pitch in bar 1 of Flute",
    ),
    ("infill", (1, 1), {"where": Rhythm(required=[9])}, "beat 9 in bar 1 of Flute, which has 4"),
    ("infill", (1, 3), {"where": InScale(parts=3)}, "drums have no key and no chords"),
    ("infill", (1,), {"where": DrumPieces("kick", parts=1)}, "Flute, which plays no drums"),
    ("infill", (1, 1), {"where": DrumPieces("kick")}, "is about no notes that are written"),
    ("infill", (1,), {"where": OnsetCount(min=1, bars=2)}, "is about no notes that are written"),
    ("arrange", ("piano",), {"chords": "C " * 9}, "the chords have 9 bars, more than the 4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "arguments", "settings", "message"), WRONG, ids=[wrong[3][:40] for wrong in WRONG]
)
def test_what_cannot_be_is_refused(random_composer, verb, arguments, settings, message):
    with pytest.raises((RequestError, SymbolError), match=message) as caught:
        getattr(random_composer, verb)(SONG, *arguments, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bars": 2.5}, "bars 2.5 is outside 1 to 1000; give how many to write"),
        ({"bars": "8"}, "bars '8' is outside 1 to 1000"),
        ({"tempo": "fast"}, "tempo 'fast' bpm is outside 20 to 320"),
        ({"meter": 4}, "meter 4 is not a time signature; write one like '4/4'"),
        ({"chords": "C G Am", "bars": 2}, "the chords have 3 bars, more than the 2 to write"),
    ],
)
def test_a_new_piece_that_cannot_be_is_refused(random_composer, settings, message):
    with pytest.raises((RequestError, SymbolError), match=message):
        random_composer.melody(**settings)


@pytest.mark.parametrize("verb", ["harmonize", "arrange", "extend", "vary", "reduce"])
def test_what_is_no_score_is_refused(random_composer, verb):
    with pytest.raises(RequestError, match="3 is not a score; give a Score or the path of a MIDI"):
        getattr(random_composer, verb)(3)
    with pytest.raises(RequestError, match="'Am F C G' is not a score: it looks like chords"):
        getattr(random_composer, verb)("Am F C G")


HUGE = "9" * 5000


@pytest.mark.parametrize(
    "chords",
    [
        f"|: C :| x{HUGE}",
        f"|: C :| [{HUGE}x]",
        f"[{HUGE}/4] C",
        f"C:({HUGE})",
        f"C:maj/{HUGE}",
        "C" + "b" * 5000,
        "C " * 1_000_000,
        *[[(bar, 1, "C")] for bar in (10**9, 10**30, -1, 1.5, float("nan"))],
        *[[(1, beat, "C")] for beat in (10**30, float("nan"), float("inf"), np.float32("nan"))],
    ],
)
def test_chords_beyond_all_measure_are_refused_in_one_short_sentence(random_composer, chords):
    with pytest.raises(ComposerError) as caught:
        random_composer.melody(chords, seed=1)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**30, -1, True, None, "x", [1]])
@pytest.mark.parametrize("place", range(5))
def test_locked_notes_that_cannot_be_are_refused(random_composer, place, value):
    row = [1, 1, "C4", 1, 90]
    row[place] = value
    with pytest.raises(ComposerError):
        random_composer.melody("C F", where=Locked([tuple(row)]), seed=1)


def test_more_parts_than_anybody_wants_are_refused(random_composer):
    with pytest.raises(RequestError, match="129 instruments are more than 128"):
        random_composer.arrange(SONG, ["piano"] * 129)


def test_a_candidate_is_taken_for_its_score(random_composer):
    (candidate, _) = composer.candidates(random_composer.melody, "C F", n=2, seed=1)
    from_score = random_composer.arrange(candidate.score, "bass", seed=1)
    assert random_composer.arrange(candidate, "bass", seed=1) == from_score


def test_numbers_of_numpy_are_numbers(random_composer):
    one, two = np.int64(1), np.int32(2)
    song = random_composer.melody([(one, one, "Am"), (two, np.float64(3), "F")], seed=one)
    assert [chord.text for chord in song.chords] == ["Am", "Am", "F"][-len(song.chords) :]
    assert random_composer.extend(song, two, seed=1) == random_composer.extend(song, 2, seed=1)
    for parts in ([one], one, 1, "1"):
        again = random_composer.infill(song, two, parts, seed=1)
        assert again == random_composer.infill(song, 2, "1", seed=1)
    where = [OnsetCount(two, two, parts=[one], bars=two), Rhythm(np.array([1.0, 3.0]), bars=one)]
    assert random_composer.melody("Am F", where=where, seed=1).bars == 2


def test_pieces_of_the_kit_that_do_not_exist():
    with pytest.raises(SymbolError, match="drum 'kik' is unknown; did you mean 'kick'"):
        DrumPieces("snare, kik")
    with pytest.raises(RequestError, match=r"pieces \[\] are not pieces of the kit; for example"):
        DrumPieces([])


CALLS = [
    # Of the wrong kind.
    (lambda c: c.melody(5), "chords such as 5 cannot be read; give bars such as 'Am F'"),
    (lambda c: c.melody(SONG.tracks[0]), "or the whole score for its chord symbols"),
    (lambda c: c.melody("C", part=None), "instrument None is not a name; for example 'piano'"),
    (lambda c: c.melody("C", part=["flute"]), r"instrument \['flute'\] is not a name"),
    (lambda c: c.melody("C", form=5), "form 5 is not a text; write a letter a section"),
    (lambda c: c.melody("C", form=["A", "B"]), "is not a text; write a letter a section"),
    (lambda c: c.melody("C", bars=True), "bars True is outside 1 to 1000"),
    (lambda c: c.melody("C", style=5), "the model knows no style 5"),
    (lambda c: c.melody("C", seed=True), "seed True is not a whole number"),
    (lambda c: c.melody("C", n=True), "n True is not a whole number from 1 to 256"),
    (lambda c: c.melody("C", polyphony=True), "polyphony True is not a number of notes"),
    (lambda c: c.arrange(SONG, {"piano": "C3-C5"}), "are not names in order; for example"),
    (lambda c: c.arrange(SONG, {"piano", "bass"}), "are not names in order; for example"),
    (lambda c: c.infill(SONG, {"piano": "1-2"}), r"name parts; give them as cells={'piano'"),
    (lambda c: c.infill(SONG, "1", cells={}), "takes bars or cells, and both are given"),
    (lambda c: c.infill(SONG, True), "bars True cannot be read"),
    (lambda c: c.infill(SONG, (1.5, 2)), r"bars \(1.5, 2\) cannot be read"),
    (lambda c: c.infill(SONG, (None, 2)), r"bars \(None, 2\) cannot be read"),
    (lambda c: c.infill(SONG, 1, True), "part True is not a name"),
    (lambda c: c.infill(SONG, cells={None: 1}), "part None is not a name"),
    (lambda c: c.infill(SONG, 1, {"drums": 5}), "pieces 5 are not pieces of the kit"),
    (lambda c: c.vary(SONG, "1-2"), "for example 0.3, and where as bars='1-2'"),
    (lambda c: composer.diff(SONG, 5), "5 is not a score; give what a verb returned"),
    (lambda c: composer.diff("a.mid", SONG), "'a.mid' is not a score"),
    (lambda c: composer.diff(SONG, SONG, by=5), "name 5 is not a text; say who, such as 'me'"),
    (lambda c: SONG.apply(5), r"5 is not a patch; give one of a score's history, such as song.hi"),
    (lambda c: SONG.apply(SONG), r"Score\(.* is not a patch"),
    (lambda c: composer.diff(SONG, SONG).applied_to(5), "5 is not a score"),
    (lambda c: Score.read(5), "5 is not a source of MIDI; give a path, bytes, or a file"),
    (lambda c: Score.read(SONG), r"Score\(.* is not a source of MIDI"),
    (lambda c: SONG.write(5), "5 is not a path; for example 'song.mid'"),
    (lambda c: SONG.write("."), "cannot be written: it is a folder; name a file in it"),
    (lambda c: SONG.piano_roll(9), "bar 9 is not in the score, which has 1 to 4"),
    (lambda c: SONG.transpose(1.5), "interval 1.5 is not a number of semitones; give a whole"),
    (lambda c: SONG.transpose([1]), r"interval \[1\] is not a number of semitones"),
    (lambda c: SONG.with_chords(5), "chords such as 5 cannot be read"),
    (lambda c: SONG.with_chords(markers="Verse"), "markers 'Verse' is neither True nor False"),
    (lambda c: SONG.with_chords(markers=True), r"say with_chords\(notes=True\) for the chords"),
    (lambda c: SONG.with_chords(track=1, notes=True), "takes one source and was given 2"),
    (lambda c: composer.check(5, []), "5 is not a score"),
    (lambda c: composer.check(SONG, Locked(), before=5), "5 is not a score"),
    (lambda c: composer.check(SONG, [], key=5), "key 5 cannot be read"),
    (lambda c: composer.check(SONG, [], bars=1.5), "bars 1.5 cannot be read"),
    (lambda c: composer.candidates("melody"), r"'melody' is not a verb; .* candidates\(composer"),
    (lambda c: composer.load(5), "5 is not a folder; name one that composer train wrote"),
    (lambda c: composer.Composer(5, 5), "5 and 5 are not a model and its tokenizer; composer.load"),
    (lambda c: composer.example(5), r"example 5 is not a name; give one of example_names\(\)"),
    (lambda c: composer.Author(5), "name 5 is not a text"),
    (lambda c: ChordTones(everywhere="no"), r"ChordTones\(everywhere='no'\) is neither True"),
    (lambda c: PitchRange(60, "x"), "note 'x' cannot be read"),
    (lambda c: PitchRange("C4-C6", bars=("a", "b")), r"bars \('a', 'b'\) cannot be read"),
    (lambda c: PitchRange("C4-C6", bars=1.5), "bars 1.5 cannot be read"),
    (lambda c: DrumPieces(None), "pieces None are not pieces of the kit"),
    (lambda c: DrumPieces([5]), r"pieces \[5\] are not pieces of the kit"),
    (lambda c: MaxLeap(True), "semitones=True.* is not a leap"),
    (lambda c: OnsetCount(True), "min=True.* has no such bars"),
    (lambda c: MaxPolyphony(True), "notes=True.* leaves no note"),
    (lambda c: Rhythm([float("nan")]), "beat nan is not on the grid"),
    (lambda c: Rhythm([float("inf")]), "beat inf is not on the grid"),
    (lambda c: Locked("C4"), r"'C4' is not a note; write \(bar, beat, pitch\)"),
    (lambda c: Locked([(1, 1, 60, "x")]), r"\(1, 1, 60, 'x'\) is not a note"),
    (lambda c: Locked(beats="1"), "beats '1' are not a list"),
    (lambda c: Locked(beats=["x"]), "beat 'x' is not a number"),
    # Called otherwise than it can be.
    (lambda c: composer.diff(SONG), r"diff\(\) lacks after; write diff\(before, after, \.\.\.\)"),
    (lambda c: composer.diff(SONG, SONG, "me"), r"diff\(\) takes .*, and 'me' needs one: by="),
    (lambda c: SONG.apply(), r"^apply\(\) lacks patch; write apply\(patch\)"),
    (lambda c: SONG.undo(2), r"^undo\(\) takes nothing, and 2 is given as well; leave it out"),
    (lambda c: SONG.replace(name="x"), r"^replace\(\) knows no 'name'; help\(composer.Score\)"),
    (lambda c: SONG.transpose("up", "down"), r"takes interval .*, and 'down' needs one: to="),
    (lambda c: SONG.with_chords("C", tracks=1), r"knows no 'tracks', did you mean 'track'\?"),
    (lambda c: Score.read(), r"^read\(\) lacks source; write read\(source\)"),
    (lambda c: Score(trakcs=[]), r"^Score\(\) knows no 'trakcs', did you mean 'tracks'?"),
    (lambda c: Track("Flute", channel=1), r"^Track\(\) knows no 'channel'; it takes name, program"),
    (lambda c: composer.Note("C4"), r"^Note\(\) lacks duration and pitch; write Note\(onset, dur"),
    (lambda c: composer.check(SONG), r"^check\(\) lacks where; write check\(score, where, "),
    (lambda c: composer.candidates(), r"^candidates\(\) lacks verb; write candidates\(verb, "),
    (lambda c: composer.example_names(5), "takes nothing, and 5 is given as well; leave it out"),
    (lambda c: composer.Composer(), r"^Composer\(\) lacks decoder and tokenizer"),
    (lambda c: c.melody("C", temp=1), r"did you mean 'tempo' or 'temperature'\?"),
    (lambda c: c.melody("C", instrument="oboe"), r"knows no 'instrument', did you mean 'part'\?"),
    (lambda c: c.melody("C", bpm=90), r"did you mean 'tempo'\? help\(composer.melody\) has all"),
    (lambda c: OnsetCount(minimum=2), r"^OnsetCount\(\) knows no 'minimum', did you mean 'min'?"),
    (lambda c: OnsetCount(2, 4, "piano"), "takes min and max .*, and 'piano' needs one: parts="),
    (lambda c: PitchRange("C4-C6", part=1), r"did you mean 'parts'\?"),
    (lambda c: MaxLeap(), r"^MaxLeap\(\) lacks semitones; write MaxLeap\(semitones, \.\.\.\)"),
    (lambda c: InScale("C major"), "takes nothing without a name, and 'C major' needs one: parts="),
    (lambda c: composer.Monophonic("piano"), "and 'piano' needs one: parts= or bars="),
    (lambda c: composer.Controls(densty=1), r"knows no 'densty', did you mean 'density'\?"),
    (lambda c: composer.Sampling(temp=1), r"knows no 'temp', did you mean 'temperature'\?"),
    (lambda c: c.stream("C", seed=1).change("Dm"), "takes nothing .*, and 'Dm' needs one: chords="),
    (lambda c: c.stream("C", seed=1).change(chord="Dm"), r"did you mean 'chords'\?"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CALLS, ids=[message[:40] for _, message in CALLS])
def test_what_cannot_be_called_so_is_refused(random_composer, call, message):
    with pytest.raises(ComposerError, match=message) as caught:
        call(random_composer)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_an_error_inside_of_a_call_that_fits_stays_what_it_is(random_composer):
    def broken(seed):
        raise TypeError("of its own")

    with pytest.raises(TypeError, match="of its own"):
        composer.candidates(broken)


def test_a_name_that_the_package_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(AttributeError, match=r"no attribute 'melodie'; did you mean 'melody'\?$"):
        composer.melodie  # noqa: B018
    assert not hasattr(composer, "xyz")
