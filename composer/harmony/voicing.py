"""Chord symbols as block chords: the bass below, the chord close above it, moving little."""

from __future__ import annotations

import numpy as np

from composer.score.events import NOTE, Events
from composer.theory.chords import Chord

LOWEST_BASS = 36  # C2
CENTRE = 60  # middle C: upper voices stay around it
VELOCITY = 72


def voice(chord: Chord, before: list[int]) -> list[int]:
    """Return the pitches of a chord, lowest first.

    Parameters
    ----------
    chord
        The chord.
    before
        Pitches of the chord before, to which the upper voices move as little as they can; empty at
        the start.

    Examples
    --------
    >>> voice(Chord.parse("C"), []), voice(Chord.parse("F"), [36, 55, 60, 64])
    ([36, 55, 60, 64], [41, 57, 60, 65])
    """
    bass_class = chord.root if chord.bass is None else chord.bass
    bass = LOWEST_BASS + (bass_class - LOWEST_BASS) % 12
    # Five notes are crowded: of a ninth chord the fifth is left out above.
    fifth = (chord.root + 7) % 12
    tones = [tone for tone in chord.tones if tone != fifth or len(chord.tones) < 5]
    inversions = []
    for lowest in tones:
        start = CENTRE - 7 + (lowest - (CENTRE - 7)) % 12
        upper = sorted(start + (tone - lowest) % 12 for tone in tones)
        inversions += [upper, [pitch - 12 for pitch in upper]]
    target = float(np.mean(before[1:])) if before else CENTRE

    def cost(pitches: list[int]) -> tuple[float, list[int]]:
        height = float(np.mean(pitches))
        # Without a little weight for the centre a long progression drifts away from it.
        return abs(height - target) + abs(height - CENTRE) / 4, pitches

    return [bass, *min((upper for upper in inversions if upper[0] > bass), key=cost)]


def block_chords(chords: list[tuple[int, Chord | None]], end: int) -> Events:
    """Return chords as held notes, dtype ``NOTE``.

    Parameters
    ----------
    chords
        (tick, chord) in order; each holds until the next.
    end
        Tick at which the last ends.
    """
    rows = []
    pitches: list[int] = []
    ends = [*(tick for tick, _ in chords), end][1:]
    for (tick, chord), until in zip(chords, ends, strict=True):
        if chord is not None and until > tick:
            pitches = voice(chord, pitches)
            rows += [(tick, until - tick, pitch, VELOCITY) for pitch in pitches]
    return np.array(rows, NOTE)
