"""Whatever the weights say, what is written is what was asked for, under the rules it was asked.

The weights are random. The checks share no code with the masks: they read the finished grid.
"""

import dataclasses

import numpy as np
import pytest

from composer.constraints.pitches import BassNotes, ChordTones, InScale, PitchRange
from composer.errors import RequestError
from composer.form.outline import Outline
from composer.generate.batch import write_cells, write_together
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_chords, sorted_notes
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key
from composer.tokenizers.bins import DURATIONS, TEMPOS, bin_velocities

# Strong beats in positions, twelve to a quarter.
STRONG = {
    (4, 4): (0, 24), (3, 4): (0,), (6, 8): (0,), (7, 8): (0,), (2, 2): (0,), (12, 8): (0, 36),
    (5, 16): (0,), (1, 4): (0,), (3, 16): (0,), (12, 4): (0, 24, 48, 72, 96, 120), (2, 4): (0,),
}  # fmt: skip
#: Where chords may begin as well if there are notes to go by.
BEATS = {
    (4, 4): (0, 12, 24, 36), (3, 4): (0, 12, 24), (6, 8): (0, 18), (2, 2): (0, 24), (2, 4): (0, 12),
    (12, 8): (0, 18, 36, 54), (12, 4): range(0, 144, 12),
}  # fmt: skip
METERS = tuple(STRONG)


# Random requests


def random_grid(rng):
    bars = np.zeros(int(rng.integers(1, 11)), BAR)
    meter, mspq = METERS[rng.integers(len(METERS))], int(rng.choice(TEMPOS))
    for row in bars:
        if rng.random() < 0.2:
            meter, mspq = METERS[rng.integers(len(METERS))], int(rng.choice(TEMPOS))
        row["numerator"], row["denominator"], row["mspq"] = *meter, mspq
    parts = tuple(
        Part("", 0, True) if rng.random() < 0.2 else Part("", int(rng.integers(128)))
        for _ in range(rng.integers(9))
    )
    key = Key(int(rng.integers(12)), ("major", "minor")[rng.integers(2)])
    grid = Grid(key, parts, bars, np.empty(0, CELL_NOTE), np.empty(0, CELL_CHORD))
    notes = [
        note
        for bar in range(len(bars))
        for row, part in enumerate(parts)
        if rng.random() < 0.6
        for note in random_cell(rng, grid, bar, row, part.is_drum)
    ]
    chords = random_chords(rng, grid) if rng.random() < 0.7 else []
    return grid.replace(
        notes=sorted_notes(np.array(notes, CELL_NOTE)),
        chords=sorted_chords(np.array(chords, CELL_CHORD)),
    )


def random_cell(rng, grid, bar, row, is_drum):
    length, end = int(grid.bar_lengths[bar]), int(grid.bar_starts[-1] - grid.bar_starts[bar])
    chosen = set()
    for _ in range(rng.integers(1, 6)):
        pitch = int(rng.integers(128 if rng.random() < 0.1 else 60))
        chosen.add((int(rng.integers(length)), pitch))
    for position, pitch in chosen:
        fitting = DURATIONS[DURATIONS <= end - position]
        duration = (
            1 if is_drum else int(rng.choice(fitting[:30] if rng.random() < 0.9 else fitting))
        )
        yield bar, row, position, pitch, duration, int(rng.choice(bin_velocities(16)))


def random_chords(rng, grid):
    chords, last = [], None
    for bar in range(int(rng.integers(len(grid.bars))), len(grid.bars)):
        length = int(grid.bar_lengths[bar])
        for position in sorted({int(p) for p in rng.integers(0, length, rng.integers(3))}):
            chord = (int(rng.integers(12)), int(rng.integers(len(QUALITIES))), -1)
            if rng.random() < 0.3:
                chord = (*chord[:2], (chord[0] + int(rng.integers(1, 12))) % 12)
            if rng.random() < 0.1:
                chord = (-1, 0, -1)
            if chord != last:
                chords.append((bar, position, *chord))
            last = chord
    return chords


