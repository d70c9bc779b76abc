"""Music without an end, bar by bar."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from composer._calls import called_right
from composer._version import __version__
from composer.constraints.base import Constraint
from composer.constraints.cell import PostedConstraint
from composer.edits.cells import put_back
from composer.edits.patch import Author, recorded, regions_of
from composer.errors import RequestError
from composer.generate.batch import finish
from composer.generate.writer import Writer
from composer.harmony.inference import bar_keys
from composer.harmony.lead_sheet import key_named
from composer.harmony.sources import ChordsLike
from composer.model.model import Model
from composer.planning.blank import sayable_chart
from composer.planning.constraints import rows_of
from composer.planning.controls import ControlTargets
from composer.planning.settings import NoteSettings
from composer.planning.write import sampling_of
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.events import Text
from composer.score.grid import Grid, cut_bars
from composer.score.score import Score, Track
from composer.theory.keys import Key
from composer.tokenizers.cells.codec import restated_chords

# Of the bars written so many are kept; then only the last few, which no note outlasts in 4/4.
_MOST_BARS, _KEPT_BARS = 48, 8

_SAME: Any = ...  # what is not said in ``change``, where None says something


class Stream(Iterator[Score]):
    """Bars that are written one after the other, for as long as one asks for them.

    Each is a score of one bar that begins at tick 0; notes may sound on behind it. What ``change``
    says holds from the next bar on. ``Composer.stream`` makes one.

    Parameters
    ----------
    model
        What writes.
    tracks
        An empty track for each part.
    rules
        How each part is to be written.
    sampling, seed
        As for a ``Request``.
    where
        Constraints, which hold in every bar. Notes of a part that they make begin notes in each bar
        end with the bar.
    chart
        What ``composer.harmony.lead_sheet.chart`` takes: chords, key, meter and tempo.

    Examples
    --------
    >>> import composer
    >>> stream = composer.stream("Am F C G", instruments=["bass"], seed=1)
    >>> first, second = next(stream), next(stream)
    >>> stream.change(chords="Dm7 G7", temperature=1.1)
    >>> [chord.text for bar in (first, second, next(stream)) for chord in bar.chords]
    ['Am', 'F', 'Dm7']
    """

    def __init__(
        self,
        model: Model,
        tracks: Sequence[Track],
        rules: tuple[PartRules, ...],
        sampling: Sampling,
        seed: int,
        *,
        where: tuple[Constraint, ...] = (),
        aims: ControlTargets = ControlTargets(),  # noqa: B008  (frozen)
        **chart: Any,
    ) -> None:
        self._decoder = model.decoder.blank()
        self._tokenizer = model.tokenizer
        self._tracks = tuple(tracks)
        self._rules = rules
        self._where = [(c, rows_of(c, Score(tracks=self._tracks))) for c in where]
        self._aims = aims
        for asked in (*where, *aims.controls):
            if asked.bars is not None:
                raise RequestError(
                    f"{asked} names bars, which a stream has no end of; leave them out"
                )
        for constraint in where:
            if constraint.is_linear or constraint.is_last:
                raise RequestError(
                    f"{constraint} needs to know the bars to come, which a stream does not; write "
                    "a piece of so many bars with another verb"
                )
            if constraint.keeps_notes:
                raise RequestError(f"{constraint} keeps notes, and a stream has none yet; drop it")
        self._rng = np.random.default_rng(seed)
        self._author = Author(
            *("composer", "stream", model.name, seed),
            constraints=where,
            controls=aims.controls,
            version=__version__,
        )
        self._writer: Writer | None = None
        self._restore: Callable[[], None] | None = None  # where a bar is begun and not ended
        #: How many bars have been written.
        self.bars = 0
        self._chart: dict[str, Any] = {}
        self._sampling = sampling
        self.change(**chart)

    @called_right("stream.change")
    def change(
        self,
        *,
        chords: ChordsLike | None = _SAME,
        key: str | None = _SAME,
        meter: str | None = _SAME,
        tempo: float | None = _SAME,
        sampling: Sampling | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        guidance: float | None = None,
    ) -> None:
        """Change what holds from the next bar on; the rest stays as it is.

        Parameters
        ----------
        chords, key, meter, tempo
            As for ``Composer.stream``. New chords begin with their first bar; without a new key
            they are heard in the old one.
        sampling
            All settings of sampling. Where it says nothing of guidance, controls weigh as before.
        temperature, top_p, guidance
            Single ones.

        Raises
        ------
        SymbolError, RequestError
            A value cannot be read or is out of range. Nothing has changed then.
        """
        self._go_back()
        single: NoteSettings = {"temperature": temperature, "top_p": top_p, "guidance": guidance}
        settings = sampling_of({"sampling": sampling, **single}, usual=self._sampling)
        if guidance is None and settings.guidance == 1:
            settings = dataclasses.replace(settings, guidance=self._sampling.guidance)
        said = {"chords": chords, "key": key, "meter": meter, "tempo": tempo}
        changes = {name: value for name, value in said.items() if value is not _SAME}
        if changes:
            asked = {**self._chart, **changes}
            if "chords" in changes and "key" not in changes:
                asked["key"] = key_named(asked["chords"], asked["key"])
            blank, home, count = sayable_chart(**asked, bars=None)
            sheet = self._tokenizer.grid(blank.replace(tracks=self._tracks), home, count)
            sheet = sheet.named(self._tracks)
            keys = bar_keys(blank, home, count)
            if self._where:
                self._check(sheet, asked, keys)
            self._keys = keys
            self._blanks = _bars_of(blank.replace(tracks=self._tracks), count)
            self._sheet = sheet
            self._chart = {**asked, "key": home.name}
            if "chords" in changes:
                self._at = 0
        self._sampling = settings

    def __next__(self) -> Score:
        """Write the next bar; one that was interrupted comes again."""
        self._go_back()
        self._restore = self._checkpoint()
        score = self._next()
        self._restore = None
        return score

    def __getstate__(self) -> dict[str, Any]:
        self._go_back()
        return dict(vars(self))

    def _checkpoint(self) -> Callable[[], None]:
        """Return what brings the stream back to where it is now."""
        writer, at, bars, chance = self._writer, self._at, self.bars, self._rng.bit_generator.state
        restore_writer = writer.checkpoint() if writer else self._decoder.reset

        def restore() -> None:
            self._writer, self._at, self.bars = writer, at, bars
            self._rng.bit_generator.state = chance
            restore_writer()

        return restore

    def _go_back(self) -> None:
        """Go back to before a bar that was interrupted."""
        if self._restore:
            self._restore()
            self._restore = None

    def _next(self) -> Score:
        grid, writer = self._next_grid(), self._writer
        now = len(grid.bars) - 2
        count = len(self._keys)
        coming = [self._keys[(self._at + i) % count] for i in range(2)]
        request = self._request(grid, [now], self._chart, (*[grid.key] * now, *coming))
        held = writer.held if writer else ()
        if writer and writer.grid.key == grid.key and now == len(writer.grid.bars) - 1:
            writer.take(request)
        else:
            writer = Writer(
                request, self._decoder, self._tokenizer, rng=self._rng, held=held, endless=True
            )
        self._writer = writer
        finish([writer])
        blank = self._blanks[self._at % len(self._blanks)]
        self.bars += 1
        self._at += 1
        one = cut_bars(writer.grid, now, 1)
        written = np.ones((1, 1 + len(one.parts)), bool)
        written[:, 0] = self._chart["chords"] is None  # given ones stay as they were written
        score = put_back(blank, one, written)
        author = dataclasses.replace(self._author, sampling=self._sampling, key=coming[0].name)
        return recorded(Score(score.tpq), score, author, regions_of(score, written))

    def _request(
        self, grid: Grid, bars: Sequence[int], chart: dict[str, Any], keys: tuple[Key, ...]
    ) -> Request:
        """Return the request for some bars of a grid."""
        written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
        written[list(bars), 0 if chart["chords"] is None else 1 :] = True
        posted = []
        for constraint, rows in self._where:
            cells = np.zeros((len(grid.bars), len(grid.parts)), bool)
            cells[:, rows] = True
            posted.append(PostedConstraint(constraint, cells))
        levels = self._aims.levels(Score(tracks=self._tracks), grid, written, len(grid.bars))
        return Request(
            grid,
            written,
            self._rules,
            self._sampling,
            posted=tuple(posted),
            levels=levels,
            keys=keys,
        )

    def _check(self, sheet: Grid, chart: dict[str, Any], keys: tuple[Key, ...]) -> None:
        """Refuse what no bar of a sheet can keep."""
        request = self._request(sheet, range(len(sheet.bars)), chart, keys)
        Writer(request, self._decoder, self._tokenizer, endless=True)

    def _next_grid(self) -> Grid:
        """Return what is written so far, or the last of it, the bar to write, and one more.

        Of the bar after it the chords are looked at, to end notes where they would not fit.
        """
        sheet, said = self._sheet, restated_chords(self._sheet)
        past = self._past()
        bars = [(self._at + i) % len(sheet.bars) for i in range(2)]
        chords = [past.chords]
        for i, bar in enumerate(bars):
            rows = said[said["bar"] == bar]
            rows["bar"] = len(past.bars) + i
            chords.append(rows)
        return sheet.replace(
            bars=np.concatenate([past.bars, sheet.bars[bars]]),
            notes=past.notes,
            chords=np.concatenate(chords),
        )

    def _past(self) -> Grid:
        """Return the bars written so far, or the last of them."""
        if self._writer is None:
            return cut_bars(self._sheet, 0, 0)
        grid = self._writer.grid
        written = len(grid.bars) - 1
        first = written - _KEPT_BARS if written > _MOST_BARS else 0
        return cut_bars(grid, first, written - first)


def _bars_of(score: Score, count: int) -> list[Score]:
    """Return the bars of a chart as scores that begin at tick 0, with what holds in each."""
    meter = score.meter
    starts = meter.bar_start(np.arange(count + 1))
    signatures = meter.signature_at(np.arange(count))
    signatures["tick"] = 0
    bars = []
    for bar, (start, end) in enumerate(itertools.pairwise(starts.tolist())):
        keys = score.key_signatures[score.key_signatures["tick"] <= start][-1:].copy()
        keys["tick"] = 0
        chords = (Text(tick - start, text) for tick, text in score.chords if start <= tick < end)
        markers = (Text(tick - start, text) for tick, text in score.markers if start <= tick < end)
        bars.append(
            score.replace(
                time_signatures=signatures[bar : bar + 1],
                key_signatures=keys,
                chords=tuple(chords),
                markers=tuple(markers),
            )
        )
    return bars
