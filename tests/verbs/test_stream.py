from itertools import islice, pairwise

import numpy as np
import pytest

from composer import RequestError, Sampling, SymbolError
from composer.theory.chords import parse_chord
from composer.theory.keys import Key


def song(bars):
    """Return the notes of each track of bars behind each other: onset, end and pitch in ticks."""
    length = 4 * bars[0].tpq
    return [
        [
            (bar * length + n["onset"], bar * length + n["onset"] + n["duration"], n["pitch"])
            for bar, score in enumerate(bars)
            for n in score.tracks[row].notes
        ]
        for row in range(len(bars[0].tracks))
    ]


def test_bars_come_one_by_one_each_with_its_chord(random_composer):
    stream = random_composer.stream("Am F | C Dm/F G7", instruments=["piano", "drums"], seed=1)
    bars = list(islice(stream, 5))
    first, second = [(0, "Am"), (960, "F")], [(0, "C"), (960, "Dm/F"), (1440, "G7")]
    said = [[tuple(chord) for chord in bar.chords] for bar in bars]
    assert said == [first, second, first, second, first]
    assert stream.bars == 5
    for bar in bars:
        assert [track.name for track in bar.tracks] == ["Flute", "Piano", "Drums"]
        for track in bar.tracks:
            assert (track.notes["onset"] < 4 * bar.tpq).all()


def test_one_seed_gives_one_stream(random_composer):
    first, again, other = (
        list(islice(random_composer.stream("C F", instruments=["bass"], seed=seed), 6))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_notes_sound_over_bar_lines_and_never_twice_at_once(random_composer):
    bars = list(islice(random_composer.stream("C G", instruments=["piano"], seed=3), 60))
    length = 4 * bars[0].tpq
    assert any(
        end % length and end // length > onset // length for t in song(bars) for onset, end, _ in t
    )
    for notes in song(bars):
        for pitch in {pitch for *_, pitch in notes}:
            sounding = sorted((onset, end) for onset, end, p in notes if p == pitch)
            assert all(end <= onset for (_, end), (onset, _) in pairwise(sounding))


@pytest.mark.parametrize(
    ("change", "guidance"),
    [
        ({"sampling": Sampling(0.8)}, 3),
        ({"temperature": 0.8}, 3),
        ({"sampling": Sampling(0.8, guidance=1.5)}, 1.5),
        ({"guidance": 1}, 1),
        ({"sampling": Sampling(0.8), "guidance": 2.5}, 2.5),
    ],
    ids=str,
)
def test_controls_weigh_as_before_unless_a_change_says_otherwise(change, guidance, random_composer):
    stream = random_composer.stream("Am F", density="busy", guidance=3, seed=1)
    assert next(stream).history[-1].author.sampling.guidance == 3
    stream.change(**change)
    after = next(stream).history[-1].author.sampling
    assert after.guidance == guidance
    assert after.temperature == (0.9 if change == {"guidance": 1} else 0.8)


def test_what_is_changed_holds_from_the_next_bar_on(random_composer):
    stream = random_composer.stream("Am F C G", seed=1)
    next(stream)
    stream.change(chords="Dm7 Bb", tempo=90, meter="3/4")
    bars = list(islice(stream, 3))
    assert [bar.chords[0].text for bar in bars] == ["Dm7", "Bb", "Dm7"]
    for bar in bars:
        assert bar.time_signatures[["numerator", "denominator"]].tolist() == [(3, 4)]
        assert 60e6 / bar.tempos["mspq"][0] == pytest.approx(90, rel=0.03)
    stream.change(key="E major", chords=None)
    bars = list(islice(stream, 8))
    assert {key for bar in bars for key in bar.key_signatures["sharps"].tolist()} == {4}
    pitches = {pitch % 12 for bar in bars for pitch in bar.tracks[0].notes["pitch"].tolist()}
    allowed = Key.parse("E major").scale
    tones = {c for bar in bars for text in bar.chords for c in parse_chord(text.text).pitch_classes}
    assert pitches <= allowed | tones
    assert all(bar.chords for bar in bars)


def test_settings_can_be_changed_alone(random_composer):
    cold, warm = (random_composer.stream("C", seed=1, temperature=t) for t in (0.0, 2.0))
    next(cold), next(warm)
    warm.change(temperature=0)
    warm.change(sampling=Sampling(0, repeat_notes=0.5), top_p=0.5)
    assert next(warm).tracks[0].notes.size
    again = random_composer.stream("C", seed=9, temperature=0.0)
    next(again)
    assert next(cold) == next(again)  # no chance is left


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"chords": "H7"}, SymbolError, "H7"),
        ({"tempo": 1000}, RequestError, "tempo 1000 bpm is outside"),
        ({"temperature": 9}, RequestError, "temperature 9 is outside"),
        ({"sampling": 0.9}, RequestError, "sampling 0.9 is not a Sampling; for example Sampling"),
        ({"colour": "blue"}, RequestError, r"change\(\) knows no 'colour'; it takes chords, key"),
        ({"chords": "C", "meter": "4/3"}, (SymbolError, RequestError), "4/3"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(changes, error, message, random_composer):
    streams = [random_composer.stream("Am F C G", seed=5) for _ in range(2)]
    for stream in streams:
        next(stream)
    with pytest.raises(error, match=message):
        streams[0].change(**changes)
    assert next(streams[0]) == next(streams[1])


def test_a_stream_without_parts_is_refused(random_composer):
    with pytest.raises(RequestError, match="no part to write; name a melody or instruments"):
        random_composer.stream("C", melody=None)


def test_what_is_kept_does_not_grow(random_composer):
    stream = random_composer.stream("C F G C", instruments=["bass"], seed=2)
    kept = []
    for _ in range(150):
        next(stream)
        kept.append(len(stream._writer.grid.bars))
    assert max(kept) <= 51
    assert np.max(kept[75:]) <= np.max(kept[:75])
    assert stream.bars == 150


def test_chords_stay_as_they_were_written_with_their_keys_and_meters(random_composer):
    stream = random_composer.stream("| C13 | (3/4) F#m7b5 B7alt |", instruments=["bass"], seed=1)
    first, second, third = islice(stream, 3)
    assert [tuple(chord) for chord in first.chords] == [(0, "C13")]
    assert [tuple(chord) for chord in second.chords] == [(0, "F#m7b5"), (960, "B7alt")]
    assert [bar.time_signatures["numerator"].tolist() for bar in (first, second, third)] == [
        [4],
        [3],
        [4],
    ]
    stream.change(chords="[key: D] I IV")
    bar = next(stream)
    assert (bar.chords[0].text, bar.key_signatures["sharps"].tolist()) == ("D", [2])
    stream.change(chords="C")  # heard in the old key
    assert next(stream).key_signatures["sharps"].tolist() == [2]
