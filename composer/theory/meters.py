"""Time signatures as people write them."""

from __future__ import annotations

import re

from composer._calls import shown
from composer.errors import SymbolError


def parse_meter(text: str) -> tuple[int, int]:
    """Read a time signature such as ``3/4``.

    Raises
    ------
    SymbolError
        The text is not a time signature: beats 1 to 255 over a power of two up to 64.

    Examples
    --------
    >>> parse_meter("6/8")
    (6, 8)
    """
    found = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,2})\s*", str(text))
    if found:
        beats, unit = int(found[1]), int(found[2])
        if 1 <= beats <= 255 and unit in (1, 2, 4, 8, 16, 32, 64):
            return beats, unit
    raise SymbolError(f"meter {shown(text)} is not a time signature; write one like '4/4' or '6/8'")
