"""The REMI formats' loops over notes and over ids, compiled.

``composer.tokenizers.remi.codec`` says what comes in which order and makes the columns.
"""

from __future__ import annotations

import numpy as np

from composer._jit import compiled
from composer.theory.chords import QUALITIES
from composer.tokenizers.bins import DRUM_LENGTH
from composer.tokenizers.columns import Families, Ints
from composer.tokenizers.families import DRUMS, KEYS, NO_CHORD, lowest_pitch
from composer.tokenizers.remi.columns import BENT, DOWN, FRESH, UP
from composer.tokenizers.vocabulary import Ids

# Where ``remi_scan.FAMILIES`` has each family.
_BAR, _TIME_SIG, _POSITION, _OFFSET, _PROGRAM, _PITCH, _DRUM, _VELOCITY, _DURATION = range(9)
_KEY, _TEMPO, _CHORD, _BASS, _REST, _PEDAL, _BEND = range(9, 16)

_QUALITIES = len(QUALITIES)
_LOWEST = np.array([lowest_pitch(key) for key in KEYS])  # Pitch of MIDI's pitch 0


@compiled
def write_ids(
    onset: Ints,
    program: Ints,
    pitch: Ints,
    velocity: Ints,
    duration: Ints,
    control_tick: Ints,
    control_program: Ints,
    control_id: Ints,
    head_tick: Ints,
    head_ids: Ints,
    starts: Ints,
    signature_ids: Ints,
    first: Ints,
    velocity_ids: Ints,
    duration_ids: Ints,
    steps: int,
    ids: Ids,
) -> int:
    """Write the ids of a piece from its first bar on, and return how many there are.

    Parameters
    ----------
    onset, program, pitch, velocity, duration
        Columns of the notes, by onset, program and pitch.
    control_tick, control_program, control_id
        Pedals and bends by tick and program, each to come before the notes of its program.
    head_tick, head_ids
        Tempos, chords and rests in their order, with two ids each, -1 for none.
    starts, signature_ids
        Where the bars begin, shape (bars + 1,), and the TimeSig that each says or -1: (bars,).
    first
        First id of each of ``remi_scan.FAMILIES``, of Pitch and Drum that of pitch 0; -1 for one
        that the format lacks.
    velocity_ids, duration_ids
        The id of each velocity and of each duration in ticks; -1 for none.
    steps
        Ticks a position.
    ids
        Gets the ids; long enough.
    """
    none = 2**62
    half = steps // 2
    at = note = control = head = bar = 0
    said = -1  # the tick that the last Position stands for
    while True:
        tick = onset[note] if note < len(onset) else none
        is_control = control < len(control_tick) and (
            control_tick[control] < tick
            or (control_tick[control] == tick and control_program[control] <= program[note])
        )
        if is_control:
            tick = control_tick[control]
        is_head = head < len(head_tick) and head_tick[head] <= tick
        if is_head:
            tick = head_tick[head]
        # A bar begins with what is said at its Position 0, early onsets too.
        if bar < len(signature_ids) and starts[bar] - half <= tick:
            ids[at] = first[_BAR]
            at += 1
            if signature_ids[bar] >= 0:
                ids[at] = signature_ids[bar]
                at += 1
            bar += 1
            said = -1
            continue
        if tick == none:
            return at
        if tick != said:
            said = tick
            position = (tick + half) // steps if steps > 1 else tick
            ids[at] = first[_POSITION] + position - starts[bar - 1] // steps
            at += 1
            if first[_OFFSET] >= 0:
                ids[at] = first[_OFFSET] + tick - position * steps + half
                at += 1
        if is_head:
            for token in head_ids[head]:
                if token >= 0:
                    ids[at] = token
                    at += 1
            head += 1
            continue
        if first[_PROGRAM] >= 0:
            ids[at] = first[_PROGRAM] + (control_program[control] if is_control else program[note])
            at += 1
        if is_control:
            ids[at] = control_id[control]
            at += 1
            control += 1
            continue
        is_drum = program[note] == DRUMS
        ids[at] = pitch[note] + (first[_DRUM] if is_drum else first[_PITCH])
        at += 1
        if velocity_ids[velocity[note]] >= 0:
            ids[at] = velocity_ids[velocity[note]]
            at += 1
        if not is_drum:
            ids[at] = duration_ids[duration[note]]
            at += 1
        note += 1


