"""A piece in another key: notes, key signatures and chord symbols together.

Conventions
-----------
A transposition is a number of semitones and of steps on the line of fifths, which name it: up a
minor third is 3 and -3. Every chord symbol and key signature goes the same way along that line, so
that what was spelled right stays so; a name with double accidentals, or a signature of more than
seven, is replaced by the simpler one. Drums stay, and so do controllers and pitch bends.
"""

from __future__ import annotations

import re
from numbers import Integral

from composer._calls import shown
from composer.errors import RequestError, SymbolError
from composer.harmony.chord_track import key_at, keys_of
from composer.score.events import Text
from composer.score.score import Score, Track
from composer.theory.chords import parse_chord
from composer.theory.keys import Key, note_name, note_place, plain_place
from composer.theory.pitches import pitch_name

_STEPS = (
    "unison second third fourth fifth sixth seventh octave ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth"
).split()
_WORDS = {
    "half step": "minor second",
    "halfstep": "minor second",
    "half tone": "minor second",
    "semitone": "minor second",
    "whole step": "major second",
    "whole tone": "major second",
    "tone": "major second",
    "step": "major second",
    "tritone": "augmented fourth",
}
_QUALITIES = {
    **dict.fromkeys(("perfect", "p", "P"), "P"),
    **dict.fromkeys(("major", "maj", "M"), "M"),
    **dict.fromkeys(("minor", "min", "m"), "m"),
    **dict.fromkeys(("augmented", "aug", "A"), "A"),
    **dict.fromkeys(("diminished", "dim", "d"), "d"),
}
# Fifths and semitones of the perfect or major interval of each step.
_NATURAL = ((0, 0), (2, 2), (4, 4), (-1, 5), (1, 7), (3, 9), (5, 11))
_PERFECT = (0, 3, 4)
_SYMBOL = re.compile(
    r"\s*([A-Ga-g])(##|bb|[#♯xb♭]|)(.*?)(?:/(\s*)([A-Ga-g])(##|bb|[#♯xb♭]|)(\s*))?\s*"
)
# How far from the signature's sharps the names of roots lie on the line of fifths: in C from Gb to
# D#, in A minor from Eb to D#.
_STRETCHED = {"major": (-6, 9), "minor": (-3, 9)}


def parse_interval(text: str) -> tuple[int, int]:
    """Return the semitones and fifths of an interval in words; both are negative downwards.

    Raises
    ------
    SymbolError
        The text names no interval, or a third without saying whether it is major or minor.

    Examples
    --------
    >>> [parse_interval(text) for text in ("up a minor third", "down a fourth", "M2", "-P8")]
    [(3, -3), (-5, 1), (2, 2), (-12, 0)]
    """
    down = re.search(r"\b(?:down|below|lower)\b|^\s*-", text) is not None
    plain = re.sub(r"\b(?:up|down|above|below|higher|lower|an?|by)\b|[-+]", " ", text)
    plain = " ".join(plain.split())
    for words, interval in _WORDS.items():
        plain = re.sub(rf"^{words}$", interval, plain)
    if counted := re.fullmatch(r"(\d+) (?:semitones?|half (?:steps|tones))", plain):
        semitones = -int(counted[1]) if down else int(counted[1])
        return semitones, _usual_fifths(semitones)
    found = re.fullmatch(r"([A-Za-z]*?) ?(\d+|[a-z]+?)(?:st|nd|rd|th)?", plain)
    step = _step(plain, found)
    quality = found[1] if found else ""
    quality = quality if len(quality) == 1 else quality.lower()
    if step is None or (quality and quality not in _QUALITIES):
        raise SymbolError(
            f"interval {text!r} cannot be read; write one such as 'up a minor third', 'down a "
            f"fourth', '2 semitones' or 'P5'"
        )
    octaves, place = divmod(step - 1, 7)
    kind = _QUALITIES.get(quality, "P" if place in _PERFECT else "")
    chromatic = _chromatic(kind, place in _PERFECT)
    if chromatic is None:
        right = "a perfect" if place in _PERFECT else "a major or a minor"
        raise SymbolError(f"interval {text!r} does not exist; a {_STEPS[step - 1]} is {right} one")
    fifths, semitones = _NATURAL[place]
    fifths, semitones = fifths + 7 * chromatic, semitones + chromatic + 12 * octaves
    return (-semitones, -fifths) if down else (semitones, fifths)


def _step(plain: str, found: re.Match[str] | None) -> int | None:
    """Return the step of an interval, from 1; None for none."""
    last = plain.split()[-1] if plain else ""
    if last in _STEPS:
        return _STEPS.index(last) + 1
    if found and found[2].isdigit() and 1 <= int(found[2]) <= len(_STEPS):
        return int(found[2])
    return None


def _chromatic(kind: str, is_perfect: bool) -> int | None:
    """Return by how many semitones an interval is wider than the perfect or major one."""
    if is_perfect:
        return {"P": 0, "A": 1, "d": -1}.get(kind)
    return {"M": 0, "m": -1, "A": 1, "d": -2}.get(kind)


