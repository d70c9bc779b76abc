"""Chord progressions as lead sheets write them.

Conventions
-----------
A progression is a list of bars, a bar a list of chords with the fraction of the bar at which each
begins, the first at 0. Chords in a bar share it equally, in whole beats and the longer ones first
where they do not come out even: see ``composer.score.beats.shared_out``.

=======================  =====================================================================
``Am F C G7/B``          without bar lines, a chord a bar
``| Am F | C |``         bar lines; two chords in the first bar
``.`` or ``/``           the chord before goes on for this share of the bar
``%``                    the bar before again
``| C |   |``            a bar left empty: its chord goes on
``N.C.`` or ``NC``       no chord
``|: Am F :| x3``        a repeat, twice unless ``x`` says how often
``| Am F | C | x2``      a line without repeat signs, played so often; ``3x`` and ``[3x]`` as well
``|1. C :|2. G |``       first and second ending; ``|1,2. C :|3. G |`` as well
``D.S. al Coda``         behind a bar, with ``Segno`` and ``Coda`` in front of bars and ``To Coda``
                         behind one; so with ``D.C. al Fine`` and ``Fine``; in brackets and as
                         ``Da Capo``, ``Dal Segno`` as well
``[Verse]``              a label: the name of a section
``[key: G]``             the key from here on, for numerals and signatures; theory's ``G:`` too,
                         where a small letter is minor
``[3/4]`` or ``(3/4)``   the meter from here on, or of this bar alone
``ii V7 bVII``           Roman numerals, where there is a key: see ``composer.theory.numerals``
``C:min7/b3``            labels of annotated collections: see ``composer.theory.harte``
``# by ear``             a line that begins so is a remark
=======================  =====================================================================

Dashes, arrows and commas between chords say nothing, nor does a hyphen in front of a root or a
numeral: ``Dm7-G7``, ``I-V-vi``. Where there are bar lines, a new line of text begins a new bar.
Text in brackets is never a chord, so that the rehearsal mark ``[A]`` is not a bar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from composer._calls import shown
from composer.errors import SymbolError
from composer.theory.chords import NO_CHORD, Chord, parse_chord
from composer.theory.harte import is_label, label_symbol
from composer.theory.keys import Key
from composer.theory.meters import parse_meter
from composer.theory.numerals import is_numeral, numeral_symbol
from composer.theory.repeats import WrittenBar, is_end_sign, passes, playing_order

MAX_REPEATS = 64
_LONGEST = 60  # characters of a chord
_MOST_CHARACTERS = 100_000


class Placed(NamedTuple):
    """A chord in a bar."""

    start: Fraction  # of the bar
    chord: Chord | None  # as the model hears it; None for no chord
    text: str  # as it was written; numerals and labels as chord symbols


Bar = list[Placed]


@dataclass(frozen=True)
class Progression:
    """Bars of chords in the order they are played.

    Parameters
    ----------
    bars
        The chords of each.
    labels
        Names of sections, with the bar they begin.
    keys
        Where a text names keys: bar, fraction of the bar, key; changes only.
    meters
        Time signature of each bar; None where nothing is said of it.
    in_beats
        Whether the fractions are shares of a bar as players read them: three chords of a bar in 4/4
        begin on its beats 1, 3 and 4. Otherwise they are where the chords begin.
    """

    bars: list[Bar]
    labels: tuple[tuple[int, str], ...] = ()
    keys: tuple[tuple[int, Fraction, Key], ...] = ()
    meters: tuple[tuple[int, int] | None, ...] = ()
    in_beats: bool = False

    @property
    def key(self) -> Key | None:
        """The key that it begins in, if it says so."""
        return next((key for bar, start, key in self.keys[:1] if not bar and not start), None)


# A hyphen between two chords, rather than the minus of C-7, C7-9 or C-add9.
_HYPHEN = r"-(?=[b\#♭♯]?(?:[A-G](?!dd|ug|lt|im|om)|[IViv]))"
_IN_CHORD = rf"(?:[^\s|(),:–—→-]|(?!{_HYPHEN})-)"
_TOKEN = re.compile(
    rf"""
    (?P<remark>  ^[ \t]*\#(?:[ \t][^\n]*)?$ )
  | (?P<label>   \[[^\]|\n]*\] )
  | (?P<meter>   \(\d{{1,3}}/\d{{1,2}}\) )
  | (?P<line>    :?\|+[:\]]? )
  | (?P<ending>  \[?\d(?:\s?[,-]?\s?\d)*\. )
  | (?P<times>   \(?(?:[x×]\ ?\d+|\d+\ ?[x×])\)?(?=[\s|\]]|$) )
  | (?P<hold>    [./](?=[\s|./]|$) )
  | (?P<again>   %(?=[\s|]|$) )
  | (?P<space>   \n | [^\S\n]+ | [,–—→] | ->? (?=\s|$) | {_HYPHEN} )
  | (?P<key>     [A-Ga-g][\#b♯♭]?:(?=\s+[^\s|:]) )
  | (?P<sign>    (?i:(?:d\.\s?[cs]\.|da\ capo|dal\ segno)(?:\s+al\s+(?:fine|coda))?
                 |(?:to\ )?coda|segno|fine) (?=[\s|\]]|$) )
  | (?P<chord>   [A-G][\#b]*:(?=[a-z0-9(])[^\s|(),]* (?: \([^)|]*\) [^\s|(),]* )?
               | {_IN_CHORD}+ (?: \([^)|]*\) {_IN_CHORD}* )* )
  | (?P<bad>     . )
    """,
    re.VERBOSE | re.MULTILINE,
)
_KEY_LABEL = re.compile(r"(?i)key\s*(?:[:=]|\s|of\s)\s*(?P<key>.+)")
_TIMES_LABEL = re.compile(r"(?i)(?:repeat|play)?\s*(?:[x×]\s?\d+|\d+\s?(?:[x×]|times))")
_NEAR_SIGN = re.compile(
    r"(?i)d\.?[cs]\.|(?:(?:to|al|double)\s+coda|coda|segno|fine|d[ac]l?\s+(?:capo|segno))\b"
)
# A name of a section with a colon, as on many pages; none of these is a chord.
_SECTION = re.compile(r"(?P<name>[A-Za-z]{3,}(?:[ -][a-z]\w*)*(?: ?\d+)?):")
_METER_LABEL = re.compile(r"(?i)(?:(?:meter|time)\s*[:=]?\s*)?(?P<meter>\d+\s*/\s*\d+)")


class _Slot(NamedTuple):
    """One share of a bar."""

    kind: str  # "chord", "hold" or "again"
    chord: Chord | None
    text: str
    place: str  # for messages
    key: Key | None  # the one that the text has named last


@dataclass
class _Written:
    """A bar as it is written."""

    sign: WrittenBar
    slots: list[_Slot] = field(default_factory=list)
    meter: tuple[int, int] | None = None


def parse_progression(text: str, key: Key | None = None) -> Progression:
    """Read a chord progression.

    Parameters
    ----------
    text
        Chords and bar lines, as the table above has them.
    key
        Key that Roman numerals refer to, until the text names another.

    Returns
    -------
    Progression
        In the order it is played: repeats are written out.

    Raises
    ------
    SymbolError
        A symbol cannot be read (the message says where, and what can be read), a numeral has no
        key, signs of the form do not fit together, or there is no chord at all.

    Examples
    --------
    >>> read = parse_progression("[Verse] | Am F | C . G7/B . | %")
    >>> [[(str(start), text) for start, _, text in bar] for bar in read.bars[:2]]
    [[('0', 'Am'), ('1/2', 'F')], [('0', 'C'), ('1/2', 'G7/B')]]
    >>> read.labels
    ((0, 'Verse'),)
    >>> [bar[0].text for bar in parse_progression("ii V7 I [key: G] V7 I", Key.parse("Bb")).bars]
    ['Cm', 'F7', 'Bb', 'D7', 'G']
    """
    if len(text) > _MOST_CHARACTERS:
        raise SymbolError(
            f"the text of chords has {len(text):,} characters, more than {_MOST_CHARACTERS:,}; "
            "read it in pieces"
        )
    if text.lstrip().lower().startswith(("irealb:", "irealbook:")):
        raise SymbolError("links of iReal Pro cannot be read; write the chords, or export MusicXML")
    written = _Reader(text, key).read()
    order = playing_order([bar.sign for bar in written])
    if not order:
        raise SymbolError(
            f"progression {text!r} has no chords; write some, such as '| Am F | C G |' (text in "
            f"[brackets] is a label)"
        )
    bars: list[Bar] = []
    keys: list[tuple[int, Fraction, Key]] = []
    for index in order:
        slots = written[index].slots
        for i, slot in enumerate(slots):
            last = keys[-1][2] if keys else None
            if slot.key and (slot.key != last or slot.key.sharps != last.sharps):
                keys.append((len(bars), Fraction(i, len(slots)), slot.key))
        bars.append(_played(slots, bars))
    return Progression(
        bars,
        tuple((at, label) for at, i in enumerate(order) for label in written[i].sign.labels),
        tuple(keys),
        tuple(written[i].meter for i in order),
        in_beats=True,
    )


def _played(slots: list[_Slot], before: list[Bar]) -> Bar:
    """Return the chords of a bar, given the bars before it."""
    again = [slot for slot in slots if slot.kind == "again"]
    if again:
        if len(slots) > 1 or not before:
            what = "stands for a whole bar" if len(slots) > 1 else "has no bar before it"
            raise SymbolError(f"'%' at {again[0].place} {what}; write the chords instead")
        return list(before[-1])
    bar: Bar = []
    for i, slot in enumerate(slots):
        if slot.kind == "chord":
            bar.append(Placed(Fraction(i, len(slots)), slot.chord, slot.text))
        elif i == 0:
            if not before:
                raise SymbolError(f"{slot.place} holds a chord before there is one; begin with one")
            bar.append(before[-1][-1]._replace(start=Fraction(0)))
    return bar


class _Reader:
    """Reads a text into the bars that it writes."""

    def __init__(self, text: str, key: Key | None) -> None:
        self.text = text
        self.home = key  # for numerals
        self.said: Key | None = None  # the key that the text has named
        self.meter: tuple[int, int] | None = None
        self.bars: list[_Written] = []
        self.bar = self.next_bar()
        self.is_open = False  # between |: and :|
        self.line_begins: int | None = 0  # the bar that a line of text begins with
        self.line_repeats = False  # whether it has repeat signs or endings
        self.closed: int | None = None  # the bar that a plain :| has just closed
        self.edge: re.Match[str] | None = None  # the bar line before this place

    def next_bar(self) -> _Written:
        return _Written(WrittenBar(), meter=self.meter)

    def read(self) -> list[_Written]:
        lined = "|" in self.text
        for token in _TOKEN.finditer(self.text):
            kind = next(kind for kind, value in token.groupdict().items() if value is not None)
            if kind not in ("space", "label", "sign", "times", "remark"):
                self.closed = None
            if kind in ("chord", "hold", "again"):
                self.bar.slots.append(self.slot(kind, token))
                if not lined:
                    self.end_bar()
            elif kind != "remark":
                getattr(self, f"take_{kind}")(token)
        self.end_bar()
        return self.bars

    def place(self, token: re.Match[str]) -> str:
        """Return where a token stands, as an editor counts."""
        bar = f"bar {len(self.bars) + 1}"
        if "\n" not in self.text.rstrip():
            return f"character {token.start() + 1}, {bar}"
        line = self.text.count("\n", 0, token.start()) + 1
        column = token.start() - (self.text.rfind("\n", 0, token.start()) + 1) + 1
        return f"line {line}, column {column}, {bar}"

    def slot(self, kind: str, token: re.Match[str]) -> _Slot:
        place = self.place(token)
        chord, symbol = None, ""
        if kind == "chord" and len(token[0]) > _LONGEST:
            raise SymbolError(
                f"{shown(token[0])} at {place} is longer than any chord; write spaces between them"
            )
        if kind == "chord":
            try:
                chord, symbol = self.chord(token[0])
            except SymbolError as error:
                raise self.misread(token, place, error) from None
        return _Slot(kind, chord, symbol, place, self.said)

    def misread(self, token: re.Match[str], place: str, error: SymbolError) -> SymbolError:
        """Return the error of a chord that cannot be read; name what it seems to be instead."""
        if section := _SECTION.match(self.text, token.start()):
            name = section["name"]
            return SymbolError(
                f"{name + ':'!r} at {place} seems to name a section; write names of sections in "
                f"brackets, [{name}]"
            )
        if self.text[: token.start()].endswith("]") and token[0].isalpha():
            return SymbolError(
                f"{token[0]!r} at {place} seems to be a word of a song sheet (ChordPro); write the "
                f"chords alone, for example '| Am F |'"
            )
        if re.fullmatch(r"[b#♭♯]?[1-7](?:m|-|°|o|maj|7)*", token[0]):
            return SymbolError(
                f"{token[0]!r} at {place} seems to be a Nashville number; write a Roman numeral, "
                f"for example 'V' for 5 and 'vi' for 6m"
            )
        return SymbolError(f"at {place}: {error}")

    def chord(self, text: str) -> tuple[Chord | None, str]:
        symbol = text
        if is_label(text):
            symbol = label_symbol(text)
        elif is_numeral(text):
            if self.home is None:
                raise SymbolError(
                    f"numeral {text!r} needs a key; give one, such as key='A minor', or write "
                    f"[key: A minor] in front of it"
                )
            symbol = numeral_symbol(text, self.home)
        try:
            chord = parse_chord(symbol)
        except SymbolError as error:
            if symbol == text:
                raise
            raise SymbolError(f"{text!r} is {symbol!r}, but {error}") from None
        return chord, NO_CHORD if chord is None else symbol[0].upper() + symbol[1:]

    def end_bar(self) -> None:
        if self.bar.slots:
            self.bars.append(self.bar)
            self.bar = self.next_bar()

    def take_bad(self, token: re.Match[str]) -> None:
        raise SymbolError(
            f"{token[0]!r} at {self.place(token)} is not a part of a progression; take it out"
        )

    def take_space(self, token: re.Match[str]) -> None:
        if "\n" in token[0]:
            if "|" in self.text:
                self.end_bar()
            self.line_begins = None if self.bar.slots else len(self.bars)
            self.line_repeats = False

    def take_line(self, token: re.Match[str]) -> None:
        if self.is_empty_bar(token):
            self.bar.slots.append(_Slot("hold", None, "", self.place(token), self.said))
        self.end_bar()
        self.edge = token
        if token[0][0] == ":":
            self.line_repeats = True
            self.is_open = False
            if self.bars:
                last = self.bars[-1].sign
                last.times = last.times or 2
                self.closed = None if self.has_ending() else len(self.bars) - 1
        if token[0][-1] == ":":
            self.line_repeats = self.is_open = True
            self.bar.sign.opens = True

    def is_empty_bar(self, line: re.Match[str]) -> bool:
        """Return whether there is nothing but space on one line of text before a bar line."""
        if not self.edge or self.edge[0] not in ("|", "|:") or line[0] not in ("|", "||", ":|"):
            return False
        between = self.text[self.edge.end() : line.start()]
        return between.isspace() and "\n" not in between

    def has_ending(self) -> bool:
        """Return whether the repeat just closed has endings."""
        for i in range(len(self.bars) - 1, -1, -1):
            sign = self.bars[i].sign
            if sign.endings:
                return True
            if sign.opens or (i < len(self.bars) - 1 and sign.times):
                return False
        return False

    def take_ending(self, token: re.Match[str]) -> None:
        self.bar.sign.endings |= passes(token[0])
        self.line_repeats = True

    def take_times(self, token: re.Match[str]) -> None:
        digits = "".join(filter(str.isdigit, token[0]))
        place, count = self.place(token), int(digits) if len(digits) < 4 else MAX_REPEATS + 1
        rest = self.text[token.end() :].partition("\n")[0].strip()
        if self.closed is not None and 2 <= count <= MAX_REPEATS:
            self.bars[self.closed].sign.times = count
            self.closed = None
            return
        if not rest and not self.line_repeats:
            self.end_bar()
        first = self.line_begins
        is_line = not (rest or self.is_open or self.line_repeats or first is None)
        if first is None or not is_line or first == len(self.bars) or not 2 <= count <= MAX_REPEATS:
            raise SymbolError(
                f"{shown(token[0])} at {place} must follow a plain ':|' or end a line of bars "
                f"without repeats, and be x2 to x{MAX_REPEATS}"
            )
        self.bars[first].sign.opens = True
        self.bars[-1].sign.times = count
        self.line_repeats = True

    def take_meter(self, token: re.Match[str]) -> None:
        self.bar.meter = parse_meter(token[0][1:-1])

    def take_key(self, token: re.Match[str]) -> None:
        name = token[0][:-1]
        self.set_key(name[0].upper() + name[1:] + (" minor" if name[0].islower() else ""), token)

    def take_sign(self, token: re.Match[str]) -> None:
        self.take_label(token)

    def take_label(self, token: re.Match[str]) -> None:
        label = token[0].strip("[] ")
        if key := _KEY_LABEL.fullmatch(label):
            self.set_key(key["key"], token)
        elif meter := _METER_LABEL.fullmatch(label):
            self.meter = self.bar.meter = self.at(token, parse_meter, meter["meter"])
        elif _TIMES_LABEL.fullmatch(label):
            self.take_times(token)
        elif re.fullmatch(r"\d(?:\s?[,-]\s?\d)*\.?", label):
            self.take_ending(token)
        elif is_end_sign(label):
            bar = self.bar if self.bar.slots or not self.bars else self.bars[-1]
            bar.sign.take_sign(label)
        elif _NEAR_SIGN.match(label) and label.lower() not in ("coda", "segno"):
            raise SymbolError(
                f"sign {label!r} at {self.place(token)} cannot be read; write [D.C.], [D.S.], "
                f"[D.C. al Fine], [D.S. al Coda], [To Coda], [Coda], [Segno] or [Fine]"
            )
        elif label:
            self.bar.sign.labels.append(label)

    def set_key(self, name: str, token: re.Match[str]) -> None:
        self.home = self.said = self.at(token, Key.parse, name)

    def at(self, token: re.Match[str], parse: Any, text: str) -> Any:
        try:
            return parse(text)
        except SymbolError as error:
            raise SymbolError(f"at {self.place(token)}: {error}") from None
