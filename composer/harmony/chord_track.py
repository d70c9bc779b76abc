"""Chord symbols of a track of block chords, by its notes.

Conventions
-----------
Notes that begin together, up to a sixteenth triplet apart, are a chord with those that are held
into it; the lowest is the bass. Which symbol it gets is a matter of which is simplest:

- a chord on its root before an inversion: C E G A is ``C6`` above C, and ``Am7/E`` above E;
- an inversion before another chord over a foreign bass: E G C is ``C/E``. Where the bass lies far
  below, the chord above goes first: G A C E is ``Am7/G`` close together and ``Am/G`` spread out;
- a fifth may be missing, and of thirteenth chords the ninth: C E Bb is ``C7``. A seventh chord
  without its third says so: C G Bb is ``C7(no3)``.

What is not a chord of ``composer.theory.chord_names`` is refused rather than guessed;
`infer_chords` finds the nearest in any texture. A chord holds until the next; a whole bar of
silence is ``N.C.``
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from composer.errors import RequestError
from composer.harmony.inference import infer_key
from composer.score.events import Text
from composer.score.score import Score, Track
from composer.theory.chord_names import WAYS, suffix_tones
from composer.theory.chords import NO_CHORD, spell_above
from composer.theory.keys import Key
from composer.theory.pitches import pitch_name

# What it takes to name a chord so: the simplest name wins. The others come in the table's order.
_COSTS = {
    **dict.fromkeys(("", "m"), 0.0),
    **dict.fromkeys(("7", "m7", "maj7"), 1.0),
    **dict.fromkeys(("dim", "dim7", "m7b5", "aug"), 1.5),
    **dict.fromkeys(("6", "m6", "sus4", "sus2", "7sus4", "5"), 2.0),
    **dict.fromkeys(("9", "maj9", "m9", "add9", "mMaj7", "7b9", "7#5", "m(add9)"), 2.5),
    **dict.fromkeys(("7(no3)", "maj7(no3)"), 2.5),
}
_OTHER_COST = 4.0
_INVERSION, _FOREIGN_BASS, _INCOMPLETE = 1.1, 2.2, 1.6
_FAR = 6  # semitones from the bass to the next note: above it stands a chord of its own
_NEVER = ("(no5)", "7(no5)", "sus2sus4")  # what is written only on purpose

Classes = frozenset[int]


@lru_cache(maxsize=1)
def _shapes() -> dict[Classes, tuple[float, str]]:
    """Return the cheapest suffix of each set of semitones above a root."""
    shapes: dict[Classes, tuple[float, str]] = {}
    for place, suffix in enumerate(WAYS):
        tones = suffix_tones(suffix)
        if suffix in _NEVER or tones is None:
            continue
        cost = _COSTS.get(suffix, _OTHER_COST + place / 100)
        without = [tones]
        if {4, 3} & tones and 7 in tones:
            without.append(tones - {7})
        if suffix.startswith(("13", "maj13", "m13")):
            without += [tones - {2}, tones - {2, 7}]
        for missing, shape in enumerate(without):
            found = cost + _INCOMPLETE * bool(missing), suffix
            shapes[shape] = min(found, shapes.get(shape, found))
    return shapes


def name_chord(pitches: list[int], key: Key) -> str | None:
    """Return the symbol of the notes that sound together; None if they make no chord.

    Parameters
    ----------
    pitches
        MIDI pitches, at least one.
    key
        Key to spell it in.

    Examples
    --------
    >>> notes = ([52, 55, 60], [36, 58, 64, 67], [50, 60, 64, 67], [60, 61, 62])
    >>> [name_chord(pitches, Key(0)) for pitches in notes]
    ['C/E', 'C7', 'C/D', None]
    >>> name_chord([48, 55, 58], Key(0))
    'C7(no3)'
    """
    ordered = sorted(set(pitches))
    bass = ordered[0] % 12
    classes = frozenset(pitch % 12 for pitch in ordered)
    upper = frozenset(pitch % 12 for pitch in ordered[1:])
    is_far = len(ordered) > 1 and ordered[1] - ordered[0] > _FAR
    found: list[tuple[float, bool, int, str]] = []
    for root in range(12):
        for tones, foreign in ((classes, False), (upper, True)):
            if (foreign and (bass in upper or root == bass)) or root not in tones:
                continue
            shape = _shapes().get(frozenset((tone - root) % 12 for tone in tones))
            if shape is not None:
                cost, suffix = shape
                if foreign:
                    cost += _FOREIGN_BASS - (2 * _INVERSION - 1.0 if is_far else 0) / 4
                elif root != bass:
                    cost += _INVERSION
                found.append((cost, foreign, (root - bass) % 12, suffix))
    if not found:
        return None
    _, _, above, suffix = min(found)
    root = (bass + above) % 12
    name = key.spell(root)
    tones = suffix_tones(suffix) or frozenset()
    slash = "" if root == bass else "/" + spell_above(name, (bass - root) % 12, tuple(tones))
    return name + suffix + slash


def track_chords(score: Score, track: Track) -> tuple[Text, ...]:
    """Return the chord symbols of a track of block chords.

    Parameters
    ----------
    score
        The score, for its meter and its key signatures, which the symbols are spelled in; in the
        key that its notes suggest if it has none.
    track
        One of its tracks.

    Raises
    ------
    RequestError
        The track is of drums, has no notes, or notes that make no chord; the message says where.
    """
    name = track.name or "the track"
    if track.is_drum or not len(track.notes):
        what = "is of drums" if track.is_drum else "has no notes"
        raise RequestError(f"{name} {what}; name a track of block chords")
    keys = keys_of(score)
    texts: list[Text] = []
    until = 0
    for start, offset, pitches in _groups(track, score.tpq // 6):
        texts += _silence(score, until, start, bool(texts))
        tick = _on_beat(score, start)
        symbol = name_chord(pitches, key_at(keys, tick))
        if symbol is None:
            bar, position = score.meter.bar_and_position(tick)
            notes = " ".join(pitch_name(pitch) for pitch in sorted(set(pitches)))
            raise RequestError(
                f"{name} has {notes} on beat {1 + int(position) / score.tpq:g} of bar "
                f"{int(bar) + 1}, which is not a chord that is known here; name a track of block "
                f"chords, or say with_chords(notes=True) for the nearest"
            )
        if not texts or texts[-1].text != symbol:
            texts.append(Text(tick, symbol))
        until = max(until, offset)
    return (*texts, *_silence(score, until, score.end, True))


def keys_of(score: Score) -> list[tuple[int, Key]]:
    """Return the ticks and keys of a score's signatures, or the key that its notes suggest."""
    signatures = score.key_signatures.tolist()
    keys = [(tick, Key.from_signature(sharps, bool(minor))) for tick, sharps, minor in signatures]
    return keys or [(0, infer_key(score))]


