"""Pictures of a score.

Conventions
-----------
The horizontal axis is in ticks, so that ``score.meter`` places whatever else is to be drawn; its
labels number bars from 1, as scores and DAWs do. Middle C, pitch 60, is C4. Louder notes are
darker.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.score.events import Events
from composer.score.instruments import GM_DRUMS, GM_PROGRAMS
from composer.score.meter import bar_range
from composer.score.score import Score, Track

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#41658a", "#b0603f", "#5b8266", "#8a6a9b", "#b08b3e", "#3f8a8c", "#a4566f", "#7a6a58")
DRUM_COLOUR = "#59616c"
INK, FAINT = "#33363b", "#7d838b"
BAND, BEAT_LINE, BAR_LINE, FRAME = "#f4f5f7", "#e9ebee", "#c6cbd1", "#b3b9c0"

# Lengths in inches.
MARGIN, TOP, BOTTOM = 0.18, 0.14, 0.4
GAP = 0.09  # between panels
CHORD_ROW, DRUM_ROW = 0.17, 0.15
SILENT_PANEL, MIN_PANEL, MAX_PANEL = 0.32, 0.62, 2.6
BEAT, MIN_WIDTH, MAX_WIDTH = 0.2, 6.0, 15.0  # of the time axis

# Sizes in points, 72 to an inch.
NAME_SIZE, INSTRUMENT_SIZE, LABEL_SIZE, CHORD_SIZE = 8.5, 6.5, 6.5, 8.0
DRUM_HIT = 3.0  # the least that a hit is wide
MAX_NAME = 22  # characters


class _Axis(NamedTuple):
    """The time axis that all panels share."""

    start: int  # ticks
    end: int  # ticks
    first_bar: int
    bars: npt.NDArray[np.int64]  # ticks at which bars begin
    tpq: int
    inches: float

    def ticks(self, points: float) -> float:
        """Return how many ticks a length on paper is."""
        return points * (self.end - self.start) / (72 * self.inches)


class _Panel(NamedTuple):
    """One part: its notes in the range and the pitches of its rows, from below; silent has none."""

    track: Track
    notes: Events
    rows: tuple[int, ...]
    colour: str
    height: float  # inches


class _ChordText(NamedTuple):
    tick: int
    row: int  # from below
    text: str


def piano_roll(
    score: Score,
    *,
    bars: int | str | tuple[int, int] | None = None,
    width_inches: float | None = None,
) -> Figure:
    """Draw a score: a panel for each part, one above the other, and chord symbols on top.

    Parts without notes have no panel. Chord symbols that find no room in two rows are left out;
    fewer bars or a wider figure make room.

    Parameters
    ----------
    score
        The score to draw.
    bars
        First and last bar to draw, counted from 1: ``"5-8"`` or ``(5, 8)``; all of them by
        default. A note that sounds on from the bar before is drawn too.
    width_inches
        Width of the time axis; by default it grows with the number of beats, within limits.

    Returns
    -------
    Figure
        Has ``savefig``; a notebook shows it when it is the value of a cell.

    Raises
    ------
    RequestError
        The score does not have the bars, the width is not positive, or the score is empty.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> from composer import Score, Track
    >>> flute = Track("Flute", 73, notes=[(0, 480, 72, 90), (480, 480, 74, 70)])
    >>> figure = piano_roll(Score(tracks=(flute,)))
    >>> len(figure.axes[0].collections[-1].get_paths())
    2
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "piano_roll needs matplotlib, which is not installed; "
            "install it with: pip install 'composer-midi[plot]'"
        ) from error
    axis = _axis(score, _shown_bars(score, bars), width_inches)
    panels = _panels(score, axis)
    chords = _placed_chords(score, axis)
    names = max((_name_inches(panel.track) for panel in panels), default=0.0)
    labels = max((_label_inches(panel) for panel in panels), default=0.0)
    left = MARGIN + names + labels + 0.15
    strip = CHORD_ROW * (1 + max((chord.row for chord in chords), default=-1))
    width = left + axis.inches + MARGIN
    height = TOP + strip + sum(panel.height + GAP for panel in panels) + BOTTOM
    figure = Figure(figsize=(width, height), dpi=120, facecolor="white")
    top = height - TOP - strip
    for panel in panels or [_Panel(Track(), Track().notes, (), INK, SILENT_PANEL)]:
        bottom = (top - panel.height) / height
        axes = figure.add_axes((left / width, bottom, axis.inches / width, panel.height / height))
        _draw_panel(axes, panel, axis)
        _write_name(axes, panel, left)
        top -= panel.height + GAP
    _write_chords(figure.axes[0], chords)
    _write_bar_numbers(figure.axes[-1], axis)
    figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]
    return figure


