"""The verbs on random weights: what is asked for is there, and nothing else has changed."""

import os
import subprocess
import sys

import miditoolkit
import music21
import numpy as np
import pretty_midi
import pytest

import composer
from composer import Score, Text, Track
from composer.api import Composer, load
from composer.errors import ComposerWarning, ModelError, RequestError, SymbolError, TokenError
from composer.request.sampling import Sampling
from composer.theory.chords import parse_chord
from composer.theory.keys import Key


@pytest.fixture(scope="module")
def song():
    """Two parts played freely over eight bars, with all that a score can hold."""
    rng = np.random.default_rng(5)
    lead = [
        (int(t + rng.integers(0, 30)), 400, 60 + i % 12, 80 + i)
        for i, t in enumerate(range(0, 15360, 480))
    ]
    pads = [(1920 * bar, 1990, pitch, 60) for bar in range(8) for pitch in (48, 52, 55)]
    return Score(
        tpq=480,
        tracks=(
            Track(
                "Lead",
                73,
                notes=lead,
                controls=[(0, 7, 100), (5000, 1, 64)],
                pitch_bends=[(4000, 200), (4100, 0)],
                lyrics=[Text(0, "la"), Text(5760, "li")],
            ),
            Track("Pads", 48, notes=pads, pedals=[(0, 1900), (6000, 500)]),
            Track("Kit", is_drum=True, notes=[(480 * i, 60, 38, 90) for i in range(32)]),
        ),
        tempos=[(0, 500_000), (5000, 480_000)],
        time_signatures=[(0, 4, 4)],
        key_signatures=[(0, 0, 0)],
        markers=[Text(0, "Verse"), Text(7680, "Chorus")],
        chords=[Text(0, "C"), Text(3840, "Am"), Text(9600, "F"), Text(11520, "Cmaj7")],
    )


def holding(score, tick):
    texts = [text for at, text in score.chords if at <= tick]
    return texts[-1] if texts else "N.C."


def onsets_in(track, start, end):
    return [tuple(n) for n in track.notes.tolist() if start <= n[0] < end]


def is_monophonic(notes):
    return bool((notes["onset"][1:] >= (notes["onset"] + notes["duration"])[:-1]).all())


# melody


@pytest.mark.parametrize(
    ("meter", "tempo", "part", "key"),
    [("4/4", 90, "flute", None), ("6/8", 200, "violin", "E minor"), ("13/4", 120, "cello", "Eb")],
)
def test_a_melody_over_chords(random_composer, meter, tempo, part, key):
    tune = random_composer.melody(
        "| Am F | C |", bars=5, meter=meter, tempo=tempo, part=part, key=key, range="C3-C5", seed=1
    )
    (track,) = tune.tracks
    assert tune.bars == 5
    assert track.name == part.title()
    assert is_monophonic(track.notes)
    assert track.notes["pitch"].min() >= 48
    assert track.notes["pitch"].max() <= 72
    assert [text for _, text in tune.chords] == ["Am", "F", "C", "Am", "F", "C", "Am", "F"]
    assert tune.tempos["mspq"].tolist() == [round(60e6 / tempo)]
    bars, positions = tune.meter.bar_and_position(track.notes["onset"])
    for pitch in track.notes["pitch"][positions == 0].tolist():
        assert pitch % 12 in {9, 0, 4, 7}
    assert set(bars.tolist()) <= set(range(5))


def test_a_melody_with_its_own_chords(random_composer):
    tune = random_composer.melody(key="Eb", bars=4, seed=2)
    scale = Key.parse("Eb").scale
    assert tune.bars == 4
    assert set((tune.tracks[0].notes["pitch"] % 12).tolist()) <= scale
    ticks = [tick for tick, _ in tune.chords]
    assert {0, 1920, 3840, 5760} >= {tick for tick in ticks if tick % 1920 == 0}
    assert ticks[0] == 0
    assert all(set(parse_chord(text).tones) <= scale for _, text in tune.chords)


# chords


def test_a_progression(random_composer):
    score = random_composer.chords(bars=3, meter="3/4", seed=1)
    (track,) = score.tracks
    assert (track.name, track.program) == ("Chords", 0)
    assert score.bars == 3
    assert score.key_signatures.tolist() == [(0, 0, 0)]
    assert random_composer.chords(bars=2, part=None, seed=1).tracks == ()


