"""What comes back of a score differs from it only as the ``LossReport`` says."""

import pytest
from hypothesis import given, settings

from composer import Score, Track
from composer.errors import ComposerError
from composer.example_tunes import FOLDER
from tests.fuzz.mutations import made_here
from tests.fuzz.raw_loss import FORMATS, disagreements
from tests.strategies import CHORDS, scores, tokenizers

pytestmark = pytest.mark.slow

formats = pytest.mark.parametrize("tokenizer", FORMATS, ids=lambda t: f"{t.format} {t.config}")
FILES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.mid"))}
FILES |= {f"made here {i}": content for i, content in enumerate(made_here())}


@settings(max_examples=100, deadline=None)
@given(tokenizer=tokenizers, score=scores(chord_texts=(*CHORDS, "H7", "C13", "c-7")))
def test_what_comes_back_of_a_score_differs_as_the_report_says(tokenizer, score):
    assert not disagreements(tokenizer, score)


@pytest.mark.filterwarnings("ignore::composer.errors.ComposerWarning")
@formats
def test_what_comes_back_of_a_file_differs_as_the_report_says(tokenizer):
    refused = 0
    for name, content in FILES.items():
        score = Score.read(content)
        try:
            wrong = disagreements(tokenizer, score)
        except ComposerError:  # more bars than a piece may have
            refused += 1
            continue
        assert not wrong, name
    assert refused < 3


SONG = Score(
    480,
    (
        Track("Flute", 73, notes=[(0, 400, 60, 90), (481, 480, 62, 90), (960, 480, 62, 70)]),
        Track(
            "Piano",
            notes=[(0, 960, 48, 64)],
            pedals=[(7, 900)],
            pitch_bends=[(0, 4000), (960, 0)],
        ),
        Track("Kit", is_drum=True, notes=[(0, 10, 36, 100), (480, 10, 38, 100)]),
    ),
    tempos=[(0, 500_000), (500, 400_000)],
    time_signatures=[(0, 3, 4)],
    chords=[(0, "C"), (700, "G7")],
)


def with_note(track, **changes):
    notes = track.notes.copy()
    for name, value in changes.items():
        notes[name][-1] = value
    return track.replace(notes=notes)


DAMAGES = {
    "a note later": lambda s: {"tracks": (*s.tracks[:-1], with_note(s.tracks[-1], onset=97))},
    "a note longer": lambda s: {"tracks": (with_note(s.tracks[0], duration=999), *s.tracks[1:])},
    "a note louder": lambda s: {"tracks": (*s.tracks[:-1], with_note(s.tracks[-1], velocity=1))},
    "another pitch": lambda s: {"tracks": (*s.tracks[:-1], with_note(s.tracks[-1], pitch=1))},
    "a note less": lambda s: {"tracks": (s.tracks[0].replace(notes=()), *s.tracks[1:])},
    "a track less": lambda s: {"tracks": s.tracks[1:]},
    "another program": lambda s: {"tracks": (s.tracks[0].replace(program=9), *s.tracks[1:])},
    "a name": lambda s: {"tracks": (s.tracks[0].replace(name="x"), *s.tracks[1:])},
    "no pedal": lambda s: {"tracks": [t.replace(pedals=()) for t in s.tracks]},
    "a longer pedal": lambda s: {"tracks": [t.replace(pedals=[(0, 960)]) for t in s.tracks[:1]]},
    "another bend": lambda s: {"tracks": [t.replace(pitch_bends=[(0, 9)]) for t in s.tracks]},
    "no tempo": lambda s: {"tempos": ()},
    "a later tempo": lambda s: {"tempos": [(96, 500_000)]},
    "another meter": lambda s: {"time_signatures": [(0, 4, 4)]},
    "a meter more": lambda s: {"time_signatures": [(0, 3, 4), (s.tpq * 3, 2, 4)]},
    "another chord": lambda s: {"chords": [(0, "Cm"), *s.chords[1:]]},
    "a chord less": lambda s: {"chords": s.chords[:1]},
    "a key": lambda s: {"key_signatures": [(0, 5, 0)]},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_the_report_does_not_say_is_noticed(damage):
    tokenizer = FORMATS[2]
    decoded = tokenizer.decode(tokenizer.encode(SONG))
    assert not disagreements(tokenizer, SONG, decoded)
    assert disagreements(tokenizer, SONG, decoded.replace(**DAMAGES[damage](decoded)))