def _png(figure: Figure) -> bytes:
    """Return the picture as IPython asks for it: figures made without pyplot are not shown else."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png")
        return file.getvalue()


def _shown_bars(score: Score, bars: int | str | tuple[int, int] | None) -> range:
    last_chord = max((tick + 1 for tick, _ in score.chords), default=0)
    count = score.meter.bars_until(max(score.end, last_chord))
    if not count:
        raise RequestError("the score has no notes and no chords to draw; add some")
    if bars is None:
        return range(count)
    first, last = bar_range(bars, count)
    return range(first - 1, last)


def _axis(score: Score, bars: range, inches: float | None) -> _Axis:
    starts = score.meter.bar_start(np.arange(bars.start, bars.stop + 1))
    start, end = int(starts[0]), int(starts[-1])
    if inches is None:
        inches = min(max((end - start) / score.tpq * BEAT, MIN_WIDTH), MAX_WIDTH)
    if not 0 < inches < math.inf:
        raise RequestError(f"width_inches {inches} must be a positive number of inches")
    return _Axis(start, end, bars.start, starts[:-1], score.tpq, inches)


def _panels(score: Score, axis: _Axis) -> list[_Panel]:
    """Return what to draw of each part that has notes."""
    tracks = [track for track in score.tracks if len(track.notes)]
    pitched = sum(not track.is_drum for track in tracks)
    semitone = 0.1 if pitched == 1 else 0.07 if pitched <= 4 else 0.05
    panels = []
    colours = itertools.cycle(PALETTE)
    for track in tracks:
        notes = track.notes
        onsets, ends = notes["onset"], notes["onset"] + notes["duration"]
        notes = notes[(onsets < axis.end) & ((onsets >= axis.start) | (ends > axis.start))]
        rows = _rows(notes, track.is_drum)
        if track.is_drum:
            colour, height = DRUM_COLOUR, DRUM_ROW * (len(rows) + 0.5)
        else:
            colour, height = next(colours), min(max(semitone * len(rows), MIN_PANEL), MAX_PANEL)
        height = max(height, SILENT_PANEL) if rows else SILENT_PANEL
        panels.append(_Panel(track, notes, rows, colour, height))
    return panels


def _rows(notes: Events, is_drum: bool) -> tuple[int, ...]:
    """Return the drums that play, or all pitches around the notes: an octave at least, so a C."""
    pitches = np.unique(notes["pitch"])
    if is_drum or not len(pitches):
        return tuple(pitches.tolist())
    low, high = int(pitches[0]) - 1, int(pitches[-1]) + 1
    short = max(0, 12 - (high - low))
    return tuple(range(low - short // 2, high + (short + 1) // 2 + 1))


def _draw_panel(axes: Axes, panel: _Panel, axis: _Axis) -> None:
    axes.set_xlim(axis.start, axis.end)
    if panel.track.is_drum or not panel.rows:
        axes.set_ylim(-0.75, max(len(panel.rows), 1) - 0.25)
    else:
        axes.set_ylim(panel.rows[0] - 0.5, panel.rows[-1] + 0.5)
    _draw_rows(axes, panel, axis)
    _draw_bar_lines(axes, axis)
    _draw_notes(axes, panel, axis)
    labels = _row_labels(panel)
    axes.set_yticks([place for place, _ in labels], [label for _, label in labels])
    axes.tick_params(length=0, pad=4, labelsize=LABEL_SIZE, labelcolor=FAINT, labelbottom=False)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_color(FRAME)
        spine.set_linewidth(0.6)


def _draw_rows(axes: Axes, panel: _Panel, axis: _Axis) -> None:
    """Draw bands where a keyboard has black keys, or every other drum."""
    from matplotlib.collections import PolyCollection

    if panel.track.is_drum:
        rows = np.arange(len(panel.rows))[::2]
    else:
        rows = np.array(panel.rows, np.int64)
        rows = rows[np.isin(rows % 12, (1, 3, 6, 8, 10))]
        cs = [row - 0.5 for row in panel.rows[1:] if row % 12 == 0]
        axes.hlines(cs, axis.start, axis.end, BAR_LINE, linewidth=0.4, zorder=0.6)
    boxes: Any = _boxes(np.full(len(rows), axis.start), np.full(len(rows), axis.end), rows, 0.5)
    axes.add_collection(PolyCollection(boxes, facecolor=BAND, edgecolor="none", zorder=0.5))


def _draw_bar_lines(axes: Axes, axis: _Axis) -> None:
    low, high = axes.get_ylim()
    every = _bar_step(axis, inches=0.06)
    bars = axis.bars[-axis.first_bar % every :: every]
    if axis.ticks(9) < axis.tpq:
        beats = np.concatenate(
            [np.arange(a, b, axis.tpq) for a, b in zip(bars, [*bars[1:], axis.end], strict=True)]
        )
        axes.vlines(beats, low, high, BEAT_LINE, linewidth=0.5, zorder=0.7)
    axes.vlines(bars, low, high, BAR_LINE, linewidth=0.7, zorder=0.8)


def _draw_notes(axes: Axes, panel: _Panel, axis: _Axis) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    notes = panel.notes
    onsets = notes["onset"].astype(np.float64)
    if panel.track.is_drum:
        rows = np.searchsorted(panel.rows, notes["pitch"])
        least = max(axis.ticks(DRUM_HIT), axis.tpq / 8)
        ends, half = onsets + least, 0.36
    else:
        rows = notes["pitch"].astype(np.int64)
        ends, half = onsets + np.maximum(notes["duration"], axis.ticks(1.0)), 0.45
    strength = 0.25 + 0.75 * notes["velocity"][:, None] / 127
    colours = 1 - strength * (1 - np.array(to_rgb(panel.colour)))
    outline = 0.5 if axis.ticks(8) < axis.tpq else 0.0  # would leave nothing of narrow notes
    boxes: Any = _boxes(onsets, ends, rows, half)
    axes.add_collection(
        PolyCollection(boxes, facecolors=colours, edgecolors="white", linewidths=outline, zorder=2)
    )


def _boxes(
    starts: npt.NDArray[Any], ends: npt.NDArray[Any], rows: npt.NDArray[Any], half: float
) -> npt.NDArray[np.float64]:
    """Return the corners of rectangles, shape (n, 4, 2)."""
    corners = np.empty((len(rows), 4, 2))
    corners[:, :2, 0], corners[:, 2:, 0] = starts[:, None], ends[:, None]
    corners[:, [0, 3], 1], corners[:, 1:3, 1] = rows[:, None] - half, rows[:, None] + half
    return corners


def _row_labels(panel: _Panel) -> list[tuple[int, str]]:
    """Return rows and their names: every drum; of the notes all Cs, and Gs where there is room."""
    if panel.track.is_drum:
        return [(row, GM_DRUMS.get(pitch, f"note {pitch}")) for row, pitch in enumerate(panel.rows)]
    semitone = panel.height / max(len(panel.rows), 1)
    named = {0: "C", 7: "G"} if semitone * 5 > 0.16 else {0: "C"}
    octaves = 1 if semitone * 12 > 0.12 else 2
    return [
        (pitch, f"{named[pitch % 12]}{pitch // 12 - 1}")
        for pitch in panel.rows
        if pitch % 12 in named and pitch // 12 % octaves == 0
    ]


def _names(track: Track) -> tuple[str, str]:
    """Return the name of a part and, where it says more, of its instrument."""
    instrument = "Drums" if track.is_drum else GM_PROGRAMS[track.program]
    name = " ".join(track.name.split())
    if not name:
        return instrument, ""
    short = name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
    return short, "" if instrument.lower() in name.lower() else instrument


def _name_inches(track: Track) -> float:
    name, instrument = _names(track)
    return max(_inches(name, NAME_SIZE, "bold"), _inches(instrument, INSTRUMENT_SIZE))


def _label_inches(panel: _Panel) -> float:
    return 0.12 + max((_inches(label, LABEL_SIZE) for _, label in _row_labels(panel)), default=0.0)


@functools.lru_cache(maxsize=1024)
def _inches(text: str, size: float, weight: str = "normal") -> float:
    """Return how wide a text is."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    text = text.replace("$", "S")  # a dollar sign would begin a formula
    path = TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight))
    return float(path.get_extents().width) / 72


