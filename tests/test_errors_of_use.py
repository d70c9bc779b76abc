"""What cannot be is said in one sentence: what was given, and what would be right."""

import pytest

from composer import (
    DrumPieces,
    InScale,
    NoteCount,
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
    ("infill", ("1", 3.5), {}, "part 3.5 is no name; write a name, or a number from 1 on"),
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
    ("infill", (), {"cells": "piano"}, "cells 'piano' name no parts; write such as {'piano'"),
    ("infill", (), {"cells": {"piano": 1, 2: 2}}, "name 2 twice; name each part once"),
    ("infill", (), {"cells": {"piano": "4-5"}}, "bars 4 to 5 are not in the score"),
    ("vary", (), {"bars": 9}, "bar 9 is not in the score, which has 1 to 4"),
    ("vary", (), {"parts": "Silent"}, "silent; name some that have notes"),
    ("vary", (0,), {}, "amount 0 is not above 0 and up to 1; give such as 0.3"),
    ("vary", (30,), {}, "amount 30 is not above 0 and up to 1"),
    ("vary", ("much",), {}, "amount 'much' is not above 0"),
    ("extend", (0,), {}, "bars 0 is outside 1 to 1000; give how many to add"),
    ("extend", ("4-5",), {}, "bars '4-5' is outside 1 to 1000"),
    ("arrange", ("wooden thing",), {}, "instrument 'wooden thing' is unknown; did you mean"),
    ("arrange", ("piano",), {"keep": "tuba"}, "no track 'tuba'"),
    ("arrange", ([],), {}, "parts is empty; name instruments, such as"),
    ("harmonize", (), {"part": "drums"}, "part 'drums' plays no chords; name another instrument"),
    ("harmonize", (), {"chords_per_bar": 0}, "chords_per_bar 0 is outside 1 to 4; leave it out"),
    ("reduce", ("guitar",), {}, "cannot be reduced to 'guitar'; give to='piano'"),
    # A range of no notes, and other values of no meaning.
    ("infill", (1,), {"range": "C9-C1"}, "range 120 to 24 is no range of MIDI pitches"),
    ("infill", (1,), {"range": (60,)}, r"range \(60,\) cannot be read; write one such as 'C4-C6'"),
    ("infill", (1,), {"range": ("a", "b")}, "is no pair of MIDI pitches; write such as"),
    ("infill", (1, 1), {"range": {2: "C4-C5"}}, "names Piano, of which nothing is written"),
    ("infill", (1,), {"range": {1: "C4-C5", "flute": "C4-C5"}}, "names Flute twice"),
    ("infill", (1, "chords"), {"notes": 2}, "notes 2 is about notes, and none are written"),
    ("infill", (1,), {"polyphony": 0}, "polyphony 0 is no number of notes; give a whole number"),
    ("infill", (1,), {"polyphony": "rich"}, "polyphony 'rich' is unknown; take a number or single"),
    ("infill", (1,), {"notes": (6, 2)}, r"notes \(6, 2\) is no number of onsets a bar"),
    ("infill", (1,), {"notes": -1}, "notes -1 is no number of onsets a bar"),
    ("infill", (1,), {"seed": -1}, "seed -1 is no whole number from 0 on; leave it out"),
    ("infill", (1,), {"seed": 1.5}, "seed 1.5 is no whole number"),
    ("infill", (1,), {"sampling": 0.9}, "sampling 0.9 is none; give such as Sampling"),
    ("infill", (1,), {"temperature": "hot"}, "temperature 'hot' is outside 0 to 5"),
    ("infill", (1,), {"key": 3}, "key 3 cannot be read; write one like 'Bb major'"),
    ("infill", (1,), {"where": "low"}, "where holds 'low', which is no constraint; give such as"),
    ("infill", (1,), {"controls": [5]}, "controls holds 5, which is none; give such as Controls"),
    ("infill", (1,), {"controls": "busy"}, "controls holds 'busy', which is none"),
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
        {"notes": 2, "where": NoteCount(min=5)},
        r"NoteCount\(min=5\) in bar 1 of Flute needs 5 onsets; NoteCount\(min=2, max=2\) allows 2",
    ),
    (
        "infill",
        (1, 1),
        {"notes": 0, "where": Rhythm(required=[1])},
        r"needs 1 onset; NoteCount\(max=0\) allows 0",
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
    ("infill", (1,), {"where": NoteCount(min=1, bars=2)}, "is about no notes that are written"),
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
        ({"meter": 4}, "meter 4 is no time signature; write one like '4/4'"),
        ({"chords": "C G Am", "bars": 2}, "the chords have 3 bars, more than the 2 to write"),
    ],
)
def test_a_new_piece_that_cannot_be_is_refused(random_composer, settings, message):
    with pytest.raises((RequestError, SymbolError), match=message):
        random_composer.melody(**settings)


@pytest.mark.parametrize("verb", ["harmonize", "arrange", "extend", "vary", "reduce"])
def test_what_is_no_score_is_refused(random_composer, verb):
    with pytest.raises(RequestError, match="3 is no score; give a Score or the path of a MIDI"):
        getattr(random_composer, verb)(3)


def test_pieces_of_the_kit_that_do_not_exist():
    with pytest.raises(SymbolError, match="drum 'kik' is unknown; did you mean 'kick'"):
        DrumPieces("snare, kik")
    with pytest.raises(RequestError, match="leaves no drum; name some, such as 'kick, snare'"):
        DrumPieces([])
