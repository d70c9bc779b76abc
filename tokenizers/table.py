"""A sequence as a table that can be read."""

from __future__ import annotations

from collections.abc import Sequence

from composer.tokenizers.vocabulary import Ids, Vocabulary


def describe_ids(vocabulary: Vocabulary, ids: Ids, places: Sequence[int] | None = None) -> str:
    """Return a line for each id: place, token, and the bar, position and part it stands in.

    Bars are counted from 0; where a sequence has a ``Fill`` they go by the number they say. Where
    ``places`` are given they stand in place of 0, 1, 2..., each once.
    """
    places = range(len(ids)) if places is None else places
    shown = -1
    by_cells = "Part" in vocabulary.base
    numbered = by_cells and vocabulary.base["Fill"] in ids
    families, tokens = vocabulary.families, vocabulary.tokens
    lines = [f"{'place':>5}  {'token':16}{'bar':>4}  {'position':>8}  part"]
    bar, position, part = "", "", ""
    for place, index in zip(places, ids.tolist(), strict=True):
        family = families[int(vocabulary.family_of[index])]
        label = family.labels[int(vocabulary.value_of[index])]
        if family.name == "Bar":
            bar = label if numbered else str(int(bar or -1) + 1)
            position = part = ""
        elif family.name == "Position":
            position, part = label, part if by_cells else ""
        elif family.name == ("Part" if by_cells else "Program"):
            part, position = label, "" if by_cells else position
        elif family.name in ("Fill", "EOS"):
            bar = position = part = ""
        said = "" if place == shown else str(place)
        shown = place
        lines.append(f"{said:>5}  {tokens[index]:16}{bar:>4}  {position:>8}  {part}".rstrip())
    return "\n".join(lines)