def _write_name(axes: Axes, panel: _Panel, left: float) -> None:
    name, instrument = _names(panel.track)
    if not len(panel.track.notes):
        return
    x = 72 * (MARGIN - left)
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    where |= {
        "xy": (0, 1),
        "va": "top",
        "ha": "left",
        "annotation_clip": False,
        "parse_math": False,
    }
    axes.annotate(name, xytext=(x, -2), size=NAME_SIZE, weight="bold", color=panel.colour, **where)
    axes.annotate(instrument, xytext=(x, -14), size=INSTRUMENT_SIZE, color=FAINT, **where)


def _placed_chords(score: Score, axis: _Axis) -> list[_ChordText]:
    """Return the chord symbols in range, each in the lower of two rows that has room."""
    before = [text for tick, text in score.chords if tick <= axis.start]
    texts = [(axis.start, before[-1])] if before else []
    texts += [(tick, text) for tick, text in score.chords if axis.start < tick < axis.end]
    placed = []
    free = [-math.inf, -math.inf]  # tick from which each row is free
    for tick, text in texts:
        end = tick + axis.ticks(72 * _inches(text, CHORD_SIZE) + 5)
        for row in (0, 1):
            if free[row] <= tick:
                free[row] = end
                placed.append(_ChordText(tick, row, text))
                break
    return placed


