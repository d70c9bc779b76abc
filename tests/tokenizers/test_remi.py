import dataclasses
import itertools
import random
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import ModelError, Score, TokenError, Track
from composer.theory.chords import NO_CHORD, QUALITIES, parse_chord
from composer.theory.keys import Key
from composer.tokenizers import REMI, RemiConfig, REMIPlus
from tests.strategies import remis, scores, seeds, walk

PLUS = REMIPlus().config
FORMATS = [
    REMI(),
    REMIPlus(),
    REMI(RemiConfig(time_signatures=True, tempos=False, velocity_bins=1)),
    REMI(RemiConfig(tempos=False, chords=False, velocity_bins=64)),
    REMIPlus(dataclasses.replace(PLUS, time_signatures=False, chords=False, velocity_bins=5)),
    REMIPlus(dataclasses.replace(PLUS, tempos=False)),
    REMI(RemiConfig(rests=True, pedals=True, pitch_bends=9, microtiming=4)),
    REMI(RemiConfig(resolution=24, velocity_bins=127, tempo_bins=97, relative_pitch=True)),
    REMIPlus(dataclasses.replace(PLUS, rests=True, pedals=True, drum_tokens=False)),
    REMIPlus(dataclasses.replace(PLUS, pitch_bends=3, rests=True, tempos=False, resolution=4)),
    REMIPlus(dataclasses.replace(PLUS, microtiming=10, velocity_bins=0, durations=(1, 3, 12, 90))),
    REMIPlus(
        dataclasses.replace(
            PLUS, relative_pitch=True, microtiming=2, pedals=True, pitch_bends=255, rests=True
        )
    ),
]
formats = pytest.mark.parametrize("remi", FORMATS, ids=lambda remi: str(remi.config))


