"""The verbs: melody, chords, arrange, infill. Each builds one request over the grid.

Conventions
-----------
Bars count from 1 here, as in every DAW. What a verb returns is a new ``Score``; of the score it
was given it keeps every event outside the cells it wrote, tick for tick.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Union

import numpy as np
from tqdm.auto import tqdm

from composer.decoding.cpu import CPUDecoder
from composer.decoding.decoder import Decoder
from composer.decoding.sampler import write_cells
from composer.decoding.sampling import Sampling
from composer.edit import grid_bars, held_notes, own_bars, put_back, track_index
from composer.endless import Stream
from composer.errors import ModelError, RequestError
from composer.harmony import song_key
from composer.instruments import parse_instrument
from composer.kept import kept_by
from composer.lead_sheet import chart, chord_texts
from composer.meter import bar_range
from composer.pitches import RangeLike
from composer.request import PartRules, Request
from composer.roles import given_rules, part_rules, role_of
from composer.scopes import Where, constraints_of, demands_on
from composer.score import Score, Track
from composer.theory import Key, parse_chord
from composer.tokenizers.cells import Cells
from composer.voicing import block_chords
from composer.where import listed

#: A score, or the path of a MIDI file.
ScoreLike = Union[Score, str, "os.PathLike[str]"]

#: Where the melodies of the model in the package come nearest to real ones in rhythm.
SAMPLING = Sampling(0.9, 0.95)

#: Where they repeat a note as often as lead sheets do: 19% of steps, and 18% there.
MELODIC = Sampling(0.9, 0.95, repeat_notes=0.5)

#: The model that comes with the package.
PRETRAINED = Path(__file__).with_name("pretrained")


class Composer:
    """A model and the verbs it serves.

    Parameters
    ----------
    decoder
        The model.
    tokenizer
        The tokenizer it was trained with.
    progress
        Whether to show a progress bar, where there is a terminal.

    Raises
    ------
    ModelError
        The model has another vocabulary than the tokenizer.
    """

    def __init__(self, decoder: Decoder, tokenizer: Cells, *, progress: bool = False) -> None:
        if decoder.vocab_size != tokenizer.vocab_size:
            raise ModelError(
                f"the model has {decoder.vocab_size} ids and the tokenizer {tokenizer.vocab_size}; "
                f"take both from one folder"
            )
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.progress = progress

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str] | None = None,
        *,
        device: str | None = None,
        progress: bool = False,
    ) -> Composer:
        """Return the composer of a folder that ``composer train`` wrote.

        Parameters
        ----------
        folder
            The folder; the model that comes with the package without it.
        device
            Where torch is to decode, such as ``"cuda"``; in compiled code on the CPU without it,
            which is the fastest there. The same seed may give other music on another device.
        progress
            As above.

        Raises
        ------
        ModelError
            The folder is missing, corrupt, or holds another kind of model.
        RequestError
            The device is not there.
        ImportError
            A device is named and torch is not installed.
        """
        folder = PRETRAINED if folder is None else Path(folder)
        if not folder.is_dir():
            raise ModelError(f"{folder} is no folder; name one that composer train wrote")
        tokenizer = Cells.load(folder)
        if device is None:
            return cls(CPUDecoder.from_folder(folder), tokenizer, progress=progress)
        from composer.decoding.torch_decoder import TorchDecoder

        decoder = TorchDecoder.from_folder(folder, device=device)
        return cls(decoder, tokenizer, progress=progress)

    def melody(
        self,
        chords: str | None = None,
        *,
        key: str | None = None,
        meter: str = "4/4",
        tempo: float = 110,
        bars: int | None = None,
        part: str = "flute",
        range: RangeLike | None = None,
        seed: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        sampling: Sampling | None = None,
        where: Where = (),
    ) -> Score:
        """Write a melody over chords; without chords it invents both.

        Parameters
        ----------
        chords
            Lead-sheet text: ``"Am F C G7/B"``, a chord a bar, or ``"| Am F | C G |"``.
        key
            Such as ``"A minor"``; the one the chords suggest without it, or C major.
        meter
            Time signature.
        tempo
            Quarter notes a minute, 20 to 320.
        bars
            Number of bars; the chords' without it, else 8. More bars than chords repeat them.
        part
            Instrument: a General MIDI name, a short name, or a program number.
        range
            Such as ``"C4-C6"``; the instrument's comfortable register without it.
        seed
            The same seed gives the same music; a new one is drawn without it.
        temperature, top_p
            See ``Sampling``; 0.9 and 0.95 without them.
        sampling
            All the settings of sampling; ``temperature`` and ``top_p`` go before its own. Without
            it notes are repeated half as readily as the model would.
        where
            Constraints, such as ``[NoteCount(min=2), PitchRange("C4-C6")]``. Each of them holds in
            what is written, whatever the model and the habits of the instrument say.

        Returns
        -------
        Score
            One track, and the chords as chord symbols.

        Raises
        ------
        SymbolError
            A key, chord, meter, instrument or range that cannot be read.
        RequestError
            Values that do not fit together, or constraints that nothing can meet.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("Am F C G", bars=8, part="violin", seed=1)
        >>> tune.bars, [chord.text for chord in tune.chords][:4]
        (8, ['Am', 'F', 'C', 'G'])
        """
        instrument = parse_instrument(part)
        blank, home, count = chart(chords, key=key, meter=meter, tempo=tempo, bars=bars)
        blank = blank.replace(tracks=(_track(part),))
        rules = part_rules(instrument, "melody", given_range=range)
        columns = [1] if chords is not None else [0, 1]
        settings = sampling_of(temperature, top_p, sampling or MELODIC)
        return self._write(blank, home, columns, (rules,), settings, seed, bars=count, where=where)

    def chords(
        self,
        melody: ScoreLike | None = None,
        *,
        key: str | None = None,
        meter: str = "4/4",
        tempo: float = 110,
        bars: int | None = None,
        part: str | None = "piano",
        seed: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        sampling: Sampling | None = None,
        where: Where = (),
    ) -> Score:
        """Invent a chord progression, or harmonise a melody.

        Every chord holds the melody note it begins with, and lies in the key unless that note does
        not.

        Parameters
        ----------
        melody
            A score or the path of one; a progression is invented without it.
        key
            As in ``melody``; the given score's key signature, or the key its notes suggest,
            without it.
        meter, tempo, bars
            Of an invented progression; a given score has its own.
        part
            Instrument that plays the chords as block chords in a track "Chords"; None for chord
            symbols alone.
        seed, temperature, top_p, sampling
            As in ``melody``; notes are repeated as readily as the model does.
        where
            As in ``melody``.

        Returns
        -------
        Score
            What was given, with chord symbols (in place of its own, if it had any) and the track.

        Examples
        --------
        >>> import composer
        >>> composer.chords(key="D minor", bars=4, seed=3).bars
        4
        """
        instrument = None if part is None else parse_instrument(part)
        if instrument and instrument.is_drum:
            raise RequestError(f"part {part!r} plays no chords; name another instrument, or None")
        if melody is None:
            score, home, count = chart(None, key=key, meter=meter, tempo=tempo, bars=bars)
        else:
            score = read(melody)
            home = Key.parse(key) if key else song_key(score)
            count = own_bars(score)
        score = score.replace(chords=())
        rules = given_rules(self.tokenizer.grid(score, home))
        settings = sampling_of(temperature, top_p, sampling)
        written = self._write(score, home, [0], rules, settings, seed, bars=count, where=where)
        if instrument is None:
            return written
        end = int(written.meter.bar_start(count))
        parsed = [(tick, parse_chord(text)) for tick, text in written.chords]
        track = Track("Chords", instrument.program, instrument.is_drum, block_chords(parsed, end))
        return written.replace(tracks=(*written.tracks, track))

    def arrange(
        self,
        score: ScoreLike,
        parts: str | int | Sequence[str | int] = ("piano", "bass", "drums"),
        *,
        chords: str | None = None,
        key: str | None = None,
        keep: str | int | Sequence[str | int] | None = None,
        seed: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        sampling: Sampling | None = None,
        where: Where = (),
    ) -> Score:
        """Write parts to a melody and its chords.

        Parameters
        ----------
        score
            A score or the path of one: a melody, or a piece that wants more parts.
        parts
            Instruments, each a new track after those of the score. Here as in all lists of names,
            a text with commas does as well.
        chords
            Lead-sheet text, in place of the score's chords. A score without chords is harmonised
            first.
        key
            The score's key signature, or the key its notes suggest, without it.
        keep
            Names or numbers (from 1) of the tracks that stay; all without it.
        seed, temperature, top_p, sampling
            As in ``melody``; notes are repeated as readily as the model does.
        where
            As in ``melody``.

        Returns
        -------
        Score
            The tracks kept, untouched, and the new ones.

        Examples
        --------
        >>> import composer
        >>> song = composer.arrange(composer.melody("C G Am F", seed=1), ["piano", "bass"], seed=1)
        >>> [track.name for track in song.tracks]
        ['Flute', 'Piano', 'Bass']
        """
        parts = listed(parts)
        if not parts:
            raise RequestError("parts is empty; name instruments, such as ['piano', 'bass']")
        instruments = [parse_instrument(name) for name in parts]
        settings = sampling_of(temperature, top_p, sampling)
        given = read(score)
        home = Key.parse(key) if key else song_key(given)
        count = own_bars(given)
        if keep is not None:
            rows = {track_index(given, name) for name in listed(keep)}
            given = given.replace(tracks=tuple(given.tracks[row] for row in sorted(rows)))
        if chords is not None:
            given = given.replace(chords=chord_texts(chords, home, given, count))
        elif not given.chords:
            given = self.chords(given, key=home.name, part=None, seed=seed, sampling=settings)
        first = len(given.tracks)
        whole = given.replace(tracks=(*given.tracks, *map(_track, parts)))
        rules = (
            *given_rules(self.tokenizer.grid(given, home)),
            *(part_rules(player, role_of(player)) for player in instruments),
        )
        columns = [first + 1 + i for i, _ in enumerate(instruments)]
        return self._write(whole, home, columns, rules, settings, seed, bars=count, where=where)

    def infill(
        self,
        score: ScoreLike,
        bars: str | tuple[int, int],
        parts: str | int | Sequence[str | int] | None = None,
        *,
        key: str | None = None,
        seed: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        sampling: Sampling | None = None,
        where: Where = (),
    ) -> Score:
        """Write some bars of some parts anew, in keeping with all the rest.

        Parameters
        ----------
        score
            A score or the path of one.
        bars
            First and last bar, counted from 1: ``(5, 8)`` or ``"5-8"``.
        parts
            Names or numbers (from 1) of tracks, and ``"chords"`` for the chord symbols (a track
            that is called so goes by its number); all tracks without it.
        key
            The score's key signature, or the key its notes suggest, without it.
        seed, temperature, top_p, sampling
            As in ``melody``; notes are repeated as readily as the model does.
        where
            As in ``melody``.

        Returns
        -------
        Score
            The score; notes that begin in the cells named are new, all else is as it was.

        Raises
        ------
        RequestError
            Bars or parts that the score does not have.

        Examples
        --------
        >>> import composer
        >>> tune = composer.melody("C G Am F", seed=1)
        >>> composer.infill(tune, bars="3-4", seed=2).bars
        4
        """
        given = read(score)
        home = Key.parse(key) if key else song_key(given)
        count = own_bars(given)
        first, last = bar_range(bars, count)
        names = [i + 1 for i, _ in enumerate(given.tracks)] if parts is None else listed(parts)
        columns = [0 if name == "chords" else track_index(given, name) + 1 for name in names]
        if not columns:
            raise RequestError("parts is empty; name tracks of the score, or leave it out for all")
        window = slice(first - 1, last)
        asked = range(grid_bars(given, first - 1), grid_bars(given, last))
        rules = given_rules(self.tokenizer.grid(given, home), asked)
        settings = sampling_of(temperature, top_p, sampling)
        return self._write(
            given, home, columns, rules, settings, seed, bars=count, where=where, window=window
        )

    def stream(
        self,
        chords: str | None = None,
        *,
        key: str | None = None,
        meter: str = "4/4",
        tempo: float = 110,
        melody: str | int | None = "flute",
        parts: str | int | Sequence[str | int] = (),
        seed: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        sampling: Sampling | None = None,
        where: Where = (),
    ) -> Stream:
        """Write bars for as long as one asks for them, each while the one before is heard.

        Parameters
        ----------
        chords
            Lead-sheet text, played over and over; the model invents chords without it.
        key, meter, tempo
            As in ``melody``.
        melody
            Instrument of the melody; None for no melody.
        parts
            Instruments of the other parts.
        seed, temperature, top_p, sampling
            As in ``melody``; notes are repeated as readily as the model does.
        where
            As in ``melody``.

        Returns
        -------
        Stream
            Scores of one bar each, without an end; its ``change`` says how the next are to be.

        Examples
        --------
        >>> import composer
        >>> from itertools import islice
        >>> bars = composer.stream("Am F C G", parts=["piano", "bass"], seed=1)
        >>> [[track.name for track in bar.tracks] for bar in islice(bars, 2)]
        [['Flute', 'Piano', 'Bass'], ['Flute', 'Piano', 'Bass']]
        """
        names = [*([] if melody is None else [melody]), *listed(parts)]
        if not names:
            raise RequestError("there is no part to write; name a melody or parts")
        players = [parse_instrument(name) for name in names]
        roles = [
            "melody" if i == 0 and melody is not None else role_of(p) for i, p in enumerate(players)
        ]
        return Stream(
            self.decoder,
            self.tokenizer,
            [_track(name) for name in names],
            tuple(part_rules(player, role) for player, role in zip(players, roles, strict=True)),
            sampling_of(temperature, top_p, sampling),
            secrets.randbelow(2**32) if seed is None else seed,
            where=constraints_of(where),
            chords=chords,
            key=key,
            meter=meter,
            tempo=tempo,
        )

    def _write(
        self,
        score: Score,
        key: Key,
        columns: Sequence[int],
        rules: tuple[PartRules, ...],
        sampling: Sampling,
        seed: int | None,
        *,
        bars: int,
        where: Where,
        window: slice = slice(None),
    ) -> Score:
        """Return the score with some columns of the grid written in some bars."""
        first, last, _ = window.indices(bars)
        rows = slice(grid_bars(score, first), grid_bars(score, last))
        # The tokenizer has no names, but messages do.
        grid = self.tokenizer.grid(score, key, grid_bars(score, bars)).named(score.tracks)
        written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
        written[rows, list(columns)] = True
        seed = secrets.randbelow(2**32) if seed is None else seed
        demands = demands_on(where, score, grid, written, bars)
        kept = kept_by(demands, score, grid, written)
        if kept.tracks:
            alone = kept.score(score, grid, written)
            grid = self.tokenizer.grid(alone, key, len(grid.bars)).named(score.tracks)
        locked = kept.locked(grid, written)
        held = held_notes(score, grid, written, kept.tracks) if demands else None
        held = None if held is None else kept.held(held, grid)
        request = Request(grid, written, rules, sampling, seed, kept.demands, held, locked)
        hidden = None if self.progress else True  # None: hidden unless there is a terminal
        count = int(written.any(1).sum())
        with tqdm(total=count, desc="Writing", unit="bar", disable=hidden) as bar:
            grid = write_cells(request, self.decoder, self.tokenizer, wrote=bar.update)
        return put_back(score, kept.others(grid, locked), written, kept.tracks)


def sampling_of(
    temperature: float | None, top_p: float | None, sampling: Sampling | None
) -> Sampling:
    """Return the settings that a verb is called with."""
    settings = sampling or SAMPLING
    return dataclasses.replace(
        settings,
        temperature=settings.temperature if temperature is None else temperature,
        top_p=settings.top_p if top_p is None else top_p,
    )


def read(score: ScoreLike) -> Score:
    """Return a score, read from its file if it is a path."""
    return score if isinstance(score, Score) else Score.read(score)


@lru_cache(maxsize=1)
def _pretrained() -> Composer:
    return Composer.load()


def load(folder: str | os.PathLike[str] | None = None, *, device: str | None = None) -> Composer:
    """Return the composer of a model folder; the one that comes with the package without it.

    The parameters and errors are those of ``Composer.load``.
    """
    if folder is None and device is None:
        return _pretrained()
    return Composer.load(folder, device=device)


def _track(name: str | int) -> Track:
    """Return an empty track for an instrument, called what the user calls it."""
    player = parse_instrument(name)
    by_number = str(name).strip().isdigit()
    title = player.name if by_number else str(name).strip().title()
    return Track(title, player.program, player.is_drum)
