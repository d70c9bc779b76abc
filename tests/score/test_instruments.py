import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.score.instruments import (
    GM_DRUMS,
    GM_PROGRAMS,
    Instrument,
    parse_instrument,
    parse_instruments,
    sounding_range,
)

PROGRAMS = range(128)


def test_there_are_128_programs_with_different_names():
    assert len(GM_PROGRAMS) == len({name.lower() for name in GM_PROGRAMS}) == 128


@pytest.mark.parametrize(
    ("program", "name"),
    [
        *[(0, "Acoustic Grand Piano"), (8, "Celesta"), (16, "Drawbar Organ")],
        *[(24, "Acoustic Guitar (nylon)"), (32, "Acoustic Bass"), (40, "Violin")],
        *[(48, "String Ensemble 1"), (56, "Trumpet"), (64, "Soprano Sax"), (72, "Piccolo")],
        *[(80, "Lead 1 (square)"), (88, "Pad 1 (new age)"), (96, "FX 1 (rain)")],
        *[(104, "Sitar"), (112, "Tinkle Bell"), (120, "Guitar Fret Noise"), (127, "Gunshot")],
    ],
)
def test_families_begin_where_general_midi_says(program, name):
    assert GM_PROGRAMS[program] == name


def test_drums_fill_the_range_of_general_midi():
    assert list(GM_DRUMS) == list(range(35, 82))
    assert (GM_DRUMS[36], GM_DRUMS[38], GM_DRUMS[42]) == (
        *("Bass Drum 1", "Acoustic Snare", "Closed Hi-Hat"),
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_found_by_number_and_by_name(program):
    name = GM_PROGRAMS[program]
    instrument = Instrument(name, program)
    assert parse_instrument(program) == parse_instrument(str(program)) == instrument
    assert parse_instrument(name) == parse_instrument(name.upper().replace("-", " ")) == instrument
    assert parse_instrument(f" {name.lower().replace(' ', '_')} ") == instrument


@pytest.mark.parametrize(
    ("names", "singers"),
    [
        (["soprano", "alto", "tenor", "bass"], 4),
        (["Tenor", "Bass"], 2),
        (["soprano", "piano", "bass"], 1),
        (["alto sax", "bass"], 0),
    ],
)
def test_a_bass_among_singers_sings(names, singers):
    players = parse_instruments(names)
    assert sum(player.voice is not None for player in players) == singers
    assert players[-1].program == (52 if singers > 1 else 33)


@pytest.mark.parametrize(
    ("name", "program"),
    [
        *[("piano", 0), ("rhodes", 4), ("organ", 16), ("nylon guitar", 24), ("guitar", 24)],
        *[("electric guitar", 27), ("acoustic bass", 32), ("bass", 33), ("synth-bass", 38)],
        *[("double bass", 43), ("harp", 46), ("strings", 48), ("choir", 52), ("horn", 60)],
        *[("violin 1", 40), ("Violin II", 40), ("2nd violin", 40), ("first violins", 40)],
        *[("flute 3", 73), ("Tpt. 2", 56), ("vc", 42), ("electric piano 2", 5), ("soprano", 52)],
        *[("brass", 61), ("sax", 65), ("Alto Saxophone", 65), ("cor anglais", 69), ("pad", 89)],
    ],
)
def test_short_names_mean_what_people_expect(name, program):
    instrument = parse_instrument(name)
    assert (instrument.program, instrument.is_drum) == (program, False)
    assert instrument.name == GM_PROGRAMS[program]


@pytest.mark.parametrize("name", ["drums", "Drum Kit", "percussion", "drum-set"])
def test_the_drum_kit_is_no_program(name):
    assert parse_instrument(name) == Instrument("Drums", 0, True)


@pytest.mark.parametrize(
    ("name", "near"),
    [("violn", "'violin'"), ("trumpt", "'trumpet'"), ("wooden flute", "'pan flute'")],
)
def test_unknown_names_get_the_nearest_ones(name, near):
    with pytest.raises(SymbolError, match=f"instrument '{name}' is unknown; did you mean .*{near}"):
        parse_instrument(name)


def test_names_like_nothing_point_to_the_table():
    with pytest.raises(SymbolError, match="GM_PROGRAMS"):
        parse_instrument("xyzzy")


@pytest.mark.parametrize("number", [-1, 128, "128", "-1"])
def test_numbers_outside_the_programs_are_refused(number):
    with pytest.raises(SymbolError, match="is outside 0 to 127"):
        parse_instrument(number)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        instrument = parse_instrument(text)
    except SymbolError:
        return
    assert instrument.is_drum or GM_PROGRAMS[instrument.program] == instrument.name


@pytest.mark.parametrize("program", PROGRAMS)
def test_ranges_lie_in_midi_and_leave_room_for_a_tune(program):
    low, high = sounding_range(program)
    assert 0 <= low < high <= 127
    assert high - low >= 19


@pytest.mark.parametrize(
    ("name", "lowest"),
    # Open strings and lowest keys: what no range may go below.
    [
        *[("violin", 55), ("viola", 48), ("cello", 36), ("contrabass", 28), ("piano", 21)],
        *[("nylon guitar", 40), ("electric bass", 28), ("oboe", 58), ("celesta", 60)],
    ],
)
def test_ranges_begin_at_the_lowest_string_or_key(name, lowest):
    assert sounding_range(parse_instrument(name).program)[0] == lowest


@pytest.mark.parametrize("family", [(40, 41, 42, 43), (64, 65, 66, 67), (72, 73), (56, 57, 58)])
def test_larger_instruments_of_a_family_sound_lower(family):
    ranges = [sounding_range(program) for program in family]
    assert ranges == sorted(ranges, reverse=True)
    assert [high for _, high in ranges] == sorted((high for _, high in ranges), reverse=True)


@pytest.mark.parametrize("program", [-1, 128])
def test_no_range_outside_the_programs(program):
    with pytest.raises(SymbolError, match=f"program {program} is outside 0 to 127"):
        sounding_range(program)