def obvious(remi, score):
    """Return the tokens of a quantised score, one place after the other."""
    config, steps, half = remi.config, remi.bins.steps, remi.bins.steps // 2
    said = defaultdict(list)  # tick -> (order, tokens)
    shift = 0
    tokens = ["BOS"]
    if config.relative_pitch:
        key = Key.from_signature(*score.key_signatures[0].tolist()[1:])
        shift = {"major": 0, "minor": 9}[key.mode] - key.tonic
        shift = (shift + 5) % 12 - 5
        tokens.append(f"Key_{key.tonic}{key.mode[:3]}")
    labels = (
        remi.vocabulary.families[remi.vocabulary.index("Tempo")].labels if config.tempos else ()
    )
    for tick, mspq in score.tempos.tolist():
        said[tick].append((-3, [f"Tempo_{labels[remi.bins.tempos.tolist().index(mspq)]}"]))
    for tick, text in score.chords:
        said[tick].append((-2, chord_tokens(text, shift)))
    ends, silent = [chord.tick + 1 for chord in score.chords], defaultdict(lambda: True)
    for track in score.tracks:
        program = "drums" if track.is_drum else track.program
        order = 1000 * (128 if track.is_drum else track.program)
        head = [f"Program_{program}"] * config.programs
        for tick, length in track.pedals.tolist():
            said[tick].append((order + 1, [*head, "Pedal_down"]))
            said[tick + length].append((order, [*head, "Pedal_up"]))
            ends.append(tick + length + half + 1)
        for tick, value in track.pitch_bends.tolist():
            said[tick].append((order + 2, [*head, f"Bend_{value}"]))
            ends.append(tick + half + 1)
        for tick, duration, pitch, velocity in track.notes.tolist():
            own = track.is_drum and config.drum_tokens
            row = [*head, f"Drum_{pitch}" if own else f"Pitch_{pitch + shift * (not own)}"]
            if config.velocity_bins == 127:
                row.append(f"Velocity_{velocity - 1}")
            elif config.velocity_bins:
                row.append(f"Velocity_{velocity * config.velocity_bins // 128}")
            row += [] if track.is_drum else [f"Duration_{duration // steps}"]
            said[tick].append((order + 3 + pitch, row))
            position = (tick + half) // steps
            ends.append((position * steps) + duration)
            for sounding in range(position, position + duration // steps):
                silent[sounding] = False
    bars = max(1, score.meter.bars_until(max(ends, default=0)))
    starts = score.meter.bar_start(range(bars + 1)).tolist()
    for start, end in pairwise(starts):
        tokens.append("Bar")
        if config.time_signatures:
            tokens += [f"TimeSig_{n}/{d}" for t, n, d in score.time_signatures if t == start]
        run = 0  # positions of silence behind
        for position in range(end // steps - 1, start // steps - 1, -1) if config.rests else ():
            run = run + 1 if silent[position] else 0
            if run >= config.resolution // 2 and (
                position == start // steps or not silent[position - 1]
            ):
                said[position * steps].append((-1, ["Rest"]))
        for tick in range(start - half, end - half):
            if tick in said:
                position = (tick + half) // steps
                tokens.append(f"Position_{position - start // steps}")
                if config.microtiming:
                    tokens.append(f"Offset_{tick - position * steps}")
                tokens += [token for _, row in sorted(said[tick]) for token in row]
    return [*tokens, "EOS"]


def chord_tokens(text, shift):
    chord = parse_chord(text)
    if chord is None:
        return ["Chord_N.C."]
    bass = [] if chord.bass is None else [f"Bass_{(chord.bass + shift) % 12}"]
    root = (chord.root + shift) % 12
    return [f"Chord_{root}:{QUALITIES[chord.quality].name or 'maj'}", *bass]


def read(remi, *tokens):
    return remi.decode([remi.vocabulary.id(token) for token in tokens])


def assert_round_trip(remi, score):
    quantized = remi.quantize(score)
    assert remi.quantize(quantized) == quantized
    ids = remi.encode(quantized)
    assert ids.dtype == np.int32
    assert np.array_equal(remi.encode(score), ids)
    assert np.array_equal(remi.grammar.check(ids), ids)
    assert remi.grammar._scan.accepts(ids)
    assert remi.validate(ids, canonical=True) == []  # a walk
    decoded = remi.decode(ids)
    assert decoded == quantized
    assert np.array_equal(remi.encode(decoded), ids)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(remi=remis, score=scores())
def test_round_trip_in_every_configuration(remi, score):
    assert_round_trip(remi, score)


def every_combination():
    """Every combination of what is said or not; numbers of bins by chance."""
    rng = random.Random(0)
    names = "time_signatures tempos chords rests pedals drum_tokens relative_pitch".split()
    switches = itertools.product((False, True), repeat=len(names) + 4)
    for programs, velocities, microtiming, bends, *said in switches:
        settings = dict(zip(names, said, strict=True))
        drum_tokens, relative = settings["drum_tokens"], settings["relative_pitch"]
        if (not drum_tokens and not programs) or (relative and not drum_tokens):
            continue
        yield RemiConfig(
            programs=programs,
            velocity_bins=rng.choice((1, 7, 32, 127)) * velocities,
            microtiming=rng.choice((2, 8)) * microtiming,
            pitch_bends=rng.choice((3, 63)) * bends,
            resolution=rng.choice((4, 12, 24)),
            durations=rng.choice((None, (1, 5, 30))),
            **settings,
        )


PIECE = Score(
    480,
    (
        Track("Flute", 73, notes=[(35, 700, 72, 90), (1930, 1, 72, 3), (9000, 9000, 60, 127)]),
        Track(
            "Second",
            73,
            notes=[(40, 100, 72, 80), (961, 477, 60, 64)],
            pedals=[(0, 481), (470, 200), (2000, 9)],
            pitch_bends=[(0, -8192), (960, 100), (1000, 8191)],
        ),
        Track("Piano", notes=[(0, 0, 0, 1), (0, 1920, 127, 50)], pedals=[(700, 30_000)]),
        Track("Kit", 5, is_drum=True, notes=[(0, 10, 36, 100), (36, 10, 36, 9), (77, 0, 127, 1)]),
    ),
    tempos=[(0, 400_000), (31, 900_000), (4000, 899_000), (7000, 16_000_000)],
    time_signatures=[(0, 7, 8), (1690, 3, 4), (5000, 2, 1), (9000, 5, 16)],
    key_signatures=[(0, -3, 1)],
    chords=[(0, "Cm/Eb"), (470, "Cm/D#"), (485, "F13"), (30_000, "N.C.")],
)


@pytest.mark.slow
def test_round_trip_of_one_piece_in_every_combination():
    configs = list(every_combination())
    assert len(set(configs)) == 2**8 * 5
    for config in configs:
        assert_round_trip((REMIPlus if config.programs else REMI)(config), PIECE)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(remi=remis, score=scores(max_tracks=3))
def test_arrays_say_what_a_plain_loop_says(remi, score):
    assert remi.ids_to_tokens(remi.encode(score)) == obvious(remi, remi.quantize(score))


@settings(max_examples=250, deadline=None)
@given(remi=remis, seed=seeds, length=st.integers(0, 150))
def test_whatever_the_grammar_allows_is_music(remi, seed, length):
    drawn = walk(remi.grammar, seed, length)
    assert remi.validate(drawn) == []
    score = remi.decode(drawn)
    ids = remi.encode(score)
    assert remi.quantize(score).tracks == score.tracks
    assert remi.quantize(score).chords == score.chords
    assert (remi.validate(drawn, canonical=True) == []) == np.array_equal(ids, drawn)
    assert np.array_equal(remi.encode(remi.decode(ids)), ids)
    assert remi.validate(ids, canonical=True) == []


LONG_NOTE = "Pitch_60 Velocity_1 Duration_24 Position_24 Pitch_60 Velocity_1 Duration_20"


@pytest.mark.parametrize(
    ("settings", "tokens", "place"),
    [
        ({}, "Pitch_60 Velocity_1 Duration_96 EOS", 7),  # bars are missing
        ({}, "Pitch_60 Velocity_1 Duration_4 Bar EOS", 7),
        ({}, "Bar Position_0 Tempo_20 EOS", 4),  # nothing is there to be slow
        ({}, "Chord_N.C. Bar Position_0 Chord_N.C. EOS", 5),
        ({"rests": True}, "EOS", 4),  # Rest is missing
        ({"rests": True}, "Rest Position_5 Rest EOS", 5),
        ({"rests": True}, f"{LONG_NOTE} Position_44 Rest EOS", 11),  # too short for one
        ({"pedals": True}, "Pedal_down EOS", 5),
        ({"pitch_bends": 3}, "Bend_0 EOS", 4),
        ({"pitch_bends": 3}, "Bend_8191 Position_3 Bend_8191 EOS", 5),
    ],
)
def test_more_ways_than_encodings_are_grammar_but_not_canonical(settings, tokens, place):
    remi = REMI(RemiConfig(**settings))
    ids = remi.tokens_to_ids(f"BOS Bar Position_0 Tempo_120 {tokens}".split())
    assert remi.validate(ids) == []
    assert [breach.place for breach in remi.validate(ids, canonical=True)] == [place]
    assert remi.validate(remi.encode(remi.decode(ids)), canonical=True) == []


def test_a_leading_and_a_trailing_empty_bar_are_said():
    remi = REMI()
    late = remi.encode(Score(12, tracks=[Track(notes=[(96, 96, 60, 90)])]))
    assert (
        remi.ids_to_tokens(late)[1:]
        == (
            "Bar Position_0 Tempo_120 Bar Bar Position_0 Pitch_60 Velocity_11 Duration_96 Bar EOS"
        ).split()
    )


def test_remi_merges_tracks_into_one_piano_and_leaves_drums_out():
    flute = Track("Flute", 73, notes=[(0, 12, 72, 90)])
    bass = Track("Bass", 32, notes=[(0, 24, 40, 90), (0, 6, 72, 90)])
    drums = Track("Drums", is_drum=True, notes=[(0, 12, 36, 90)])
    merged = REMI().quantize(Score(12, tracks=(flute, drums, bass)))
    assert merged.tracks == (Track(notes=[(0, 24, 40, 92), (0, 12, 72, 92)]),)


def test_remi_makes_bars_common_time_and_moves_no_note():
    waltz = Score(
        12, (Track(notes=[(36, 12, 60, 90), (72, 12, 62, 90)]),), time_signatures=[(0, 3, 4)]
    )
    quantized = REMI().quantize(waltz)
    assert quantized.time_signatures.tolist() == [(0, 4, 4)]
    assert quantized.tracks[0].notes["onset"].tolist() == [36, 72]


def test_remi_plus_has_one_track_a_program_drums_last():
    hit, note = [(0, 9, 36, 90)], [(0, 12, 60, 90)]
    score = Score(
        tpq=12,
        tracks=(
            Track("Kit", 5, is_drum=True, notes=hit),
            Track("Flute", 73, notes=note),
            Track("Silent", 40),
            Track("Piano", 0, notes=note),
            Track("Second flute", 73, notes=[(12, 12, 60, 90)]),
        ),
    )
    parts = [(t.program, t.is_drum, len(t.notes)) for t in REMIPlus().quantize(score).tracks]
    assert parts == [(0, False, 1), (73, False, 2), (0, True, 1)]


def test_what_has_no_token_goes():
    score = Score(
        12,
        (Track("Flute", 73, notes=[(0, 48, 60, 90)], controls=[(0, 7, 1)]),),
        key_signatures=[(0, 2, 0)],
        markers=[(0, "Verse")],
        tempos=[(0, 500_000), (48, 250_000)],
        time_signatures=[(0, 4, 4), (48, 3, 4)],
    )
    quantized = REMIPlus().quantize(score)
    assert not len(quantized.key_signatures)
    assert not quantized.markers
    assert quantized.tracks[0] == Track(program=73, notes=[(0, 48, 60, 92)])
    assert quantized.tempos["tick"].tolist() == quantized.time_signatures["tick"].tolist() == [0]


@pytest.mark.parametrize("remi", [REMI(), REMIPlus()], ids=["remi", "remi+"])
def test_an_empty_score_is_one_empty_bar(remi):
    empty = remi.quantize(Score())
    assert remi.decode(remi.encode(Score())) == empty
    assert remi.ids_to_tokens(remi.encode(Score())).count("Bar") == 1


def test_a_chord_said_again_is_no_change():
    head = ["BOS", "Bar", "Position_0", "Tempo_120"]
    again = ["Chord_N.C.", "Bar", "Position_6", "Chord_0:maj", "Bass_4", "Bar", "Position_0"]
    score = read(REMI(), *head, *again, "Chord_0:maj", "Bass_4", "EOS")
    assert [tuple(chord) for chord in score.chords] == [(0, NO_CHORD), (54, "C/E")]


@pytest.mark.parametrize(
    ("tokens", "place"),
    [
        ("BOS Position_0", 1),
        ("BOS Bar Position_0", 2),  # no time signature
        ("BOS Bar TimeSig_3/4 Position_6", 3),  # no tempo at 0
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Tempo_101", 5),
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Position_36", 5),  # behind the bar
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Bar TimeSig_3/4", 6),  # no change
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Position_3 Tempo_120", 6),  # no change
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Chord_2:m Bass_2", 6),  # bass is the root
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Chord_N.C. Bass_2", 6),
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Pitch_60", 5),  # no program
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Program_drums Pitch_60", 6),
        ("BOS Bar TimeSig_3/4 Position_0 Tempo_120 Program_drums Drum_1 Velocity_0 Duration_1", 8),
    ],
)
def test_a_breach_is_reported_with_its_place(tokens, place):
    with pytest.raises(TokenError, match=rf"at place {place} breaks the grammar"):
        read(REMIPlus(), *tokens.split())


@pytest.mark.parametrize(
    ("first", "then", "refused"),
    [
        ("Program_5 Pitch_60", "Program_5 Pitch_61", None),
        ("Program_5 Pitch_60", "Program_5 Pitch_60", "Pitch_60"),
        ("Program_5 Pitch_60", "Program_6 Pitch_0", None),
        ("Program_5 Pitch_60", "Program_4 Pitch_61", "Program_4"),
        ("Program_5 Pitch_127", "Program_5 Pitch_127", "Program_5"),  # no pitch is left
        ("Program_5 Pitch_127", "Program_drums Drum_0", None),
    ],
)
def test_notes_of_one_onset_rise_by_program_then_pitch(first, then, refused):
    remi, head = REMIPlus(), "BOS Bar TimeSig_3/4 Position_0 Tempo_120"
    end = "Velocity_0" if "Drum" in then else "Velocity_0 Duration_1"
    tokens = f"{head} {first} Velocity_0 Duration_1 {then} {end} EOS".split()
    if refused:
        with pytest.raises(TokenError, match=f"{refused} at place {tokens.index(refused, 8)} "):
            read(remi, *tokens)
    else:
        assert sum(len(track.notes) for track in read(remi, *tokens).tracks) == 2


def test_pitches_rise_in_remi_and_begin_anywhere_after_a_chord():
    remi, head = REMI(), "BOS Bar Position_0 Tempo_120 Chord_11:m"
    note = "Velocity_0 Duration_1"
    assert read(remi, *f"{head} Pitch_0 {note} Pitch_1 {note} EOS".split()).end == 1
    with pytest.raises(TokenError, match="Pitch_1 at place 8"):
        read(remi, *f"{head} Pitch_1 {note} Pitch_1 {note} EOS".split())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: REMI(PLUS), "programs=True contradicts REMI; use REMIPlus"),
        (lambda: REMIPlus(RemiConfig()), "programs=False contradicts REMIPlus; use REMI"),
        (lambda: RemiConfig(velocity_bins=65), "velocity_bins 65 is outside 0 to 64, or 127"),
        (lambda: RemiConfig(velocity_bins=True), "velocity_bins True is outside"),
        (lambda: RemiConfig(tempos="no"), "tempos 'no' is neither True nor False"),
        (lambda: RemiConfig(tempo_bins=1), "tempo_bins 1 is outside 2 to 193"),
        (lambda: RemiConfig(resolution=6), "resolution 6 is outside a multiple of 4 from 4 to 96"),
        (lambda: RemiConfig(microtiming=5), "microtiming 5 is outside 0, or an even number"),
        (lambda: RemiConfig(pitch_bends=8), "pitch_bends 8 is outside 0, or odd, 3 to 255"),
        (lambda: RemiConfig(durations=(4, 2)), "durations .4, 2. must be positions, rising"),
        (lambda: RemiConfig(durations=()), "durations .. must be positions, rising"),
        (lambda: RemiConfig(tempos=False, tempo_bins=9), "tempo_bins=9 contradicts tempos=False"),
        (lambda: RemiConfig(drum_tokens=False), "drum_tokens=False needs programs=True"),
        (
            lambda: RemiConfig(programs=True, drum_tokens=False, relative_pitch=True),
            "drum_tokens=False contradicts relative_pitch=True",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message):
    with pytest.raises(TokenError, match=message):
        make()


def test_unknown_settings_are_refused():
    with pytest.raises(TypeError, match="velocity_bin"):
        RemiConfig(velocity_bin=3)


@formats
def test_save_and_load(remi, tmp_path):
    remi.save(tmp_path)
    loaded = type(remi).load(tmp_path)
    assert (loaded.config, loaded.vocabulary) == (remi.config, remi.vocabulary)


def test_load_refuses_another_format(tmp_path):
    REMI().save(tmp_path)
    with pytest.raises(ModelError, match=r"holds the format 'remi', not 'remi\+'"):
        REMIPlus.load(tmp_path)


@formats
def test_every_duration_has_a_token(remi):
    table, tpq = remi.bins.durations * remi.bins.steps, remi.bins.tpq
    notes = [(40 * tpq * i, length, 60, 64) for i, length in enumerate(table.tolist())]
    score = remi.quantize(Score(tpq, tracks=[Track(notes=notes)]))
    assert score.tracks[0].notes["duration"].tolist() == table.tolist()
    assert remi.decode(remi.encode(score)) == score