def random_written(rng, grid):
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    kind = rng.integers(5)
    if kind == 0:
        written[rng.integers(len(grid.bars)), rng.integers(written.shape[1])] = True
    elif kind == 1:
        written[:, rng.integers(written.shape[1])] = True
    elif kind == 2:
        written[:, 0] = True
    elif kind == 3:
        written[:] = rng.random(written.shape) < rng.random()
    else:
        written[:, rng.random(written.shape[1]) < 0.5] = True
    if not written.any():
        written[0, 0] = True
    return written


def random_rules(rng):
    rules = []
    most_notes = int(rng.integers(1, 7))
    if rng.random() < 0.7:
        low = int(rng.integers(0, 116))
        rules.append(PitchRange(low, min(127, low + int(rng.integers(12, 60)))))
    rules += [rule for rule in (InScale(), ChordTones(), BassNotes()) if rng.random() < 0.4]
    return PartRules(
        role=(None, "melody", "bass", "accompaniment")[rng.integers(4)],
        rules=tuple(rules),
        monophonic=bool(rng.random() < 0.3),
        ends_with_chord=bool(rng.random() < 0.4),
        most_notes=most_notes,
        least_notes=int(rng.integers(1, most_notes + 1)),
        least_onsets=int(rng.integers(4)),
        allows_suspensions=bool(rng.random() < 0.5),
    )


def random_request(seed):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng)
    temperature = float((0, 0.3, 1, 2, 5)[rng.integers(5)])
    return Request(
        grid,
        random_written(rng, grid),
        tuple(random_rules(rng) for _ in grid.parts),
        Sampling(temperature, top_p=float(rng.uniform(0.2, 1))),
        seed=seed,
    )


# Checks, written out the slow way


def notes_of(grid, bar, row):
    inside = (grid.notes["bar"] == bar) & (grid.notes["part"] == row)
    return [tuple(note)[2:] for note in grid.notes[inside].tolist()]


def chord_at(grid, bar, position):
    """Return (root, quality, bass) of the chord that holds; None for none."""
    holding = None
    for at_bar, at_position, *chord in grid.chords.tolist():
        if (at_bar, at_position) <= (bar, position):
            holding = None if chord[0] < 0 else tuple(chord)
    return holding


def tones_of(chord):
    root, quality, bass = chord
    return set(Chord(root, quality, None if bass < 0 else bass).pitch_classes)


def breaks(rule, pitch, grid, bar, position):
    """Return whether a pitch that begins at a position breaks a rule."""
    chord = chord_at(grid, bar, position)
    begins = any(row[:2] == (bar, position) for row in grid.chords.tolist())
    if isinstance(rule, PitchRange):
        return not rule.low <= pitch <= rule.high
    if isinstance(rule, InScale):
        tones = tones_of(chord) if chord else set()
        on_dominant = chord is not None and chord[0] == (grid.key.tonic + 7) % 12
        if on_dominant and grid.key.mode == "minor" and grid.key.leading_tone in tones:
            if pitch % 12 == (grid.key.tonic + 10) % 12:  # the leading tone takes its place
                return pitch % 12 not in tones
        return pitch % 12 not in grid.key.scale | tones
    if isinstance(rule, ChordTones):
        meter = tuple(grid.bars[["numerator", "denominator"]][bar].tolist())
        strong = begins or position in STRONG[meter]
        return strong and chord is not None and pitch % 12 not in tones_of(chord)
    assert isinstance(rule, BassNotes)
    if not begins or chord is None:
        return False
    return pitch % 12 != (chord[2] if chord[2] >= 0 else chord[0])


def timed(grid, row):
    """Return (onset, offset, pitch, bar) of a part's notes."""
    starts = grid.bar_starts
    return [
        (int(starts[bar]) + position, int(starts[bar]) + position + duration, pitch, bar)
        for bar, _, position, pitch, duration, _ in grid.notes[grid.notes["part"] == row].tolist()
    ]


def check_untouched(request, result):
    before = request.grid
    assert result.key == before.key
    assert result.parts == before.parts
    assert (result.bars == before.bars).all()
    for bar in range(len(before.bars)):
        for row in range(len(before.parts)):
            if not request.written[bar, row + 1]:
                assert notes_of(result, bar, row) == notes_of(before, bar, row)
        if not request.written[bar, 0]:
            for position in range(before.bar_lengths[bar]):
                assert chord_at(result, bar, position) == chord_at(before, bar, position)