def test_harmonising_leaves_the_melody_alone(random_composer):
    tune = composer.example("Coventry Carol")
    score = random_composer.harmonize(tune, seed=3)
    assert score.tracks[0] == tune.tracks[0]
    assert score.replace(tracks=tune.tracks, chords=tune.chords) == tune
    assert score.tracks[1].end == score.meter.bar_start(tune.bars)
    notes = tune.tracks[0].notes
    for tick, text in score.chords:
        tones = {pitch % 12 for on, length, pitch, _ in notes.tolist() if on <= tick < on + length}
        assert tones <= set(parse_chord(text).tones)


def test_drums_play_no_chords(random_composer):
    with pytest.raises(RequestError, match="part 'drums' plays no chords"):
        random_composer.chords(part="drums")


# arrange


@pytest.fixture(scope="module")
def arrangement(random_composer):
    tune = composer.example("Drunken Sailor")
    return tune, random_composer.arrange(tune, ["piano", "bass", "drums", "strings"], seed=1)


def test_an_arrangement_keeps_the_tune(arrangement):
    tune, song = arrangement
    assert song.replace(tracks=song.tracks[:1]) == tune
    names = [(track.name, track.program, track.is_drum) for track in song.tracks[1:]]
    assert [name for name, *_ in names] == ["Piano", "Bass", "Drums", "Strings"]
    assert [drum for *_, drum in names] == [False, False, True, False]
    assert song.end <= song.meter.bar_start(tune.bars)


def test_every_part_of_an_arrangement_keeps_its_rules(arrangement):
    tune, song = arrangement
    _, piano, bass, drums, strings = (track.notes for track in song.tracks)
    assert is_monophonic(bass)
    assert 28 <= bass["pitch"].min() <= bass["pitch"].max() <= 55
    assert 35 <= drums["pitch"].min() <= drums["pitch"].max() <= 81
    for tick in song.meter.bar_start(np.arange(tune.bars)).tolist():
        chord = parse_chord(holding(song, tick))
        root = chord.root if chord.bass is None else chord.bass
        assert set((bass["pitch"][bass["onset"] == tick] % 12).tolist()) <= {root}
        for notes in (piano, strings):
            sounding = notes["pitch"][notes["onset"] == tick] % 12
            assert set(sounding.tolist()) <= chord.pitch_classes
    for notes in (piano, bass, drums, strings):
        bars, _ = song.meter.bar_and_position(notes["onset"])
        held, _ = song.meter.bar_and_position(notes["onset"] + notes["duration"] - 1)
        sounding = {
            b for first, last in zip(bars, held, strict=True) for b in range(first, last + 1)
        }
        assert sounding == set(range(tune.bars))


def test_other_libraries_read_an_arrangement(arrangement, tmp_path):
    _, song = arrangement
    path = str(tmp_path / "song.mid")
    song.write(path)
    mine = [[tuple(note) for note in track.notes.tolist()] for track in song.tracks]
    assert Score.read(path).tracks[1].notes.tolist() == mine[1]
    kit = miditoolkit.MidiFile(path)
    for track, notes in zip(kit.instruments, mine, strict=True):
        theirs = [(n.start, n.end - n.start, n.pitch, n.velocity) for n in track.notes]
        assert sorted(theirs) == sorted(notes)
    pretty = pretty_midi.PrettyMIDI(path)
    for track, notes in zip(pretty.instruments, mine, strict=True):
        theirs = [
            (pretty.time_to_tick(n.start), pretty.time_to_tick(n.end), n.pitch) for n in track.notes
        ]
        assert sorted(theirs) == sorted((on, on + length, pitch) for on, length, pitch, _ in notes)
    file = music21.midi.MidiFile()
    file.open(path)
    file.read()
    file.close()
    _, *tracks = file.tracks
    for track, notes in zip(tracks, mine, strict=True):
        events = music21.midi.translate.getTimeForEvents(track)
        read = music21.midi.translate.getNotesFromEvents(events)
        quarters = [(n.onTime / 480, (n.offTime - n.onTime) / 480, n.event.pitch) for n in read]
        assert sorted(quarters) == sorted((on / 480, d / 480, pitch) for on, d, pitch, _ in notes)


