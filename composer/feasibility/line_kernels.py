"""Which lines a part may still take, compiled: tables filled from the end of the piece.

``composer.feasibility.lines`` says what the arrays are and why this is enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer._jit import compiled, inner

Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Pitches = npt.NDArray[np.int16]

#: In place of the pitch before the first. A line stands at a *state*: a pitch, ``NONE``, or
#: ``PASSING`` and the pitch of a note that may only pass, so that a step has to follow.
NONE = 128
PASSING = NONE + 1
#: Semitones of the widest step.
STEP = 2
#: Onsets of a bar that a set of bits can count.
MOST = 63

FOUND, NOT_FOUND, GAVE_UP = 1, 0, -1

_ONE, _ZERO = np.uint64(1), np.uint64(0)


class Table(NamedTuple):
    """What is known of one part, by times from the start of the piece; -1 stands for no pitch."""

    completions: (
        Bits  # (times, states): bit k: from here, after this, k more onsets in the bar will do
    )
    open: Bools  # (times, 128): which a new onset may have as its highest
    passing: Bools  # (times, 128): and which of these only in passing
    given: Pitches  # (times,): highest note of the given onset
    required: Bools  # (times,)
    leap: Pitches  # (times,): the furthest that a line may step to here
    others: Pitches  # (pairs, times): what another part begins here that goes not in parallel
    before: Pitches  # (pairs, times): what that part began before
    bar_of: Ints  # (times,)
    counts: Bits  # (bars,): bit k: the bar may have k onsets
    written: Bools  # (bars,)


class Occupied(NamedTuple):
    """What the notes of a part take that are not given, beside its table."""

    most_more: Ints  # (times,): how many may sound
    stays: Ints  # (times,): the highest of the notes that stay, -1 without any
    sounding: Ints  # (times,): how many sound that are written
    closed: Bools  # (times, 128): which of them


class SuffixAutomata(NamedTuple):
    """Suffix automata of the scores that no run may be copied from, one behind the other."""

    key: npt.NDArray[np.int32]  # (automata, 128 * 128): which step this is, -1 for a foreign one
    gap: npt.NDArray[np.int32]  # (automata, gaps): which distance this is, -1 for a foreign one
    symbol: npt.NDArray[np.int32]  # (automata, steps, distances)
    goto: npt.NDArray[np.int32]  # (automata, states, symbols)
    link: npt.NDArray[np.int32]  # (automata, states)
    length: npt.NDArray[np.int32]  # (automata, states)
    most: Ints  # (automata,): steps that may be copied
    matters: Bools  # (automata, times): where a run may not end


@inner
def state_of(table: Table, time: int, pitch: int) -> int:
    """Return where a line stands with a note that begins at a time."""
    return PASSING + pitch if table.passing[time, pitch] else pitch


@inner
def _pitch_of(state: int) -> int:
    return state - PASSING if state >= PASSING else state


@inner
def _may_step(table: Table, time: int, state: int, to: int) -> bool:
    """Return whether a line may step from where it stands to a pitch that begins now."""
    pitch = _pitch_of(state)
    if (state >= PASSING or table.passing[time, to]) and not 0 < abs(to - pitch) <= STEP:
        return False
    if pitch == NONE:
        return not table.passing[time, to]
    if abs(to - pitch) > table.leap[time]:
        return False
    for pair in range(len(table.others)):
        other, before = int(table.others[pair, time]), int(table.before[pair, time])
        if other >= 0 and before >= 0 and (to - pitch) * (other - before) > 0:
            interval = abs(to - other) % 12
            if (interval == 0 or interval == 7) and abs(pitch - before) % 12 == interval:
                return False
    return True


@inner
def _completions(table: Table, time: int, bar: int, state: int) -> np.uint64:
    """Return the ways on from a time as a bar sees them that it lies in or right behind."""
    if time == len(table.bar_of):
        return _ZERO if state >= PASSING else _ONE
    completions: np.uint64 = table.completions[time, state]
    behind = table.bar_of[time]
    if behind == bar:
        return completions
    if table.written[behind]:
        completions &= table.counts[behind]
    return _ONE if completions else _ZERO


@inner
def _few(most: int) -> np.uint64:
    """Return the bits up to one."""
    if most < 0:
        return _ZERO
    return ~_ZERO if most >= MOST else (_ONE << np.uint64(most + 1)) - _ONE


@inner
def _lowest(bits: np.uint64) -> int:
    if not bits:
        return -1
    count = 0
    while not bits & _ONE:
        bits >>= _ONE
        count += 1
    return count


@inner
def _spread(completions: Bits, onto: Bits, leap: int, wide: Bits) -> None:
    """Add, in place, the ways of all pitches within a leap of each: (129,) onto (129,)."""
    if leap >= NONE - 1:
        every = _ZERO
        for pitch in range(NONE):
            every |= completions[pitch]
        for pitch in range(NONE):
            onto[pitch] |= every
        return
    # Windows of a width that doubles, each begun where it was: log steps in place of a leap's.
    size = NONE + 2 * leap
    wide[:leap] = _ZERO
    wide[leap : leap + NONE] = completions[:NONE]
    wide[leap + NONE : size] = _ZERO
    width = 1
    while 2 * width <= 2 * leap + 1:
        for i in range(size - width):
            wide[i] |= wide[i + width]
        width *= 2
    rest = 2 * leap + 1 - width
    for pitch in range(NONE):
        onto[pitch] |= wide[pitch] | wide[pitch + rest]


@inner
def _sweep(table: Table, first: int, last: int) -> None:
    states = table.completions.shape[1]
    behind, completions = np.empty(states, np.uint64), np.empty(NONE + 1, np.uint64)
    wide = np.empty(3 * NONE, np.uint64)
    for time in range(last - 1, first - 1, -1):
        bar = table.bar_of[time]
        if time + 1 < len(table.bar_of) and table.bar_of[time + 1] == bar:
            behind[:] = table.completions[time + 1]
        else:
            for state in range(states):
                behind[state] = _completions(table, time + 1, bar, state)
        here = table.completions[time]
        if not table.written[bar]:
            given = int(table.given[time])
            if given < 0:
                here[:] = behind
                continue
            for state in range(states):
                here[state] = behind[given] if _may_step(table, time, state, given) else _ZERO
            continue
        if table.required[time]:
            here[:] = _ZERO
        else:
            here[:] = behind
        # What may go in parallel is looked at pitch by pitch.
        leap, every = int(table.leap[time]), _ZERO
        for to in range(NONE):
            completions[to] = _ZERO
            then = state_of(table, time, to)
            if table.open[time, to] and behind[then]:
                more = behind[then] << _ONE
                if then >= PASSING or _is_perfect(table, time, to):
                    reach = min(leap, STEP) if then >= PASSING else leap
                    for pitch in range(max(0, to - reach), min(NONE - 1, to + reach) + 1):
                        if _may_step(table, time, pitch, to):
                            here[pitch] |= more
                else:
                    completions[to] = more
                    every |= more
                if then < PASSING:
                    here[NONE] |= more
                if states > PASSING:
                    for pitch in range(max(0, to - STEP), min(NONE - 1, to + STEP) + 1):
                        if _may_step(table, time, PASSING + pitch, to):
                            here[PASSING + pitch] |= more
        if every:
            _spread(completions, here, leap, wide)


@inner
def _is_perfect(table: Table, time: int, to: int) -> bool:
    """Return whether a pitch makes a fifth, octave or unison with another part that moves."""
    for pair in range(len(table.others)):
        other = int(table.others[pair, time])
        if other >= 0 and table.before[pair, time] >= 0:
            interval = abs(to - other) % 12
            if interval == 0 or interval == 7:
                return True
    return False


@compiled
def sweep(table: Table, first: int, last: int) -> None:
    """Fill the ways from the time before ``last`` back to ``first``."""
    _sweep(table, first, last)


@inner
def _close_taken(table: Table, taken: Occupied, first: int, last: int) -> None:
    for time in range(first, last):
        spare, stays = taken.most_more[time] - taken.sounding[time], taken.stays[time]
        has_room = stays >= 0 and spare >= 0 and table.open[time, stays]
        for pitch in range(NONE):
            table.open[time, pitch] &= spare > 0 and not taken.closed[time, pitch]
        if has_room:
            table.open[time, stays] = True


@compiled
def close_taken(table: Table, taken: Occupied, first: int, last: int) -> None:
    """Close what written notes leave no room for, but not to those that have it: who stay.

    The ways are filled anew from the time before ``last`` back to ``first``.
    """
    _close_taken(table, taken, first, last)
    _sweep(table, first, last)


@compiled
def put_note(table: Table, taken: Occupied, pitch: int, first: int, last: int) -> None:
    """Note that a pitch sounds from one time up to another, and do as ``close_taken``."""
    taken.sounding[first:last] += 1
    taken.closed[first:last, pitch] = True
    _close_taken(table, taken, first, last)
    _sweep(table, first, last)


@compiled
def fewest(table: Table, time: int, bar: int, state: int, done: int) -> int:
    """Return how many more onsets of a bar are the fewest that will do, or -1 if none will.

    Parameters
    ----------
    table
        Of the part.
    time
        The time that comes next, in the bar or right behind it.
    bar
        The bar.
    state
        Where the line stands.
    done
        Onsets that the bar has.
    """
    return _lowest(_completions(table, time, bar, state) & (table.counts[bar] >> np.uint64(done)))


@inner
def _lead_on(
    tops: Bools, table: Table, time: int, state: int, counts: np.uint64, is_enough: bool
) -> bool:
    """Find, in place, where a line may step now and have so many onsets in the bar then.

    Returns whether there is such a pitch; where one ``is_enough`` the others are not looked for.
    """
    pitch, found = _pitch_of(state), False
    low, high = 0, NONE - 1
    if pitch != NONE:
        low, high = max(0, pitch - table.leap[time]), min(NONE - 1, pitch + table.leap[time])
    tops[:] = False
    for to in range(low, high + 1):
        if table.open[time, to]:
            completions = _completions(
                table, time + 1, table.bar_of[time], state_of(table, time, to)
            )
            if completions & counts and _may_step(table, time, state, to):
                tops[to] = found = True
                if is_enough:
                    break
    return found


@compiled
def last_onset(line: Pitches, time: int) -> int:
    """Return when the last onset of a line before a time is, -1 without any."""
    for onset in range(time - 1, -1, -1):
        if line[onset] >= 0:
            return onset
    return -1


@compiled
def is_completion_open(line: Pitches, table: Table, first: int, last: int) -> bool:
    """Return whether a line can be written from one time to the one before another."""
    for time in range(first, min(last, len(line))):
        pitch = line[time]
        if pitch >= 0 and table.written[table.bar_of[time]] and not table.open[time, pitch]:
            return False
    return True


@compiled
def find_tops(tops: Bools, table: Table, time: int, state: int, done: int, most: int) -> None:
    """Find, in place, which pitches an onset may have as its highest.

    Parameters
    ----------
    tops
        Shape (128,).
    table, state
        As for ``fewest``.
    time
        Of the onset.
    done
        Onsets that the bar has, this one included.
    most
        Onsets that may follow in the bar.
    """
    bar = table.bar_of[time]
    counts = (table.counts[bar] >> np.uint64(done)) & _few(most)
    _lead_on(tops, table, time, state, counts, False)


@compiled
def keep_positions(
    positions: Bools, table: Table, start: int, at: int, state: int, done: int, most: int
) -> None:
    """Close, in place, the positions of a bar from which its part has no line on.

    Parameters
    ----------
    positions
        Which are open, as long as the longest bar.
    table, state
        As for ``fewest``.
    start
        Time at which the bar begins.
    at
        Position of the last onset, -1 before the first.
    done
        Onsets that the bar has.
    most
        Onsets that may follow the next one in the bar.
    """
    bar = table.bar_of[start]
    counts = (table.counts[bar] >> np.uint64(done + 1)) & _few(most)
    tops = np.empty(NONE, np.bool_)
    positions[: at + 1] = False
    for position in range(at + 1, len(positions)):
        time = start + position
        if time >= len(table.bar_of) or table.bar_of[time] != bar:
            positions[position:] = False
            break
        if positions[position]:
            positions[position] = _lead_on(tops, table, time, state, counts, True)
        if table.required[time]:
            positions[position + 1 :] = False
            break


@inner
def _step(
    copied: SuffixAutomata, which: int, states: Ints, lengths: Ints, pitch: int, to: int, gap: int
) -> None:
    """Take a step of a line in an automaton, in place."""
    key, far = copied.key[which, pitch * NONE + to], np.int32(-1)
    if gap < copied.gap.shape[1]:
        far = copied.gap[which, gap]
    symbol = np.int32(-1)
    if key >= 0 and far >= 0:
        symbol = copied.symbol[which, key, far]
    if symbol < 0:
        states[which], lengths[which] = 0, 0
        return
    state, length = states[which], lengths[which]
    while state and copied.goto[which, state, symbol] < 0:
        state = int(copied.link[which, state])
        length = int(copied.length[which, state])
    if copied.goto[which, state, symbol] < 0:
        state, length = 0, 0
    else:
        state, length = int(copied.goto[which, state, symbol]), length + 1
    states[which], lengths[which] = state, length


@compiled
def take_steps(
    copied: SuffixAutomata, line: Pitches, first: int, states: Ints, lengths: Ints
) -> bool:
    """Follow the end of a line through the automata, in place; return whether it is a copy.

    Parameters
    ----------
    copied
        The automata.
    line
        Shape (times,): -1 where it has no onset.
    first
        The time before which it ends.
    states, lengths
        Shape (automata,): where the automata stand then.
    """
    is_copy = False
    for which in range(len(copied.most)):
        before, count = first, 0  # so far back as a copy may reach
        while before > 0 and count <= copied.most[which]:
            before -= 1
            count += line[before] >= 0
        states[which], lengths[which] = 0, 0
        for time in range(before + 1, first):
            if line[time] >= 0:
                pitch, to, gap = int(line[before]), int(line[time]), time - before
                if pitch >= 0:
                    _step(copied, which, states, lengths, pitch, to, gap)
                before = time
        if lengths[which] >= copied.most[which] and copied.matters[which, before]:
            is_copy = True
    return is_copy


@inner
def _scrambled(time: int, variation: int) -> int:
    value = (time * 2654435761 + variation * 40503) % 4294967296
    return (value >> 9) % 128


@compiled
def find_line(
    line: Pitches,
    table: Table,
    copied: SuffixAutomata,
    states: Ints,
    lengths: Ints,
    first: int,
    bar: int,
    state: int,
    began: int,
    done: int,
    most: int,
    must: int,
    tops: Bools,
    variation: int,
    budget: int,
) -> int:
    """Find a line from a time to the end of the piece, with few onsets, late ones.

    Parameters
    ----------
    line
        Shape (times,): the line that was found last, kept to where it can be; filled in place.
    table, copied
        Of the part.
    states, lengths
        Shape (automata,): where the automata stand.
    first, bar, state, done
        As ``time`` and so on for ``fewest``.
    began
        When the last pitch of the line began.
    most
        Onsets that may follow in the bar.
    must
        A time at which there is to be an onset, -1 for none.
    tops
        Shape (128,): which it may have as its highest.
    twist
        0, or another number for another line.
    budget
        Steps after which to give up.

    Returns
    -------
    int
        ``FOUND``, ``NOT_FOUND`` if there is none, or ``GAVE_UP``.
    """
    end, count = len(table.bar_of), len(copied.most)
    span = end - first
    stand, dones = np.empty(span + 1, np.int64), np.empty(span + 1, np.int64)
    begins = np.empty(span + 1, np.int64)
    stood = np.empty((span + 1, count), np.int64)
    matched = np.empty((span + 1, count), np.int64)
    options, chosen = np.zeros(span + 1, np.int64), np.full(span + 1, -1, np.int64)
    stand[0], dones[0], begins[0] = state, done, began
    stood[0], matched[0] = states, lengths
    half = 2 * (NONE + 1)  # skipping, and pitches on both sides of a center
    at, spent = 0, 0
    new_states, new_lengths = np.empty(count, np.int64), np.empty(count, np.int64)
    while 0 <= at < span:
        time = first + at
        running = table.bar_of[time]
        now, so_far = stand[at], dones[at]
        if (at and table.bar_of[time - 1] != running) or (at == 0 and running != bar):
            so_far = 0
        is_written = table.written[running]
        counts = ~_ZERO
        least = 0
        if is_written:
            counts = table.counts[running] >> np.uint64(so_far)
            least = _lowest(table.completions[time, now] & counts)
        pitch = _pitch_of(now)
        center = int(line[time]) if line[time] >= 0 else (60 if now == NONE else pitch)
        if variation:
            center = _scrambled(time, variation)
        moved = False
        # Skipping and then each pitch, first where few onsets follow, then the others.
        while options[at] < 2 * half:
            option = options[at]
            options[at] += 1
            to = -1
            if not is_written:
                if option:
                    options[at] = 2 * half
                    break
                to = int(table.given[time])
            else:
                late, index = option // half, option % half
                if index:
                    offset = index // 2 if index % 2 else -(index // 2)
                    to = center + offset
                    if to < 0 or to >= NONE or not table.open[time, to]:
                        continue
                    if time == must and not tops[to]:
                        continue
                elif table.required[time] or time == must:
                    continue
                then = now if to < 0 else state_of(table, time, to)
                behind = _completions(table, time + 1, running, then)
                if to >= 0:
                    behind = (behind << _ONE) & ~_ONE
                behind &= counts
                if running == bar:
                    behind &= _few(most - so_far + done)
                if not behind or (_lowest(behind) > least) != (late == 1):
                    continue
            if to >= 0 and not _may_step(table, time, now, to):
                continue
            new_states[:], new_lengths[:] = stood[at], matched[at]
            fits = True
            if to >= 0 and now != NONE:
                for which in range(count):
                    _step(copied, which, new_states, new_lengths, pitch, to, time - begins[at])
                    if copied.matters[which, time] and new_lengths[which] >= copied.most[which]:
                        fits = False
            spent += 1
            if not fits:
                continue
            chosen[at] = to
            at += 1
            stand[at] = now if to < 0 else state_of(table, time, to)
            begins[at] = begins[at - 1] if to < 0 else time
            dones[at] = so_far + (to >= 0)
            stood[at], matched[at] = new_states, new_lengths
            options[at] = 0
            moved = True
            break
        if spent > budget:
            return GAVE_UP
        if not moved:
            at -= 1
    if at < 0:
        return NOT_FOUND
    for i in range(span):
        line[first + i] = chosen[i]
    return FOUND