def check_rules(request, result):
    end = int(result.bar_starts[-1])
    for row, rules in enumerate(request.parts):
        for bar in np.flatnonzero(request.written[:, row + 1]).tolist():
            cell = notes_of(result, bar, row)
            onsets = [position for position, *_ in cell]
            most = 1 if rules.monophonic else rules.most_notes
            assert all(onsets.count(position) <= most for position in onsets)
            assert len({note[:2] for note in cell}) == len(cell)
            leans = rules.allows_suspensions and rules.monophonic
            for i, (position, pitch, duration, velocity) in enumerate(cell):
                assert 0 <= position < result.bar_lengths[bar]
                assert result.bar_starts[bar] + position + duration <= end
                assert 0 <= pitch <= 127
                assert 1 <= velocity <= 127
                for rule in rules.rules:
                    if leans and isinstance(rule, ChordTones):
                        assert follows(rule, cell[i:], result, bar)
                    else:
                        assert not breaks(rule, pitch, result, bar, position)
            if len(set(onsets)) < rules.least_onsets and len(cell) < 5:
                check_no_room(request, result, bar, row)
        check_overlaps(request, result, row)
        if rules.ends_with_chord:
            check_ends(request, result, row)


def follows(rule, notes, result, bar):
    """Return whether a note is one of its chord, or the next is, a step away."""
    position, pitch = notes[0][:2]
    if not breaks(rule, pitch, result, bar, position):
        return True
    if len(notes) == 1:
        return False
    chord = chord_at(result, bar, notes[1][0])
    near = abs(notes[1][1] - pitch) in (1, 2)
    return near and (chord is None or notes[1][1] % 12 in tones_of(chord))


def check_ends(request, result, row):
    """No new note sounds where a chord begins that it is not a note of."""
    begins = [int(result.bar_starts[bar]) + at for bar, at, *_ in result.chords.tolist()]
    for onset, offset, pitch, bar in timed(result, row):
        if request.written[bar, row + 1]:
            for begin, (_, _, *chord) in zip(begins, result.chords.tolist(), strict=True):
                if onset < begin < offset and chord[0] >= 0:
                    assert pitch % 12 in tones_of(chord)


def check_overlaps(request, result, row):
    """No new note meets one of its pitch, nor in a part that plays singly any other."""
    notes, written = timed(result, row), request.written[:, row + 1]
    for i, (onset, offset, pitch, bar) in enumerate(notes):
        for other_onset, other_offset, other_pitch, other_bar in notes[i + 1 :]:
            if written[bar] or written[other_bar]:
                apart = offset <= other_onset or other_offset <= onset
                assert apart or (pitch != other_pitch and not request.parts[row].monophonic)


def check_no_room(request, result, bar, row):
    """After the last onset of a cell no further one would have been possible."""
    rules, start = request.parts[row], int(result.bar_starts[bar])
    notes = timed(result, row)
    last = max((onset for onset, *_, at in notes if at == bar), default=start - 1)
    for position in range(last + 1 - start, int(result.bar_lengths[bar])):
        sounding = [n for n in notes if n[0] < start + position < n[1]]
        for pitch in range(128):
            taken = sounding if rules.monophonic else [n for n in sounding if n[2] == pitch]
            assert taken or any(breaks(rule, pitch, result, bar, position) for rule in rules.rules)


def check_chords(request, result):
    for bar in np.flatnonzero(request.written[:, 0]).tolist():
        cell = [tuple(row)[1:] for row in result.chords.tolist() if row[0] == bar]
        assert cell
        assert cell[0][0] == 0
        meter = tuple(result.bars[["numerator", "denominator"]][bar].tolist())
        melodic = sounds_in(request, result, bar)
        for position, root, _, bass in cell:
            assert position in STRONG[meter] or (melodic and position in BEATS.get(meter, ()))
            assert root >= 0
            assert bass < 0 or bass in tones_of((root, cell[0][2], bass))


def sounds_in(request, result, bar):
    """Return whether notes with pitches sound in a bar before any of its cells are written."""
    start, end = result.bar_starts[bar], result.bar_starts[bar + 1]
    for row, part in enumerate(result.parts):
        for onset, offset, _, at in timed(result, row):
            given = not request.written[at, row + 1] or at < bar
            if not part.is_drum and given and onset < end and offset > start:
                return True
    return False