def key_at(keys: list[tuple[int, Key]], tick: int) -> Key:
    """Return the key that holds at a tick; before the first that one does."""
    return [key for at, key in keys[:1] + keys if at <= max(tick, keys[0][0])][-1]


def _groups(track: Track, near: int) -> Iterator[tuple[int, int, list[int]]]:
    """Yield what begins together: tick, last offset, and the pitches with those held into it."""
    onsets, pitches = track.notes["onset"], track.notes["pitch"]
    offsets = onsets + np.maximum(track.notes["duration"], 1)
    starts: list[int] = []
    for onset in np.unique(onsets).tolist():
        if not starts or onset > starts[-1] + near:
            starts.append(onset)
    for start, after in zip(starts, [*starts[1:], int(offsets.max())], strict=True):
        new = (onsets >= start) & (onsets <= start + near)
        end = min(after, int(offsets[new].max()))
        # What a player lets go of a little late does not belong to the next chord.
        held = (onsets < start) & (2 * (np.minimum(offsets, end) - start) >= end - start)
        sounding = new | held
        yield start, int(offsets[sounding].max()), pitches[sounding].tolist()


def _on_beat(score: Score, tick: int) -> int:
    """Return the beat that a tick is near to, or the tick."""
    bar, position = (int(value) for value in score.meter.bar_and_position(tick))
    length = int(score.meter.bar_length(bar))
    nearest = min(round(position / score.tpq) * score.tpq, length)
    if length - position < abs(nearest - position):
        nearest = length
    return tick + nearest - position if 12 * abs(nearest - position) <= score.tpq else tick


def _silence(score: Score, begin: int, end: int, is_after: bool) -> list[Text]:
    """Return ``N.C.`` where a whole bar is silent behind a chord."""
    if not is_after or end <= begin:
        return []
    bar, position = score.meter.bar_and_position(begin)
    line = int(bar) + (int(position) > score.tpq // 6)
    if int(score.meter.bar_start(line + 1)) > end + score.tpq // 6:
        return []
    return [Text(int(score.meter.bar_start(line)), NO_CHORD)]