def transpose(score: Score, interval: int | str | None = None, *, to: str | None = None) -> Score:
    """Return a score in another key; see ``Score.transpose``."""
    if (interval is None) == (to is None):
        raise RequestError(
            "transpose takes either an interval or a key; say transpose(3), "
            "transpose('up a minor third') or transpose(to='G minor')"
        )
    keys = keys_of(score)
    if to is not None:
        semitones, fifths = _interval_to(keys[0][1], Key.parse(to))
    elif isinstance(interval, str):
        semitones, fifths = parse_interval(interval)
    else:
        if not isinstance(interval, Integral) or isinstance(interval, bool):
            raise RequestError(
                f"interval {shown(interval)} is not a number of semitones; give a whole number, or "
                "words such as 'up a minor third'"
            )
        semitones = int(interval)
        fifths = _fifths_for(keys[0][1], semitones)
    signatures = score.key_signatures.copy()
    for row in signatures:
        row["sharps"] = _signature(int(row["sharps"]) + fifths)
    chords = []
    for tick, text in score.chords:
        # Where the signature had to be respelled, the chords under it go along.
        key = key_at(keys, tick)
        shift = _signature(key.sharps + fifths) - key.sharps
        goal = Key((key.tonic + semitones) % 12, key.mode, _signature(key.sharps + shift))
        chords.append(Text(tick, _respelled(text, semitones, shift, key, goal)))
    return score.replace(
        tracks=tuple(_moved(track, semitones, score) for track in score.tracks),
        key_signatures=signatures,
        chords=tuple(chords),
    )


def transposed_symbol(text: str, semitones: int, fifths: int) -> str:
    """Return a chord symbol transposed, the rest of it as it was written.

    Parameters
    ----------
    text
        The symbol; one that cannot be read stays as it is.
    semitones, fifths
        The interval.

    Examples
    --------
    >>> transposed_symbol("C13(b9)/E", 3, -3), transposed_symbol("N.C.", 3, -3)
    ('Eb13(b9)/G', 'N.C.')
    """
    try:
        chord = parse_chord(text)
    except SymbolError:
        return text
    found = _SYMBOL.fullmatch(text)
    if chord is None or found is None or semitones % 12 == 0 == fifths:
        return text
    letter, sign, suffix, space, bass, bass_sign, end = found.groups()
    place = note_place(letter, sign)
    moved = plain_place(place + fifths)
    symbol = note_name(moved) + suffix
    if bass:
        # The bass goes by the root's own interval, so that a third stays a third.
        below = plain_place(note_place(bass, bass_sign) + moved - place)
        symbol += f"/{space}{note_name(below)}{end}"
    return symbol


def _respelled(text: str, semitones: int, fifths: int, key: Key, goal: Key) -> str:
    """Return a symbol transposed from one key to another.

    Names that are not part of their own key however it is stretched, such as F in F# minor, are
    spelled anew for the key they come to.
    """
    found = _SYMBOL.fullmatch(text)
    low, high = _STRETCHED[key.mode]
    if found is None or low <= note_place(found[1], found[2]) - key.sharps <= high:
        return transposed_symbol(text, semitones, fifths)
    moved = transposed_symbol(text, semitones, fifths)
    named = _SYMBOL.fullmatch(moved)
    if named is None or moved == text:
        return moved
    place = note_place(named[1], named[2])
    anew = _SYMBOL.fullmatch(goal.spell(7 * place % 12))
    assert anew is not None  # a note name is a symbol
    return transposed_symbol(moved, 0, note_place(anew[1], anew[2]) - place)


def _signature(sharps: int) -> int:
    """Return the sharps of the same key in a signature of at most seven."""
    while sharps > 7:
        sharps -= 12
    while sharps < -7:
        sharps += 12
    return sharps


def _usual_fifths(semitones: int) -> int:
    """Return the fifths of a number of semitones: of a tritone an augmented fourth."""
    return (7 * semitones + 5) % 12 - 5


def _fifths_for(key: Key, semitones: int) -> int:
    """Return the fifths that bring a key to the usual spelling of the one it becomes."""
    if semitones % 12 == 0:
        return 0
    return key.transpose(semitones).sharps - key.sharps


def _interval_to(home: Key, goal: Key) -> tuple[int, int]:
    """Return the shortest way from one key to another: up to a tritone, which goes up."""
    if home.mode != goal.mode:
        raise RequestError(
            f"the score is in {home.name}, which no transposition makes {goal.name}; name a "
            f"{home.mode} key"
        )
    semitones = (goal.tonic - home.tonic + 5) % 12 - 5
    return semitones, goal.sharps - home.sharps


def _moved(track: Track, semitones: int, score: Score) -> Track:
    if track.is_drum or not len(track.notes):
        return track
    pitches = track.notes["pitch"]
    low, high = int(pitches.min()), int(pitches.max())
    if low + semitones < 0 or high + semitones > 127:
        at = int((pitches + semitones).argmax() if semitones > 0 else pitches.argmin())
        bar = int(score.meter.bar_and_position(int(track.notes["onset"][at]))[0]) + 1
        others = [t.notes["pitch"] for t in score.tracks if not t.is_drum and len(t.notes)]
        lowest = -min(int(pitches.min()) for pitches in others)
        highest = 127 - max(int(pitches.max()) for pitches in others)
        raise RequestError(
            f"{semitones} semitones take {pitch_name(int(pitches[at]))} of "
            f"{track.name or 'a track'} in bar {bar} out of MIDI's pitches 0 to 127; transpose by "
            f"{lowest} to {highest}"
        )
    notes = track.notes.copy()
    notes["pitch"] += semitones
    return track.replace(notes=notes)