def test_an_arrangement_of_chords_given_as_text(random_composer):
    tune = composer.example("Drunken Sailor")
    song = random_composer.arrange(tune, "piano", chords="Dm | C |", seed=1)
    assert [text for _, text in song.chords][:4] == ["Dm", "C", "Dm", "C"]
    with pytest.raises(RequestError, match=r"the chords have .* bars, more than"):
        random_composer.arrange(tune, "piano", chords="C " * 200)


def test_a_tune_without_chords_is_harmonised_first(random_composer):
    tune = composer.example("Drunken Sailor").replace(chords=())
    song = random_composer.arrange(tune, ["piano"], seed=1)
    assert song.chords
    assert song.tracks[0] == tune.tracks[0]


def test_tracks_may_be_left_out_but_the_length_stays(random_composer, song):
    short = song.replace(tracks=(Track("Intro", notes=[(0, 480, 60, 90)]), *song.tracks))
    new = random_composer.arrange(short, "bass, drums", keep="Intro", seed=1)
    assert [track.name for track in new.tracks] == ["Intro", "Bass", "Drums"]
    assert new.bars == 8


def test_free_playing_is_arranged_without_a_change(random_composer, song):
    new = random_composer.arrange(song, ["bass"], seed=1)
    assert new.replace(tracks=new.tracks[:3]) == song


# infill


def test_infill_changes_nothing_else(random_composer, song):
    new = random_composer.infill(song, "3-4", ["Lead"], seed=1)
    start, end = 3840, 7680
    assert new.tracks[1:] == song.tracks[1:]
    assert new.replace(tracks=song.tracks) == song
    lead, before = new.tracks[0], song.tracks[0]
    assert lead.replace(notes=before.notes) == before
    for span in ((0, start), (end, 1 << 30)):
        assert onsets_in(lead, *span) == onsets_in(before, *span)
    assert onsets_in(lead, start, end) != onsets_in(before, start, end)


def test_infill_leaves_notes_that_ring_in(random_composer, song):
    new = random_composer.infill(song, (3, 3), "Pads", seed=2)
    assert onsets_in(new.tracks[1], 0, 3840) == onsets_in(song.tracks[1], 0, 3840)
    notes = new.tracks[1].notes
    for pitch in set(notes["pitch"].tolist()):
        line = notes[notes["pitch"] == pitch]
        new_one = (line["onset"] >= 3840) & (line["onset"] < 5760)
        ends = (line["onset"] + line["duration"])[:-1]
        assert (line["onset"][1:] >= ends)[new_one[1:] | new_one[:-1]].all()


def test_infill_of_all_tracks_and_of_chords(random_composer, song):
    new = random_composer.infill(song, "2", seed=1)
    assert all(a != b for a, b in zip(new.tracks, song.tracks, strict=True))
    assert new.chords == song.chords
    chords = random_composer.infill(song, "2-3", "chords", seed=1)
    assert chords.tracks == song.tracks
    for tick in range(0, 15360, 480):
        if not 1920 <= tick < 5760:
            assert holding(chords, tick) == holding(song, tick)
    assert any(1920 <= tick < 5760 for tick, _ in chords.chords)


# errors of use


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"key": "H major"}, SymbolError, "key 'H major'"),
        ({"chords": "Am Qx"}, SymbolError, "Qx"),
        ({"chords": ""}, SymbolError, "no chords"),
        ({"part": "wooden thing"}, SymbolError, "wooden thing"),
        ({"range": "C9-C1"}, RequestError, "range"),
        ({"range": "low"}, RequestError, "range 'low' cannot be read"),
        ({"bars": 0}, RequestError, "bars 0"),
        ({"chords": "C G Am", "bars": 2}, RequestError, "the chords have 3 bars"),
        ({"tempo": 1000}, RequestError, "tempo 1000"),
        ({"meter": "four"}, SymbolError, "meter 'four'"),
        ({"temperature": 9}, RequestError, "temperature 9"),
        ({"top_p": 0}, RequestError, "top_p 0"),
        ({"seed": -1}, RequestError, "seed -1"),
        (
            {"range": "F#4-F#4", "chords": "C", "key": "C"},
            RequestError,
            "no pitch in bar 1 of Flute",
        ),
    ],
)
def test_a_melody_that_cannot_be_is_refused(random_composer, arguments, error, message):
    with pytest.raises(error, match=message):
        random_composer.melody(**arguments)


