"""The form of a piece by letters, and what it makes of each bar.

Conventions
-----------
A form is a letter a section: ``"AABA"``. Sections of one letter are the same music; ``A'`` is a
variation of A. A number after a letter says how many bars it has, ``"A8 A8 B8 A8"``; all letters
have one or none. Spaces, commas and bar lines between sections are ignored.

The first section of a letter is written. One that comes again is the same note for note, wherever
its chords and constraints let it; a variation, and the piece's last section where its letter came
before, keep most bars and get others: the last quarter, and of eight bars or more the one before
the middle. A new letter contrasts with what came before: fewer copies of its bars, and in melodies
another register and other note lengths. The piece ends with a full close; where
the last two letters differ, the chords that are invented for the first of them end on the dominant.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np

from composer._calls import shown
from composer.errors import RequestError, SymbolError
from composer.form.outline import NONE, Outline
from composer.score.events import Text
from composer.score.score import Score

#: Bars of a section where nothing says how many.
USUAL_SECTION = 4

_SECTION = re.compile(r"(?P<letter>[A-Z])(?P<primes>['’′]*)(?P<bars>\d*)")
_BETWEEN = re.compile(r"[\s,|–—-]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """A section of a form: its letter, and where it lies."""

    letter: str
    primes: int  # 0 as it was first
    start: int  # bar, counted from 0
    bars: int  # 1 or more

    @property
    def end(self) -> int:
        """The bar after the last one."""
        return self.start + self.bars

    @property
    def name(self) -> str:
        """Such as ``"A'"``."""
        return self.letter + "'" * self.primes


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """Sections one after the other.

    Parameters
    ----------
    names
        (letter, primes) of each section.
    lengths
        Bars of each; empty where nothing is said of them.

    Examples
    --------
    >>> form = Form.parse("AABA'")
    >>> [section.name for section in form.sections(16)]
    ['A', 'A', 'B', "A'"]
    >>> Form.parse("A8 B4").lengths
    (8, 4)
    """

    names: tuple[tuple[str, int], ...]
    lengths: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Form:
        """Return the form that a text says.

        Raises
        ------
        SymbolError
            The text cannot be read, or holds no letter.
        RequestError
            Some sections have a number of bars and others none, or one has 0.
        """
        if not isinstance(text, str):
            raise SymbolError(
                f"form {shown(text)} is not a text; write a letter a section, such as 'AABA'"
            )
        found, at = [], _skip(text, 0)
        while at < len(text):
            section = _SECTION.match(text, at)
            if section is None:
                raise SymbolError(
                    f"form {text!r} cannot be read at {text[at:]!r}; write a capital letter a "
                    "section, such as 'AABA' or \"A8 A8 B8 A'8\""
                )
            found.append(section)
            at = _skip(text, section.end())
        if not found:
            raise SymbolError(f"form {text!r} has no section; write letters, such as 'AABA'")
        said = [int(section["bars"]) for section in found if section["bars"]]
        if len(said) not in (0, len(found)) or 0 in said:
            raise RequestError(
                f"form {text!r} gives {len(said)} of its {len(found)} sections a number of bars; "
                "give each one of 1 or more, or none"
            )
        return cls(tuple((s["letter"], len(s["primes"])) for s in found), tuple(said))

    def __str__(self) -> str:
        names = [letter + "'" * primes for letter, primes in self.names]
        if not self.lengths:
            return "".join(names)
        return " ".join(f"{name}{bars}" for name, bars in zip(names, self.lengths, strict=True))

    def bars(self, bars: int | None, chords: int = 0) -> int:
        """Return how many bars a piece of this form has.

        Parameters
        ----------
        bars
            Those asked for; None if nobody did.
        chords
            Bars of the chords that are given; 0 for none. They are the whole piece's where that
            gives each section four bars or more, and one section's otherwise.

        Raises
        ------
        RequestError
            Form, bars and chords do not add up.
        """
        count = len(self.names)
        if self.lengths:
            bars = sum(self.lengths) if bars is None else bars
        elif bars is None and chords:
            whole = chords % count == 0 and chords >= USUAL_SECTION * count
            bars = chords if whole else chords * count
        elif bars is None:
            bars = USUAL_SECTION * count
        sections = self.sections(bars)
        if chords and chords != bars and any(section.bars % chords for section in sections):
            lengths = sorted({section.bars for section in sections})
            said = " and ".join(str(length) for length in lengths)
            raise RequestError(
                f"{chords} bars of chords do not add up with form '{self}' of {bars} bars; give "
                f"chords for {bars} bars, or for sections of {said}"
            )
        return bars

    def sections(self, bars: int) -> list[Section]:
        """Return the sections of a piece of so many bars.

        Raises
        ------
        RequestError
            The form has another number of bars, or they cannot be shared out alike.
        """
        count = len(self.names)
        lengths = self.lengths or (bars // count,) * count
        if sum(lengths) != bars or 0 in lengths:
            so_many = f"{sum(lengths)} bars" if self.lengths else f"{count} sections of one length"
            raise RequestError(
                f"form '{self}' has {so_many}, which do not add up to {bars} bars; give bars that "
                "do, or say how many each section has, such as 'A8 A8 B4 A8'"
            )
        starts = np.cumsum([0, *lengths]).tolist()
        return [
            Section(letter, primes, start, length)
            for (letter, primes), start, length in zip(self.names, starts, lengths, strict=False)
        ]

    def named(self, score: Score, bars: int) -> Score:
        """Return a score of so many bars with a marker at each section, called as it is."""
        starts = [int(score.meter.bar_start(section.start)) for section in self.sections(bars)]
        names = [section.name for section in self.sections(bars)]
        return score.replace(markers=tuple(map(Text, starts, names)))

    def outline(self, bars: int) -> Outline:
        """Return what the form makes of each bar of a piece.

        Raises
        ------
        RequestError
            As ``sections``.
        """
        sections = self.sections(bars)
        outline = _outline(bars)
        first: dict[str, Section] = {}
        said: dict[str, Section] = {}
        for section in sections:
            span = slice(section.start, section.end)
            outline.begins[section.start] = True
            source = said.setdefault(section.name, section)
            is_last = section is sections[-1]
            if section.letter not in first:
                outline.contrasts[span] = bool(first)
                first[section.letter] = section
            elif source is not section and not is_last:
                _take_up(outline, section, source, varied=False)
            else:
                same = source if source is not section else first[section.letter]
                _take_up(outline, section, same, varied=True)
        _close(outline, sections, first)
        return outline


def _skip(text: str, at: int) -> int:
    """Return where the next section of a text begins."""
    between = _BETWEEN.match(text, at)
    return between.end() if between else at


def _outline(bars: int) -> Outline:
    """Return an outline of its own to write in."""
    no, none = np.zeros(bars, bool), np.full(bars, NONE)
    free = (no, none, none, none, no, no, no)
    return Outline(*(column.copy() for column in free))


def _take_up(outline: Outline, section: Section, source: Section, *, varied: bool) -> None:
    """Enter a section that takes up another one."""
    length = min(section.bars, source.bars)
    bars, sources = section.start + np.arange(length), source.start + np.arange(length)
    outline.same_chords[bars] = outline.copied[bars] = sources
    if varied:
        anew = [offset for offset in _varied(section.bars) if offset < length]
        outline.copied[bars[anew]] = NONE
        outline.varied[bars[anew]] = sources[anew]


def _varied(bars: int) -> Iterator[int]:
    """Return which bars of a section a variation has anew."""
    if bars >= 2 * USUAL_SECTION:
        yield bars // 2 - 1
    yield from range(bars - max(1, bars // 4), bars)


def _close(outline: Outline, sections: list[Section], first: dict[str, Section]) -> None:
    """Enter how sections end."""
    last = sections[-1]
    outline.closes[last.end - 1] = True
    outline.same_chords[last.end - 1] = NONE
    if last.bars >= USUAL_SECTION:  # shorter ones need their chords
        outline.half_closes[last.end - 2] = True
        outline.same_chords[last.end - 2] = NONE
    before = first[sections[max(0, len(sections) - 2)].letter]
    if before.letter != last.letter and before.bars > 1:
        outline.half_closes[before.end - 1] = True