def check_said(request, result, bar, row, said, notes):
    """Notes are as they were said, but for those that end with a chord that was written later."""
    if not request.parts[row].ends_with_chord or not request.written[:, 0].any():
        assert said == notes
        return
    assert [(n[:2], n[3]) for n in said] == [(n[:2], n[3]) for n in notes]
    begins = [int(result.bar_starts[at]) + position for at, position, *_ in result.chords.tolist()]
    for (position, _, longer, _), (*_, duration, _) in zip(said, notes, strict=True):
        onset = int(result.bar_starts[bar]) + position
        assert duration == longer or duration in [
            max(length for length in DURATIONS.tolist() if length <= begin - onset)
            for begin in begins
            if max(onset + 1, result.bar_starts[bar + 1]) <= begin < onset + longer
        ]


def check_sequences(request, result, sequences, cells):
    """What was said keeps the grammar, and reading it the usual way gives the same notes."""
    todo = np.flatnonzero(request.written.any(1)).tolist()
    for said in sequences:
        ids = cells.grammar.check([*said, cells.vocabulary.base["EOS"]])
        tokens = cells.ids_to_tokens(ids)
        numbers = [int(token[4:]) for token in tokens if token.startswith("Bar_")]
        filled = [int(t[4:]) for t in tokens[tokens.index("Fill") :] if t.startswith("Bar_")]
        read = cells.decode_grid(ids)
        for number in filled:
            bar, said_bar = todo.pop(0), sorted(numbers).index(number)
            if len(read.parts) == len(result.parts):
                for row in range(len(result.parts)):
                    said_notes, notes = notes_of(read, said_bar, row), notes_of(result, bar, row)
                    check_said(request, result, bar, row, said_notes, notes)
            if request.written[bar, 0]:
                for position in range(result.bar_lengths[bar]):
                    assert chord_at(read, said_bar, position) == chord_at(result, bar, position)
    assert not todo


@pytest.mark.parametrize("batch", range(20))
def test_any_request_is_met(batch, spy_on, cells):
    for seed in range(10 * batch, 10 * batch + 10):
        request = random_request(seed)
        spy = spy_on(512 if seed % 4 == 0 else 1024)
        done = []
        result = spy.write(request, wrote=done.append)
        assert sum(done) == request.written.any(1).sum()
        check_untouched(request, result)
        check_rules(request, result)
        check_chords(request, result)
        check_sequences(request, result, spy.sequences, cells)


# Single cases


def plain_grid(bars, parts, notes=(), chords=(), key="C"):
    return Grid(
        Key.parse(key),
        tuple(parts),
        np.array([(4, 4, 500_000)] * bars, BAR),
        np.array(list(notes), CELL_NOTE),
        np.array(list(chords), CELL_CHORD),
    )


def all_of(grid, *columns):
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    written[:, columns] = True
    return written


def long_grid(bars=100, parts=12):
    """Return a grid of given parts, a melody on top of the list, and one part to write."""
    notes = [
        (bar, row, position, 84 - 4 * row, 6, 76)
        for bar in range(bars)
        for row in range(parts)
        for position in (range(0, 48, 4) if row == 0 else range(0, 48, 6))
    ]
    players = [*(Part("", 40 + row) for row in range(parts)), Part("", 0)]
    return plain_grid(bars, players, notes)


@pytest.mark.slow
@pytest.mark.parametrize("context_length", [512, 1024])
def test_a_long_piece_of_many_parts_is_written_window_by_window(context_length, spy_on, cells):
    grid = long_grid()
    given = (PartRules("melody"), *(PartRules("accompaniment"),) * 11)
    rules = (*given, PartRules("bass", most_notes=1, least_onsets=1))
    spy = spy_on(context_length)
    request = Request(grid, all_of(grid, 0, 13), rules, Sampling(1), 3)
    result = spy.write(request)
    check_untouched(request, result)
    check_rules(request, result)
    check_chords(request, result)
    check_sequences(request, result, spy.sequences, cells)
    assert len(spy.sequences) > 5
    assert max(map(len, spy.sequences)) < context_length
    # Parts that do not fit are not shown, but the melody and the bar before are.
    for said in spy.sequences:
        tokens = cells.ids_to_tokens(said)
        assert "Role_melody" in tokens
        assert "Bar_0" in tokens[: tokens.index("Fill")] or said is spy.sequences[0]


