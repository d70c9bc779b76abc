"""Chord progressions as lead sheets write them.

Conventions
-----------
A progression is a list of bars, a bar a list of (start, chord): the start is a fraction of the bar
and the first is 0, the chord is None for ``N.C.``. Chords in a bar share it equally.

==================  ==========================================================================
``Am F C G7/B``     without bar lines, a chord a bar
``| Am F | C |``    bar lines; two chords in the first bar
``.`` or ``/``      the chord before goes on for this share of the bar
``%``               the bar before again
``|: Am F :| x3``   a repeat, twice unless ``x`` says how often
``|1. C :|2. G |``  first and second ending
``[Verse]``         a label, ignored; so are dashes, arrows and commas between chords
``ii V7 bVII``      Roman numerals, where a key is given; V7/V is the dominant of the fifth degree
==================  ==========================================================================
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from composer.errors import SymbolError
from composer.theory import Chord, Key, parse_chord

#: Chords of one bar: where each begins, as a fraction of the bar, and the chord.
Bar = list[tuple[Fraction, Chord | None]]

MAX_REPEATS = 64

_TOKEN = re.compile(
    r"""
    (?P<label>   \[[^\]|]*\] )
  | (?P<line>    :?\|+[:\]]? )
  | (?P<ending>  \[?\d\. )
  | (?P<times>   \(?[x×]\ ?(?P<count>\d+)\)? )
  | (?P<hold>    [./](?=[\s|./]|$) )
  | (?P<again>   % )
  | (?P<space>   [\s,–—→]+ | ->? (?=\s|$) )
  | (?P<chord>   [^\s|(),:–—→]+ (?: \([^)|]*\) [^\s|(),:–—→]* )* )
  | (?P<bad>     . )
    """,
    re.VERBOSE,
)
_NUMERAL = re.compile(
    r"(?P<sign>[b#♭♯]?)(?P<degree>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
    r"(?P<suffix>(?![IViv]).*?)(?:/(?P<of>[b#♭♯]?[IViv]+))?"
)
_DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


class _Slot(NamedTuple):
    """One share of a bar."""

    kind: str  # "chord", "hold" or "again"
    chord: Chord | None
    place: str  # for messages


def parse_progression(text: str, key: Key | None = None) -> list[Bar]:
    """Read a chord progression.

    Parameters
    ----------
    text
        Chords and bar lines, as the table above has them.
    key
        Key that Roman numerals refer to; without one they are refused.

    Returns
    -------
    list of bars
        In the order they are played: repeats are written out.

    Raises
    ------
    SymbolError
        A symbol cannot be read (the message says where), or there is no chord at all.

    Examples
    --------
    >>> bars = parse_progression("| Am F | C . G7/B . | %")
    >>> [[(str(start), str(chord)) for start, chord in bar] for bar in bars[:2]]
    [[('0', 'Am'), ('1/2', 'F')], [('0', 'C'), ('1/2', 'G7/B')]]
    >>> [str(bar[0][1]) for bar in parse_progression("ii V7 I", Key.parse("Bb"))]
    ['Cm', 'F7', 'Bb']
    """
    bars: list[Bar] = []
    sounding: list[Chord | None] = []  # the chord before, once there is one
    for slots in _played(text, key):
        if any(slot.kind == "again" for slot in slots):
            if len(slots) > 1 or not bars:
                what = "stands for a whole bar" if bars else "has no bar before it"
                raise SymbolError(f"'%' at {slots[0].place} {what}; write the chords instead")
            bars.append(list(bars[-1]))
            continue
        bar: Bar = []
        for i, slot in enumerate(slots):
            if slot.kind == "chord":
                sounding = [slot.chord]
            elif not sounding:
                raise SymbolError(f"{slot.place} holds a chord before there is one; begin with one")
            if slot.kind == "chord" or i == 0:
                bar.append((Fraction(i, len(slots)), sounding[0]))
        bars.append(bar)
    if not bars:
        raise SymbolError(
            f"progression {text!r} has no chords; write some, such as '| Am F | C G |' (text in "
            f"[brackets] is a label)"
        )
    return bars


def _played(text: str, key: Key | None) -> list[list[_Slot]]:
    """Return the bars of a text with their repeats written out."""
    lined = "|" in text
    played: list[list[_Slot]] = []
    bar: list[_Slot] = []
    written = 1  # the bar being read, for messages
    start = 0  # where the repeat under way begins in ``played``
    ending: int | None = None  # where its ending begins, if it has one
    body: list[list[_Slot]] | None = None  # what the repeat just closed played twice
    for token in _TOKEN.finditer(text):
        kind, place = _kind(token), f"character {token.start() + 1}, bar {written}"
        if kind in ("chord", "hold", "again"):
            chord = _read(token[0], key, place) if kind == "chord" else None
            bar.append(_Slot(kind, chord, place))
        elif kind == "bad":
            raise SymbolError(f"{token[0]!r} at {place} is no part of a progression; take it out")
        elif kind == "times":
            count = int(token["count"])
            if body is None or not 2 <= count <= MAX_REPEATS:
                raise SymbolError(
                    f"{token[0]!r} at {place} must follow a plain ':|' and be x2 to x{MAX_REPEATS}"
                )
            played += body * (count - 2)
            start, body = len(played), None
        if bar and (kind == "line" or not lined):
            played.append(bar)
            bar, written = [], written + 1
        if kind == "ending":
            ending = len(played)
        elif kind == "line" and token[0][0] == ":":
            again = played[start:ending]
            played += again
            # With endings the repeat stays open: the next ending follows its body played again.
            start = len(played) - (len(again) if ending is not None else 0)
            body, ending = (again, None) if ending is None else (None, None)
        elif kind not in ("space", "label", "times"):
            body = None
        if kind == "line" and token[0][-1] == ":":
            start, ending = len(played), None
    return [*played, bar] if bar else played


def _kind(token: re.Match[str]) -> str:
    return next(kind for kind, value in token.groupdict().items() if value is not None)


def _read(symbol: str, key: Key | None, place: str) -> Chord | None:
    try:
        numeral = _NUMERAL.fullmatch(symbol)
        if numeral is None:
            return parse_chord(symbol)
        if key is None:
            raise SymbolError(f"numeral {symbol!r} needs a key; give one, such as key='A minor'")
        return _numeral_chord(numeral, key)
    except SymbolError as error:
        raise SymbolError(f"at {place}: {error}") from None


def _numeral_chord(numeral: re.Match[str], key: Key) -> Chord:
    """Return the chord of a Roman numeral: capitals major, small letters minor."""
    if numeral["of"]:
        of = _NUMERAL.fullmatch(numeral["of"])
        if of is None:
            raise SymbolError(
                f"numeral {numeral[0]!r} refers to no degree; write one such as V7/ii"
            )
        key = Key(_numeral_chord(of, key).root, "minor" if of["degree"].islower() else "major")
    sign, degree = numeral["sign"], _DEGREES.index(numeral["degree"].lower())
    suffix = numeral["suffix"]
    small = numeral["degree"].islower()
    diminished = re.match(r"(?i:dim)|[°oø]", suffix) is not None
    steps = _STEPS[key.mode]
    # In minor, bVI and VI are one chord (flats count from the major scale, as songwriters have it),
    # and the diminished seventh degree is the leading tone.
    if sign in ("b", "♭") or (degree == 6 and small and diminished):
        steps = _STEPS["major"]
    root = steps[degree] + {"": 0, "#": 1, "♯": 1}.get(sign, -1)
    chord = Chord.parse("C" + ("m" if small and not diminished else "") + suffix)
    return chord.transpose((key.tonic + root) % 12)