def _write_chords(axes: Axes, chords: Sequence[_ChordText]) -> None:
    for tick, row, text in chords:
        axes.annotate(
            text,
            xy=(tick, 1),
            xycoords=("data", "axes fraction"),
            xytext=(1, 4 + 72 * CHORD_ROW * row),
            textcoords="offset points",
            size=CHORD_SIZE,
            color=FAINT if text == "N.C." else INK,
            annotation_clip=False,
            parse_math=False,
        )


def _bar_step(axis: _Axis, inches: float) -> int:
    """Return the power of two that keeps every so manyeth bar apart by some inches."""
    bar = axis.inches / len(axis.bars)
    return 1 << max(0, math.ceil(math.log2(inches / bar)))


def _write_bar_numbers(axes: Axes, axis: _Axis) -> None:
    step = _bar_step(axis, inches=0.36)
    first = -axis.first_bar % step
    ticks = axis.bars[first::step]
    numbers = range(axis.first_bar + first + 1, axis.first_bar + len(axis.bars) + 1, step)
    axes.set_xticks(ticks, [str(number) for number in numbers], ha="left")
    axes.tick_params(axis="x", labelbottom=True, labelsize=LABEL_SIZE + 0.5, labelcolor=FAINT)
    axes.set_xlabel("bar", size=LABEL_SIZE + 0.5, color=FAINT, labelpad=2)
