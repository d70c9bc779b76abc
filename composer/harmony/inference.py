"""The key and the chords that a score's notes imply.

Conventions
-----------
Drums are left out. A beat is a quarter note, in compound meters (6/8, 9/8, 12/8) a dotted one.
Chords are found by Viterbi search: what sounds in each beat is compared with every chord, and
changing the chord has a price. The numbers were tuned on lead sheets of OpenEWLD;
``benchmarks/harmony.py`` measures both functions.

References
----------
Temperley, D. (1999). What's key for key? The Krumhansl-Schmuckler key-finding algorithm
reconsidered. *Music Perception* 17 (1), 65-100: the key profiles.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.score.events import NOTE, Events, Text, joined
from composer.score.score import Score
from composer.theory.chords import QUALITIES, Chord, chord_symbol
from composer.theory.keys import Key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# How well each note above the tonic fits. Of Krumhansl-Kessler's, Temperley's, Aarden-Essen's,
# Bellman-Budge's and Albrecht-Shanahan's, these profiles told the mode of lead sheets best and the
# signatures of 649 scores as well as any.
KEY_PROFILES = {
    "major": (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    "minor": (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
}
# Added to the correlation of the keys whose tonic is the last or the first note of the bass.
FINAL_BONUS, FIRST_BONUS = 0.2, 0.1

UNITS = ("beat", "bar")

#: Qualities that `infer_chords` may name, and what it costs to name each: sevenths need evidence.
INFERRED = {
    "": 0.0,
    "m": 0.0,
    "7": 0.14,
    "m7": 0.35,
    "maj7": 0.56,
    "dim7": 0.7,
    "m7b5": 0.84,
    "dim": 0.84,
    "aug": 0.84,
    "sus4": 1.5,
    "6": 0.91,
    "m6": 0.91,
}
# How much of what sounds, and how often of the bass, is each tone of a chord: root, third (or
# fourth), fifth, sixth or seventh, any other.
_SOUND = (1.0, 1.0, 1.1, 0.6, 0.04)
_BASS = (1.0, 0.25, 0.25, 0.1, 0.03)
# Weights of the two; the power keeps one long note from drowning the others.
_SOUND_GAIN, _BASS_GAIN, _POWER = 2.5, 1.2, 0.4
# Price of a change at the start of a bar, in its middle, and at another beat.
_CHANGE: Floats = np.array([1.6, 2.2, 4.0])
# Price of each chord tone outside the key: in thin textures the key decides between D and Dm.
_OUTSIDE = 0.15
# The lowest note is a bass below middle C. A chord is an inversion if one of its upper tones is the
# bass for this share of it.
_BASS_BELOW, _INVERSION = 60, 0.7

_ROTATE: Ints = (np.arange(12)[None, :] - np.arange(12)[:, None]) % 12  # row r moves 0 to r
_KEYS = [Key(tonic, mode) for mode in KEY_PROFILES for tonic in range(12)]
_KEY_TABLE: Floats = np.concatenate([np.array(p)[_ROTATE] for p in KEY_PROFILES.values()])
_KEY_TABLE = _KEY_TABLE - _KEY_TABLE.mean(axis=1, keepdims=True)
_KEY_TABLE = _KEY_TABLE / np.linalg.norm(_KEY_TABLE, axis=1, keepdims=True)  # (24, 12)


def _chord_table(weights: tuple[float, ...], gain: float) -> Floats:
    """Return what each pitch class says for each chord, shape (12, qualities * 12): log shares."""
    table = np.full((len(_QUALITIES), 12), weights[4])
    for row, quality in zip(table, _QUALITIES, strict=True):
        for step in QUALITIES[quality].intervals:
            # Thirds and fourths, then fifths, then sixths and sevenths.
            row[step] = weights[0 if step == 0 else int(np.searchsorted((6, 9), step, "right")) + 1]
    table /= table.sum(axis=1, keepdims=True)
    table = gain * np.log(table)[:, _ROTATE].reshape(-1, 12)
    return np.ascontiguousarray(table.T)


_QUALITIES = [i for i, quality in enumerate(QUALITIES) if quality.name in INFERRED]
_COST: Floats = np.repeat([INFERRED[QUALITIES[i].name] for i in _QUALITIES], 12)
_TONES: Ints = np.array(
    [
        [pitch_class in Chord(root, i).tones for pitch_class in range(12)]
        for i in _QUALITIES
        for root in range(12)
    ],
    np.int64,
)
_SOUND_TABLE, _BASS_TABLE = _chord_table(_SOUND, _SOUND_GAIN), _chord_table(_BASS, _BASS_GAIN)


def _pitched(score: Score) -> Events:
    """Return the notes of all tracks but drums, track by track."""
    return joined([track.notes for track in score.tracks if not track.is_drum], NOTE)


def infer_key(score: Score) -> Key:
    """Return the major or minor key that fits the notes best.

    The time each pitch class sounds is correlated with the profile of each key; a key gains when
    the bass begins or ends on its tonic. The score's own key signatures are not read: many files
    say C major of everything. Without notes the answer is C major.

    Examples
    --------
    >>> from composer import Track
    >>> scale = (62, 64, 66, 67, 69, 71, 73, 62)
    >>> tune = Track(notes=[(480 * i, 480, pitch, 90) for i, pitch in enumerate(scale)])
    >>> infer_key(Score(tracks=(tune,))).name
    'D major'
    """
    return _key_of(_pitched(score), score.tpq)


def _key_of(notes: Events, tpq: int) -> Key:
    if not len(notes):
        return Key(0)
    onsets, pitches = notes["onset"], notes["pitch"]
    # A note of no length still counts a little, or a file of such notes would have no key.
    lengths = np.maximum(notes["duration"], 1)
    heard = np.bincount(pitches, lengths, 132).reshape(11, 12).sum(axis=0)
    heard -= heard.mean()
    fit = _KEY_TABLE @ heard / max(float(np.linalg.norm(heard)), 1e-9)
    offsets = onsets + notes["duration"]
    # Players let go of a last chord unevenly: what ends within an eighth of the end belongs to it.
    last = pitches[offsets >= offsets.max() - tpq // 2].min() % 12
    first = pitches[onsets == onsets.min()].min() % 12
    fit[[last, last + 12]] += FINAL_BONUS
    fit[[first, first + 12]] += FIRST_BONUS
    return _KEYS[int(fit.argmax())]


def song_key(score: Score) -> Key:
    """Return the key of the first key signature; its mode, unless it says minor, from the notes.

    Most files say major of everything, so of a major key and its relative minor the one that the
    notes suggest is taken. Without a signature the notes say all.

    Examples
    --------
    >>> from composer import Track
    >>> notes = [(480 * i, 480, pitch, 90) for i, pitch in enumerate((57, 60, 64, 62, 59, 56, 57))]
    >>> song_key(Score(tracks=(Track(notes=notes),), key_signatures=[(0, 0, 0)])).name
    'A minor'
    """
    inferred = infer_key(score)
    if not len(score.key_signatures):
        return inferred
    _, sharps, minor = score.key_signatures[0].tolist()
    said = Key.from_signature(sharps, bool(minor))
    return inferred if not minor and inferred.scale == said.scale else said


def key_there(score: Score, home: Key, tick: int) -> Key:
    """Return the key at a tick: that of the key signature.

    Parameters
    ----------
    score
        The score.
    home
        The key up to the first change of signature, and wherever that signature comes again.
    tick
        Where.
    """
    if len(score.key_signatures) < 2:
        return home
    _, *first = score.key_signatures[0].tolist()
    at = max(0, int(np.searchsorted(score.key_signatures["tick"], tick, "right")) - 1)
    _, sharps, minor = score.key_signatures[at].tolist()
    return home if [sharps, minor] == first else Key.from_signature(sharps, bool(minor))


def bar_keys(score: Score, home: Key, bars: int) -> tuple[Key, ...]:
    """Return the key that each bar of a score begins in, as ``key_there`` has it.

    Parameters
    ----------
    score, home
        As there.
    bars
        How many bars.
    """
    starts = score.meter.bar_start(np.arange(bars)).tolist()
    return tuple(key_there(score, home, start) for start in starts)


def infer_chords(score: Score, unit: str = "beat", key: Key | None = None) -> tuple[Text, ...]:
    """Return the chords that the notes imply, as chord symbols at ticks.

    Parameters
    ----------
    score
        Its own ``chords`` are not read.
    unit
        ``"beat"`` or ``"bar"``: where a chord may change.
    key
        Key to read the notes and spell the symbols in; by default the one that `infer_key` finds.

    Returns
    -------
    tuple of Text
        A symbol where the chord changes. The first stands where the notes begin; in silence the
        chord before goes on. An inversion is written as such (``C/E``) where the bass says so.

    Raises
    ------
    RequestError
        The unit is unknown.

    Examples
    --------
    >>> from composer import Track
    >>> chords = [(0, (48, 64, 67)), (1920, (45, 60, 64)), (3840, (47, 62, 67))]
    >>> notes = [(tick, 1920, pitch, 80) for tick, pitches in chords for pitch in pitches]
    >>> [(tick, symbol) for tick, symbol in infer_chords(Score(tracks=(Track(notes=notes),)))]
    [(0, 'C'), (1920, 'Am'), (3840, 'G/B')]
    """
    if unit not in UNITS:
        raise RequestError(f"unit {unit!r} is unknown; choose one of {', '.join(UNITS)}")
    # Late, as loading the compiler takes longer than all else that a tokenizer imports.
    from composer.harmony.kernels import beat_edges, best_path, listen, runs

    notes = _pitched(score)
    if not len(notes):
        return ()
    key = key or _key_of(notes, score.tpq)
    meter, signatures = score.meter, score.meter.time_signatures
    edges = meter.bar_start(np.arange(max(score.bars, 1) + 1))
    level = np.zeros(len(edges) - 1, np.int64)
    if unit == "beat":
        edges, level = beat_edges(
            edges,
            signatures["tick"],
            signatures["numerator"],
            signatures["denominator"],
            score.tpq,
        )
    heard, lowest = np.zeros((len(level), 12)), np.full(len(level), 128)
    listen(notes, edges, heard, lowest)
    full = np.flatnonzero(lowest < 128)
    low = np.where(lowest < _BASS_BELOW, lowest % 12, -1)[full]
    best_path(
        heard[full],
        _POWER,
        low,
        _CHANGE[level[full]],
        _prior(key),
        _SOUND_TABLE,
        _BASS_TABLE,
        np.empty((len(full), len(_COST)), np.bool_),
        path := np.empty(len(full), np.int64),
    )
    begins, bass = np.empty_like(path), np.empty_like(path)
    count = runs(path, edges[full + 1] - edges[full], low, _INVERSION, begins, bass)
    begins = begins[:count]
    codes = 13 * path[begins] + bass[:count] + 1
    names = map(_names(key, key.sharps).__getitem__, codes.tolist())
    return tuple(map(Text, edges[full[begins]].tolist(), names))


class _Names(dict[int, str]):
    """Symbols of a key by 13 times the chord and its bass plus 1; made when first asked for."""

    def __init__(self, key: Key, _: int) -> None:
        self.key = key  # equal keys may differ in their sharps, which `_names` goes by as well

    def __missing__(self, code: int) -> str:
        row, bass = divmod(code, 13)
        quality, root = divmod(row, 12)
        chord = Chord(root, _QUALITIES[quality])
        if bass - 1 in chord.tones:
            chord = Chord(root, _QUALITIES[quality], bass - 1)
        self[code] = chord_symbol(chord, self.key)
        return self[code]


_names = lru_cache(maxsize=24)(_Names)


@lru_cache(maxsize=24)
def _prior(key: Key) -> Floats:
    """Return what is added to each chord of itself in a key."""
    inside = key.scale | {key.leading_tone}
    outside = [pitch_class not in inside for pitch_class in range(12)]
    return np.asarray(-_COST - _OUTSIDE * (_TONES @ outside))