def test_strong_onsets_have_their_notes(spy_on, cells):
    grid = plain_grid(100, [Part("", 0)])
    rules = (PartRules("accompaniment", (PitchRange(36, 96),), least_notes=3, most_notes=4),)
    result = spy_on(512).write(Request(grid, all_of(grid, 1), rules, Sampling(1), 5))
    strong = [
        len(notes)
        for bar in range(100)
        for position in (0, 24)
        if (notes := [note for note in notes_of(result, bar, 0) if note[0] == position])
    ]
    assert len(strong) > 3
    assert set(strong) == {3, 4}
    assert any(
        len([note for note in notes_of(result, bar, 0) if note[0] == position]) in (1, 2)
        for bar in range(100)
        for position in set(range(48)) - {0, 24}
    )


@pytest.mark.parametrize("context_length", [70, 90, 120, 170, 250])
def test_no_context_is_too_short_to_be_filled_to_the_last_id(context_length, short_decoder, cells):
    grid = plain_grid(6, [Part("", 0), Part("", 48), Part("", 0, True)])
    rules = (PartRules(least_onsets=48),) * 3
    for seed in range(4):
        request = Request(grid, all_of(grid, 0, 1, 2, 3), rules, Sampling(1), seed)
        spy = short_decoder(context_length)
        result = spy.write(request)
        check_sequences(request, result, spy.sequences, cells)
        assert max(map(len, spy.sequences)) < context_length


def test_a_bar_too_big_for_the_context_is_refused(short_decoder, cells):
    grid = long_grid(2)
    rules = (PartRules(),) * 13
    request = Request(grid, all_of(grid, *range(1, 14)), rules)
    with pytest.raises(RequestError, match=r"bar 1 with 13 parts is more than .* 60 ids holds"):
        short_decoder(60).write(request)


def test_rules_that_leave_no_pitch_are_refused_before_anything_is_written(spy_on, cells):
    grid = plain_grid(4, [Part("Flute", 73)], chords=[(3, 0, 0, 0, -1)])
    rules = PartRules(rules=(PitchRange(61, 61), InScale()))
    spy = spy_on(512)
    with pytest.raises(RequestError, match="no pitch for Flute in bar 1; widen its range"):
        spy.write(Request(grid, all_of(grid, 1), (rules,)))
    assert not spy.sequences


def test_a_chord_just_written_may_leave_a_cell_no_pitch(spy_on, cells):
    # G is not a note of E major, which the key of A minor allows.
    grid = plain_grid(16, [Part("Flute", 73)], key="A minor")
    rules = PartRules(rules=(PitchRange(67, 67), InScale()))
    request = Request(grid, all_of(grid, 0, 1), (rules,), Sampling(2), 1)
    result = spy_on(1024).write(request)
    check_rules(request, result)
    silent = set(range(16)) - set(result.notes["bar"].tolist())
    assert silent
    for bar in silent:  # G sharp is heard, or a G of before still is
        tones = [tones_of(chord_at(result, bar, p)) for p in (0, 24)]
        held = any(on < 48 * bar < off for on, off, *_ in timed(result, 0))
        assert held or any(8 in found for found in tones)


def test_a_bar_that_is_still_to_do_is_not_shown_as_silent(spy_on, cells):
    notes = [(bar, 0, 0, 60, 12, 76) for bar in range(4)]
    grid = plain_grid(4, [Part("", 0)], notes)
    written = np.zeros((4, 2), bool)
    written[[0, 2], 1] = True
    spy = spy_on(512)
    spy.write(Request(grid, written, (PartRules(),)))
    first = cells.ids_to_tokens(spy.sequences[0])
    assert [token for token in first if token.startswith("Bar_")] == ["Bar_1", "Bar_3", "Bar_0"]