@pytest.mark.parametrize(
    ("bars", "parts", "message"),
    [
        ("9-12", None, "bars 9 to 12 are not in the score, which has 1 to 8"),
        ("x", None, "cannot be read"),
        ("1", ["Tuba"], "has no track 'Tuba'"),
        ("1", [], "parts is empty"),
        ("1", 4, "has no track 4"),
    ],
)
def test_an_infill_that_cannot_be_is_refused(random_composer, song, bars, parts, message):
    with pytest.raises(RequestError, match=message):
        random_composer.infill(song, bars, parts)


def test_other_errors_of_use(random_composer, song, tmp_path):
    for verb in (random_composer.harmonize, random_composer.arrange):
        with pytest.raises(RequestError, match="no notes and no chords"):
            verb(Score())
    with pytest.raises(composer.MidiError, match=r"missing\.mid"):
        random_composer.arrange(tmp_path / "missing.mid")
    with pytest.raises(RequestError, match="instruments is empty"):
        random_composer.arrange(song, [])
    twins = song.replace(tracks=song.tracks[:1] * 2)
    with pytest.raises(RequestError, match="tracks 1 and 2 are both called 'Lead'"):
        random_composer.infill(twins, "1", "Lead")
    with pytest.raises(TokenError, match="65 tracks; cells holds 64"):
        random_composer.arrange(song.replace(tracks=song.tracks[1:2] * 64), "bass")
    with pytest.warns(ComposerWarning, match="cannot be read"):
        random_composer.infill(song.replace(chords=[Text(0, "what?")]), "1", seed=1)


def test_a_bar_too_big_for_the_context(decoders, cells, song):
    small = Composer(decoders[512], cells)
    with pytest.raises(RequestError, match="write fewer parts at once"):
        small.arrange(song.replace(tracks=()), ["piano"] * 60, seed=1)


# chance


def test_the_same_seed_gives_the_same_music(random_composer):
    def write(seed):
        return random_composer.melody("C G", seed=seed)

    assert write(4) == write(4)
    assert write(4) != write(5)
    assert write(None) != write(None)


# models


def test_a_model_folder_is_loaded(model_folder, tmp_path):
    assert load(model_folder).melody("C", seed=1).bars == 1
    with pytest.raises(ModelError, match="is not a folder"):
        load(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"has no composer\.json"):
        load(tmp_path)


def test_model_and_tokenizer_have_to_agree(decoders):
    from composer.tokenizers.cells.cells import Cells, CellsConfig

    with pytest.raises(ModelError, match="take both from one folder"):
        Composer(decoders[512], Cells(CellsConfig(velocity_bins=8)))


def repeated_notes(tune):
    return float((np.diff(tune.tracks[0].notes["pitch"]) == 0).mean())


def repeated_bars(tune):
    """Return the share of bars that are as another one is."""
    notes, bar = tune.tracks[0].notes, 4 * tune.tpq
    bars = [notes[(notes["onset"] // bar) == i] for i in range(tune.bars)]
    said = [
        [(n["onset"] % bar, n["duration"], n["pitch"], n["velocity"]) for n in bar_notes]
        for bar_notes in bars
    ]
    return sum(said.count(one) > 1 for one in said) / len(said)


@pytest.mark.parametrize(
    ("name", "measure"), [("repeat_notes", repeated_notes), ("repeat_bars", repeated_bars)]
)
def test_repetition_can_be_had_and_avoided(name, measure):
    def mean(value):
        settings = Sampling(0.9, 0.95, **{name: value})
        tunes = [composer.melody("C G", bars=12, seed=s, sampling=settings) for s in range(3)]
        return np.mean([measure(tune) for tune in tunes])

    shares = [mean(value) for value in (0.01, 1, 100)]
    assert shares == sorted(shares)
    assert shares[0] < shares[2] / 2


@pytest.mark.slow
def test_the_seed_decides_in_any_process():
    code = (
        "import composer; tune = composer.melody('Am F', bars=4, seed=5); "
        "song = composer.arrange(tune, ['piano', 'drums'], seed=5); "
        "print([track.notes.tolist() for track in song.tracks])"
    )

    def music(**environment):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    first = music(PYTHONHASHSEED="1", NUMBA_NUM_THREADS="1")
    assert first == music(PYTHONHASHSEED="2", NUMBA_NUM_THREADS="2", OMP_NUM_THREADS="2")
    assert first.count("(") > 20
