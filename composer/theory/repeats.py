"""The order in which the bars of a chart are played: repeats, endings, D.C., D.S., Coda and Fine.

Conventions
-----------
A repeat is played twice unless it says how often. After D.C. or D.S. repeats are not taken again
and the last ending is played, as on paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from composer.errors import SymbolError

_ENDINGS = re.compile(r"(\d)(?:\s*-\s*(\d))?")
_JUMP = re.compile(
    r"(?i)(?:d\.?\s*(?P<short>[cs])\.?|da\s+(?P<capo>c)apo|dal\s+(?P<segno>s)egno)"
    r"(?:\s+al\s+(?P<end>fine|(?:the\s+)?coda))?"
)
_TO_CODA = re.compile(r"(?i)(?:to|al)\s+coda")


@dataclass
class WrittenBar:
    """What the signs around a bar say of it."""

    opens: bool = False  # a repeat begins with it
    times: int = 0  # a repeat ends with it, and how often it is played in all; 0 for none
    endings: frozenset[int] = frozenset()  # it begins what these passes end with
    labels: list[str] = field(default_factory=list)
    jump: str | None = None  # behind it: "c" to the begin, "s" to the segno
    until: str | None = None  # where the playing after the jump ends: "fine" or "coda"
    is_fine: bool = False
    leaves: bool = False  # for the coda, after a jump

    def take_sign(self, label: str) -> bool:
        """Note what a label says of the end of this bar; return whether it says anything."""
        plain = label.strip()
        if plain.lower() == "fine":
            self.is_fine = True
        elif _TO_CODA.fullmatch(plain):
            self.leaves = True
        elif jump := _JUMP.fullmatch(plain):
            self.jump = (jump["short"] or jump["capo"] or jump["segno"]).lower()
            self.until = jump["end"].lower().split()[-1] if jump["end"] else None
        else:
            return False
        return True


def is_end_sign(label: str) -> bool:
    """Return whether a label belongs to the end of a bar: Fine, To Coda, D.C. and D.S.

    >>> [is_end_sign(label) for label in ("D.S. al Coda", "Fine", "Coda", "Verse", "D")]
    [True, True, False, False, False]
    """
    return WrittenBar().take_sign(label)


def passes(text: str) -> frozenset[int]:
    """Return the passes that an ending is for.

    >>> sorted(passes("1,2.")), sorted(passes("1-3."))
    ([1, 2], [1, 2, 3])
    """
    found = _ENDINGS.findall(text)
    return frozenset(n for a, b in found for n in range(int(a), int(b or a) + 1))


def playing_order(bars: list[WrittenBar]) -> list[int]:
    """Return the indices of bars in the order they are played.

    Raises
    ------
    SymbolError
        A jump goes to a sign that is not there, or there are two of them.
    """
    segno, coda = _labelled(bars, "segno"), _labelled(bars, "coda")
    order: list[int] = []
    at, start, turn = 0, 0, 1  # the bar, where the repeat under way begins, and its pass
    jumped: WrittenBar | None = None
    while at < len(bars):
        bar = bars[at]
        if bar.opens and at != start:
            start, turn = at, 1
        if bar.endings and not _is_taken(bars, at, turn, final=jumped is not None):
            at = _next_ending(bars, at)
            if at == len(bars) or not bars[at].endings:
                raise SymbolError(
                    f"no ending is for pass {turn} of its repeat; number endings 1, 2 and so on"
                )
            continue
        order.append(at)
        if jumped and jumped.until == "fine" and bar.is_fine:
            break
        if jumped and jumped.until == "coda" and bar.leaves:
            at = start = _target(coda, "Coda")
            jumped = WrittenBar()  # nothing stops it any more
            continue
        if bar.times and not jumped:
            group = _group(bars, start, at)
            if (turn < bar.times) if not group else any(max(e) > turn for e in group):
                at, turn = start, turn + 1
                continue
            start, turn = at + 1, 1
        if bar.jump and not jumped:
            _check_until(bars, bar)
            jumped, turn = bar, 1
            at = start = 0 if bar.jump == "c" else _target(segno, "Segno")
            continue
        at += 1
    return order


def _labelled(bars: list[WrittenBar], sign: str) -> list[int]:
    return [i for i, bar in enumerate(bars) if sign in (label.lower() for label in bar.labels)]


def _target(found: list[int], sign: str) -> int:
    if len(found) != 1:
        count = "no bar is" if not found else f"{len(found)} bars are"
        raise SymbolError(f"{count} marked [{sign}] to go to; mark the one that is meant")
    return found[0]


def _check_until(bars: list[WrittenBar], jump: WrittenBar) -> None:
    name = f"D.{(jump.jump or '').upper()}. al {(jump.until or '').title()}"
    if jump.until == "fine" and not any(bar.is_fine for bar in bars):
        raise SymbolError(f"[{name}] has no bar to end with; write [Fine] behind that bar")
    if jump.until == "coda" and not any(bar.leaves for bar in bars):
        raise SymbolError(f"[{name}] has no bar to leave; write [To Coda] behind that bar")


def _group(bars: list[WrittenBar], start: int, end: int) -> list[frozenset[int]]:
    """Return the endings of a repeat, of which one may end with a bar and others follow."""
    inside = [bars[i].endings for i in range(start, end + 1) if bars[i].endings]
    i = end + 1
    while inside and i < len(bars) and not bars[i].opens:
        if bars[i].endings:
            inside.append(bars[i].endings)
        i += 1
    return inside


def _next_ending(bars: list[WrittenBar], at: int) -> int:
    """Return where the next ending begins, or what comes after this one."""
    for i in range(at + 1, len(bars)):
        if bars[i].endings or bars[i].opens:
            return i
        if bars[i - 1].times:
            return i
    return len(bars)


def _is_taken(bars: list[WrittenBar], at: int, turn: int, *, final: bool) -> bool:
    """Return whether an ending is played on a pass; after a jump, whether it is the last one."""
    if not final:
        return turn in bars[at].endings
    i = _next_ending(bars, at)
    return not (i < len(bars) and bars[i].endings)