def test_of_notes_no_chord_holds_together_the_melody_is_heard(spy_on, cells):
    notes = [(0, 0, 0, pitch, 48, 76) for pitch in (60, 61, 62)] + [(0, 1, 0, 54, 48, 76)]
    grid = plain_grid(1, [Part("", 0), Part("", 73)], sorted_notes(np.array(notes, CELL_NOTE)))
    rules = (PartRules("accompaniment"), PartRules("melody"))
    for seed in range(10):
        request = Request(grid, all_of(grid, 0), rules, Sampling(2), seed)
        result = spy_on(512).write(request)
        assert 54 % 12 in tones_of(chord_at(result, 0, 0))


def test_the_seed_decides(spy_on, cells):
    grid = plain_grid(2, [Part("", 0)])

    def write(seed):
        request = Request(grid, all_of(grid, 0, 1), (PartRules(),), seed=seed)
        return spy_on(512).write(request)

    assert (write(1).notes == write(1).notes).all()
    assert write(1).notes.tolist() != write(2).notes.tolist()


def test_requests_written_together_come_out_as_they_do_alone(decoders, cells):
    requests = [random_request(seed) for seed in (3, 8, 21, 34)]
    alone = [write_cells(request, decoders[512], cells) for request in requests]
    left = sum(int(request.written.any(1).sum()) for request in requests)
    told = []
    together = write_together(requests, decoders[512], cells, told.append)
    for writer, grid in zip(together, alone, strict=True):
        assert np.array_equal(writer.grid.notes, grid.notes)
        assert np.array_equal(writer.grid.chords, grid.chords)
    assert sum(told) == left


def test_what_the_model_held_of_the_ids_is_said_cell_by_cell(decoders, cells):
    grid = plain_grid(3, [Part("", 0), Part("", 40)])
    written = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]], bool)
    request = Request(grid, written, (PartRules(least_onsets=2),) * 2, Sampling(1), 4)
    (writer,) = write_together([request], decoders[512], cells)
    assert (writer.log_probability[written] < 0).all()
    assert (writer.log_probability[~written] == 0).all()
    cold = Request(grid, written, request.parts, Sampling(0), 4)
    (likely,) = write_together([cold], decoders[512], cells)
    first = likely.log_probability[0, 0], writer.log_probability[0, 0]
    assert first[0] >= first[1]  # the likeliest id at each step of a cell of a few ids


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"written": np.zeros((2, 3), bool)}, r"shape \(2, 3\) .* 2 bars and 1 parts"),
        ({"written": np.zeros((2, 2), bool)}, "names no cell"),
        ({"parts": ()}, "rules for 0 parts"),
        ({"seed": -1}, "seed -1 is negative"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(change, message):
    grid = plain_grid(2, [Part("", 0)])
    fields = {"grid": grid, "written": all_of(grid, 1), "parts": (PartRules(),), **change}
    with pytest.raises(RequestError, match=message):
        Request(**fields)


@pytest.mark.parametrize(
    "change",
    [
        {"most_notes": 0},
        {"least_notes": 0},
        {"least_notes": 7},
        {"least_onsets": -1},
        {"role": "lead"},
    ],
)
def test_rules_out_of_range_are_refused(change):
    with pytest.raises(RequestError, match=str(next(iter(change.values())))):
        PartRules(**change)


def shown_pitches(spy, cells):
    """Return the pitches of the context that a piece was begun with."""
    tokens = cells.ids_to_tokens(spy.sequences[0])
    return [int(token[6:]) for token in tokens[: tokens.index("Fill")] if token[:6] == "Pitch_"]


def test_bars_that_are_varied_are_shown_before_all_others(spy_on, cells):
    notes = [(bar, 0, 0, 40 + bar, 12, 76) for bar in range(18)]
    grid = plain_grid(22, [Part("", 73)], notes)
    written = all_of(grid)
    written[18:, 1] = True
    request = Request(grid, written, (PartRules("melody"),), Sampling(1), 1)
    spy = spy_on(1024)
    spy.write(request)
    assert shown_pitches(spy, cells) == [52, 53, 54, 55, 56, 57]
    free = Outline.free(22)
    varied = free.varied.copy()
    varied[18:] = [4, 5, 6, 7]
    outline = dataclasses.replace(free, varied=varied)
    spy = spy_on(1024)
    spy.write(dataclasses.replace(request, outline=outline))
    assert shown_pitches(spy, cells) == [44, 45, 46, 47, 56, 57]
