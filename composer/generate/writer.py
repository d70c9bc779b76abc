"""A request that is being written, cell by cell.

A piece is written in windows. In each empty cell ids are sampled until the one that comes after it;
ids that leave no choice are said without asking the model. Where a window would outgrow the model's
context it ends at the bar line, and the next one begins there. A cell that is to be a copy of
another is said without the model, as far as its mask allows; and a section that contrasts is asked
for other notes once what comes before it is there.

The context holds it all. A cell may take ``budget + OVERRUN`` ids: once its budget is spent it ends
where the grammar lets it, and between two such places lie fewer ids than that. The budget is an
equal share of what the ids said, the headings of the bar's other cells and ``EOS`` leave; but what
a cell needs for the onsets and notes that demands make it have is kept back for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from composer.constraints.pitches import PitchRange
from composer.controls.kinds import KINDS, REGISTER
from composer.errors import RequestError
from composer.form.outline import NONE, Outline
from composer.generate.contrast import contrasting
from composer.generate.logit_bias import LogitBias
from composer.generate.repeats import RepeatTracker, groove_of
from composer.generate.token_stream import TokenStream, common, replay
from composer.generate.windows import BarIds, Window, Windows
from composer.masks.cell import CellMask, NoteMask
from composer.masks.factory import CellRules
from composer.model.decoder import Decoder, Logits
from composer.request.request import Request
from composer.request.sampling import Chooser
from composer.score.grid import CELL_CHORD, CELL_NOTE, Grid, sorted_chords, sorted_notes
from composer.tokenizers.bins import MIDDLE_VELOCITY
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.cells.codec import restated_chords
from composer.tokenizers.cells.levels import UNSAID
from composer.tokenizers.cells.vocabulary import CHORDS

CELL_BUDGET = 160  # ids after which a cell begins nothing new
LEAST_BUDGET = 48  # a bar whose cells would get less is left to the next window
OVERRUN = 8  # ids a cell over its budget may need to end
#: What ``repeat_bars`` is multiplied by where a bar is to be unlike others.
UNLIKE = 0.3

# Yields where a choice is to be made, and is sent the logits (V,) for it.
_Steps: TypeAlias = Generator[None, Logits, None]


class Writer:
    """Writes a request with a decoder of its own.

    Parameters
    ----------
    request
        What to write.
    decoder
        The model; it may hold a sequence of before.
    tokenizer
        The model's.
    rng
        Where chance comes from; the request's seed without it.
    held
        What the decoder holds.
    endless
        Whether more bars will come after the request's.

    Raises
    ------
    RequestError
        The rules leave a cell no pitch, or demands cannot be met.
    """

    def __init__(
        self,
        request: Request,
        decoder: Decoder,
        tokenizer: Cells,
        *,
        rng: np.random.Generator | None = None,
        held: Sequence[int] = (),
        endless: bool = False,
    ) -> None:
        self.decoder = decoder
        self._tokenizer = tokenizer
        self._endless = endless
        self._rng = rng or np.random.default_rng(request.seed)
        self._stream = TokenStream(tokenizer.grammar)
        self._stream.ids.extend(held)
        slices = tokenizer.vocabulary.slices
        #: What makes no difference between a bar and its copy.
        self._passed_over = frozenset(
            index
            for family in ("Velocity", "Control")
            for index in range(slices[family].start, slices[family].stop)
        )
        self._window: Window | None = None
        self._unguided: Decoder | None = None
        self.take(request)

    def take(self, request: Request) -> None:
        """Go on with another request of the same bars and one more, which is to be written."""
        tokenizer = self._tokenizer
        rules = CellRules(request, tokenizer.grammar, endless=self._endless)
        grid = _given(request)
        rules.check(grid)
        self.request = request
        #: What is given and what is written so far; the chord that holds is said in each bar.
        self.grid = grid
        self.todo: list[int] = np.flatnonzero(request.written.any(1)).tolist()
        #: Sums over the ids chosen in each cell of what the model held of them, shape as
        #: ``request.written``: natural logarithms, before any setting.
        self.log_probability: npt.NDArray[np.float64] = np.zeros(request.written.shape)
        #: The cells that the model is to write: those asked for, without copies.
        self.own = request.written.copy()
        self._outline = request.outline or Outline.free(len(request.grid.bars))
        self._rules = rules
        levels, has_contrasts = request.levels, self._outline.contrasts.any()
        has_controls = has_contrasts or (levels and (levels.cells != UNSAID).any())
        #: Most ids that head a cell: its part, and its controls.
        self._heading = 1 + len(KINDS) * bool(has_controls)
        self._windows = self._windows_of(self.decoder.context_length // 2)
        if request.posted:
            self._check_context()
        if request.sampling.guidance != 1 and not self._unguided:
            self._unguided = self.decoder.fork()
            self._unguided.reset()
        elif request.sampling.guidance == 1:
            self._unguided = None
        self._chooser = Chooser(request.sampling, tokenizer.vocabulary)
        if self._window:
            self._window = self._window.longer(self.todo)

    def checkpoint(self) -> Callable[[], None]:
        """Return what brings the writer back to where it is now, whatever has come between.

        The decoder then hears again what it is to hold, so that it does not matter at which moment
        it was stopped.
        """
        state, stream, chance = dict(vars(self)), self._stream.copy(), self._rng.bit_generator.state

        def restore() -> None:
            vars(self).update(state)
            self._stream = stream.copy()
            self._rng.bit_generator.state = chance
            for decoder in (self.decoder, self._unguided):
                if decoder is not None:
                    decoder.reset()

        return restore

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_steps": None}  # what is written in between two bars: nothing

    def opening(self) -> list[int]:
        """Return the ids that the first window begins with."""
        return self._windows.choose(self.grid, self.todo)[1]

    @property
    def held(self) -> list[int]:
        """What the decoder holds."""
        return self._stream.ids[: self.decoder.length]

    @property
    def pending(self) -> list[int]:
        """Ids that have been said and the decoder has not heard."""
        return self._stream.ids[self.decoder.length :]

    @property
    def listeners(self) -> list[tuple[Decoder, list[int]]]:
        """The decoders to be asked, and what each has not heard of what has been said.

        Under guidance there are two, the second of which hears no controls.
        """
        heard = [(self.decoder, self.pending)]
        if self._unguided:
            heard.append((self._unguided, self._stream.plain[self._unguided.length :]))
        return heard

    def go_on(self, logits: Logits | None = None, plain: Logits | None = None) -> bool:
        """Write up to the next choice.

        Parameters
        ----------
        logits, plain
            What each of ``listeners`` expects next; None to begin.

        Returns
        -------
        bool
            Whether there is one; if not, everything is written.

        Raises
        ------
        RequestError
            One bar is more than the model's context holds.
        """
        if logits is None:
            self._steps = self._write()
        try:
            if logits is not None and plain is not None:
                logits = plain + np.float32(self.request.sampling.guidance) * (logits - plain)
            self._steps.send(logits)  # type: ignore[arg-type]
        except StopIteration:
            return False
        return True

    def _write(self) -> _Steps:
        while self.todo:
            number = self.todo[0]
            if self._outline.contrasts[number] and self._outline.begins[number]:
                self.request = contrasting(self.request, self._outline, self.grid, number)
                self._windows = self._windows_of(self.decoder.context_length // 2)
            self._copy(number)
            if not self.own[number].any():
                self._window = None  # what comes next sees the copy as given
                self.todo = self.todo[1:]
                continue
            window, bar = self._window, None
            if window and number in window.fill:
                bar = self._windows.bar(window, self.grid, number)
            needs = self._needs(number, window.rows) if window else []
            if window is None or bar is None or self._share(len(bar[0]), needs) < LEAST_BUDGET:
                window, bar = self._open_window()
                if self._share(len(bar[0]), self._needs(number, window.rows)) < 1:
                    raise RequestError(
                        f"bar {number + 1} with {len(window.rows)} parts is more than the model's "
                        f"context of {self.decoder.context_length} ids holds; write fewer parts at "
                        "once"
                    )
            yield from self._bar(window, number, *bar)
            self.todo = self.todo[1:]

    def _copy(self, number: int) -> None:
        """Take from other bars what is to be taken from them, as far as the masks allow it."""
        for column in np.flatnonzero(self.own[number]).tolist():
            source = int((self._outline.copied if column else self._outline.same_chords)[number])
            if source == NONE or (column and self.own[number, 0]):
                continue  # under other chords it would be no copy
            opening, _ = self._windows.cell(self.grid, number, column)
            _, held = self._windows.cell(self.grid, source, column)
            stream = TokenStream(self._tokenizer.grammar)
            stream.append(opening)
            after = self._tokenizer.vocabulary.base["EOS"]
            mask = self._rules.mask(self.grid, number, column, after, len(held), copying=True)
            if replay(mask, stream, held):
                self._put(number, column, mask)
                self.own[number, column] = False

    def _open_window(self) -> tuple[Window, BarIds]:
        """Begin a sequence at the first bar to do, and return what that is given."""
        window, opening, bar = self._windows.choose(self.grid, self.todo)
        self._window = window
        held = self.held
        self._stream = TokenStream(self._tokenizer.grammar)
        self._stream.append(opening)
        # What the decoder holds of the same ids it need not hear again, but for the last of them.
        self.decoder.truncate(min(common(held, opening), len(opening) - 1))
        if self._unguided:
            self._unguided.reset()
        return window, bar

    def _bar(
        self, window: Window, number: int, given: list[int], headings: list[list[int]]
    ) -> _Steps:
        base = self._tokenizer.vocabulary.base
        self._stream.append(given)
        is_last = number == window.fill[-1] and not self._endless
        following = base["EOS"] if is_last else base["Bar"] + window.number(number + 1)
        needs = self._needs(number, window.rows)
        next_ids = [*(heading[0] for heading in headings[1:]), following]
        for i, (heading, after) in enumerate(zip(headings, next_ids, strict=True)):
            share = self._share(0, needs[i:])
            budget = min(max(CELL_BUDGET, needs[i]), needs[i] + share)
            self._stream.append(heading)
            part = heading[0] - base["Part"]
            column = 0 if part == CHORDS else window.rows[part] + 1
            mask = self._rules.mask(self.grid, number, column, after, budget)
            sampling, vocabulary = self.request.sampling, self._tokenizer.vocabulary
            groove = groove_of(self.request, vocabulary, self.grid, number, column)
            self._leanings = LogitBias(
                sampling,
                vocabulary,
                self.grid,
                number,
                column,
                role=self.request.parts[column - 1].role if column else None,
                groove=groove,
                tessitura=self._tessitura(number, column),
                endless=self._endless,
            )
            chances = yield from self._cell(mask, 1 if groove else self._repeat_bars(number))
            self.log_probability[number, column] = chances
            self._put(number, column, mask)

    def _tessitura(self, number: int, column: int) -> PitchRange | None:
        """Return what a melody lies in the middle of; None where another register is asked for."""
        levels, row = self.request.levels, column - 1
        if not column or self.request.parts[row].role != "melody":
            return None
        stream = (levels.parts[row], levels.cells[number, row]) if levels else ()
        is_free = all(some[REGISTER] == UNSAID for some in stream)
        return self.request.parts[row].range if is_free else None

    def _repeat_bars(self, number: int) -> float:
        """Return what the probability of going on with a copy of a bar is multiplied by."""
        outline, repeat = self._outline, self.request.sampling.repeat_bars
        differs = outline.contrasts[number] or outline.varied[number] != NONE
        return repeat * UNLIKE if differs else repeat

    def _cell(self, mask: CellMask, repeat_bars: float) -> Generator[None, Logits, float]:
        """Sample one cell; returns the sum of what the model held of its ids."""
        stream, changes = self._stream, dict[int, float]()
        logits: Logits | None = None
        vocabulary, total, copies = self._tokenizer.vocabulary, 0.0, None
        if repeat_bars != 1:
            copies = RepeatTracker(
                stream.ids, mask.after, vocabulary.base["Position"], self._passed_over
            )
        while True:
            allowed, chance = mask.allowed(stream.cursor), 0.0
            if np.count_nonzero(allowed) == 1:
                index = int(allowed.argmax())
            else:
                if logits is None:
                    logits = yield
                    changes = self._changes(mask, copies, repeat_bars)
                index, chance = self._chooser.choose(logits, allowed, self._rng, changes)
            if not mask.allows(stream.cursor, index):
                continue
            logits = None
            total += chance
            if index == mask.after:
                return total
            stream.append([index])
            mask.accept(stream.cursor, index)
            if copies:
                copies.accept(index)

    def _changes(
        self, mask: CellMask, copies: RepeatTracker | None, repeat_bars: float
    ) -> dict[int, float]:
        """Return what the probabilities of some ids are multiplied by."""
        sampling, changes = self.request.sampling, dict[int, float]()
        if sampling.repeat_notes != 1 and isinstance(mask, NoteMask):
            lowest = self._tokenizer.vocabulary.base["Pitch"] + self._stream.cursor.lowest
            changes = {lowest + pitch: sampling.repeat_notes for pitch in mask.last}
        if copies:
            for index in copies.next_ids():
                changes[index] = changes.get(index, 1.0) * repeat_bars
        for index, factor in self._leanings.changes(self._stream.cursor, mask).items():
            changes[index] = changes.get(index, 1.0) * factor
        return changes

    def _needs(self, number: int, rows: Sequence[int], *, now: bool = True) -> list[int]:
        """Return the ids that the onsets owed by each cell of a bar take, in the cells' order."""
        written = self.own[number]
        columns = [column for column in (0, *(row + 1 for row in rows)) if written[column]]
        return [self._rules.ids(self.grid, number, column, now=now) for column in columns]

    def _share(self, given: int, needs: Sequence[int], stream: int | None = None) -> int:
        """Return how many ids each cell may take beside what it needs; less than 1 if none fits."""
        stream = len(self._stream.ids) if stream is None else stream
        # Their headings, and EOS.
        room = self.decoder.context_length - stream - given - self._heading * len(needs) - 1
        return (room - sum(needs)) // len(needs) - OVERRUN

    def _check_context(self) -> None:
        """Refuse demands for more onsets than the context holds."""
        context = self.decoder.context_length
        for number in self.todo:
            needs = self._needs(number, range(len(self.grid.parts)), now=False)
            # A window leaves half of the context if it can be as short as that.
            given = max(context // 2, self._shortest(number))
            if self._share(0, needs, given) < 1:
                raise RequestError(
                    f"{self._rules.demanded(number) or 'the request'} may take "
                    f"{sum(needs)} ids in bar {number + 1}, more than the model's context of "
                    f"{context} ids has room for; ask for fewer onsets or fewer parts at once"
                )

    def _windows_of(self, room: int) -> Windows:
        return Windows(self.request, self._tokenizer, room, self.own, endless=self._endless)

    def _shortest(self, number: int) -> int:
        """Return how many ids the shortest window says before a bar's first empty cell, or more.

        It is worked out only where it might be more than half of the context.
        """
        grid = self.grid
        notes = int((grid.notes["bar"] == number).sum())
        chords = int((grid.chords["bar"] == number).sum())
        most = 16 + (4 + len(KINDS)) * len(grid.parts) + 4 * notes + 3 * chords
        if most <= self.decoder.context_length // 2:
            return most
        least = self._windows_of(0)
        _, opening, (given, _) = least.choose(grid, [number])
        return len(opening) + len(given)

    def _put(self, bar: int, column: int, mask: CellMask) -> None:
        """Put a cell that was written into the grid."""
        if column:
            notes = np.array([(bar, column - 1, *row) for row in mask.rows], CELL_NOTE)
            # What stays in the cell has been said again.
            others = (self.grid.notes["bar"] != bar) | (self.grid.notes["part"] != column - 1)
            notes = sorted_notes(np.concatenate([self.grid.notes[others], notes]))
            self.grid = self.grid.replace(notes=notes)
        else:
            chords = np.array([(bar, *row) for row in mask.rows], CELL_CHORD)
            chords = sorted_chords(np.concatenate([self.grid.chords, chords]))
            self.grid = self._rules.ended(self.grid.replace(chords=chords), bar)


def _given(request: Request) -> Grid:
    """Return the grid with what stays of it, each bar saying the chord that holds in it."""
    grid, written = request.grid, request.written
    notes = grid.notes[~written[grid.notes["bar"], grid.notes["part"] + 1]]
    if len(request.locked):
        locked = request.locked.copy()
        locked["duration"] = np.maximum(1, locked["duration"])
        locked["velocity"][locked["velocity"] == 0] = MIDDLE_VELOCITY
        notes = sorted_notes(np.concatenate([notes, locked]))
    chords = restated_chords(grid)
    chords = chords[~written[chords["bar"], 0]]
    # A chord that is written must not hold on in a bar that has none.
    silent = np.setdiff1d(np.flatnonzero(~written[:, 0]), chords["bar"][chords["position"] == 0])
    after = silent[written[np.maximum(silent - 1, 0), 0]]
    none = np.array([(bar, 0, -1, 0, -1) for bar in after], CELL_CHORD)
    return grid.replace(notes=notes, chords=sorted_chords(np.concatenate([chords, none])))