@compiled
def read_ids(
    family: Families,
    value: Ints,
    codes: Ints,
    bar_lengths: Ints,
    bar_length: int,
    lowest: int,
    velocities: Ints,
    durations: Ints,
    steps: int,
    tick: Ints,
    program: Ints,
    onset: Ints,
    duration: Ints,
    pitch: Ints,
    velocity: Ints,
) -> int:
    """Read the notes of a sequence, and say of each id where it stands.

    Parameters
    ----------
    family, value
        Of each id, shape (T,).
    codes
        Which ``family`` each of ``remi_scan.FAMILIES`` is; -1 for one that the format lacks.
    bar_lengths, bar_length
        Ticks of a bar of each TimeSig, and before there is any.
    lowest
        The Pitch that is MIDI's pitch 0.
    velocities, durations
        What each Velocity, and each Duration in ticks, stands for.
    steps
        Ticks a position, which is how long a drum hit is.
    tick, program
        Shape (T,): get where each id stands; Bar and TimeSig where the bar begins.
    onset, duration, pitch, velocity
        Get the notes; the velocity stays as it is where none is said.

    Returns
    -------
    int
        Where the last bar ends.
    """
    start = end = now = playing = 0
    note = -1
    for i in range(len(family)):
        what = family[i]
        if what == codes[_BAR]:
            start = now = end
            end = start + bar_length
        elif what == codes[_TIME_SIG]:
            bar_length = bar_lengths[value[i]]
            end = start + bar_length
        elif what == codes[_POSITION]:
            now = start + value[i] * steps
        elif what == codes[_OFFSET]:
            now += value[i] - steps // 2
        elif what == codes[_PROGRAM]:
            playing = value[i]
        elif what == codes[_PITCH] or what == codes[_DRUM]:
            note += 1
            onset[note], duration[note] = now, steps
            pitch[note] = value[i] - (lowest if what == codes[_PITCH] else 0)
        elif what == codes[_VELOCITY]:
            velocity[note] = velocities[value[i]]
        elif what == codes[_DURATION]:
            duration[note] = durations[value[i]]
        tick[i], program[i] = now, playing
    return end


@compiled
def keeps_order(
    family: Families,
    value: Ints,
    codes: Ints,
    bar_lengths: Ints,
    bar_length: int,
    durations: Ints,
    steps: int,
) -> bool:
    """Return whether the values of a sequence whose families follow the table keep their order.

    The rules, and what is remembered for them, are those of ``remi_grammar``.

    Parameters
    ----------
    family, value
        Of each id, shape (T,).
    codes
        Which ``family`` each of ``remi_scan.FAMILIES`` is; -1 for one that the format lacks.
    bar_lengths, bar_length
        Positions of a bar of each TimeSig, and before there is any.
    durations
        Positions of each Duration.
    steps
        Ticks a position.
    """
    bar = position = offset = signature = tempo = part = -1
    lowest = chord = until = 0
    rank = FRESH
    resting = False
    is_down = np.zeros(DRUMS + 1, np.bool_)
    on_position = steps // 2  # the offset of what stands on a position itself
    for i in range(len(family)):
        what, now = family[i], value[i]
        is_head = what == codes[_TEMPO] or what == codes[_CHORD] or what == codes[_REST]
        if is_head and steps > 1 and offset != on_position:
            return False
        if what == codes[_BAR]:
            until -= bar_length
            bar += 1
            position = offset = -1
        elif what == codes[_TIME_SIG]:
            if now == signature:
                return False
            signature, bar_length = now, bar_lengths[now]
        elif what == codes[_POSITION]:
            if (codes[_TEMPO] >= 0 and tempo < 0 and now > 0) or now >= bar_length:
                return False
            if now != position:
                if now < position:
                    return False
                # Nothing comes before the piece begins.
                offset = on_position - 1 if now == 0 and bar == 0 else -1
            elif steps == 1:
                return False
            position, part, rank, resting = now, -1, FRESH, False
        elif what == codes[_OFFSET]:
            if now <= offset:
                return False
            offset = now
        elif what == codes[_TEMPO]:
            if now == tempo:
                return False
            tempo = now
        elif what == codes[_CHORD]:
            chord = now
        elif what == codes[_BASS]:
            if chord == NO_CHORD or now == (chord - 1) // _QUALITIES:
                return False
        elif what == codes[_REST]:
            if until > position:
                return False
            resting = True
        elif what == codes[_PROGRAM]:
            if now < part or (resting and now == DRUMS):
                return False
            if now != part:
                part, rank = now, FRESH
        elif what == codes[_PEDAL]:
            part = max(part, 0)
            if is_down[part] == (now > 0) or rank >= (DOWN if now else UP):
                return False
            is_down[part] = now > 0
            rank = DOWN if now else UP
        elif what == codes[_BEND]:
            if rank >= BENT:
                return False
            rank = BENT
        elif what == codes[_PITCH] or what == codes[_DRUM]:
            least = lowest if what == codes[_PITCH] else 0
            if now <= rank or now < least or now >= least + 128:
                return False
            rank = now
            if part == DRUMS:
                until = max(until, position + DRUM_LENGTH)
        elif what == codes[_DURATION]:
            until = max(until, position + durations[now])
        elif what == codes[_KEY]:
            lowest = _LOWEST[now]
    return True
