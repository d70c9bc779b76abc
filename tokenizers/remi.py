"""The REMI and REMI+ formats: one stream of bars, positions and notes.

    BOS { Bar TimeSig? { Position Tempo? Chord? Bass? note* }* }* EOS

    note    Program? Pitch Velocity Duration
    hit     Program Drum Velocity

A Position stands for all that begins there. TimeSig, Tempo and Chord stand where they change, the
first TimeSig and Tempo always. Notes of one onset rise by program, drums last, then by pitch. Drum
hits have a family of their own and no Duration. Chord roots are absolute. Key signatures, names,
controllers, lyrics and markers have no token.

Where this differs from Huang & Yang: 12 positions a quarter, not 4, which makes triplets exact; one
Position an onset, not one an event; one Tempo token on a scale of 6% steps, where it changes, not
class and value on each beat; 22 qualities and a bass in chords, not 5; durations in positions up to
two quarters, then coarser, not 64 thirty-second notes.

Where it differs from von Rütte et al.: bars are not numbered; a Position, a TimeSig and a Tempo are
not said again where nothing changes; drum hits have no Duration.

References
----------
Huang & Yang 2020, *Pop Music Transformer: Beat-based Modeling and Generation of Expressive Pop
Piano Compositions* (REMI); von Rütte et al. 2022, *FIGARO: Generating Symbolic Music with
Fine-Grained Artistic Control* (REMI+).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.grid import RESOLUTION
from composer.meter import Meter
from composer.score import Score, Track
from composer.tokenizers.events import changes
from composer.tokenizers.families import DRUMS
from composer.tokenizers.quantize import (
    all_notes,
    bars_until,
    longest,
    on_grid,
    quantize_chords,
    quantize_signatures,
    quantize_tempos,
)
from composer.tokenizers.remi_codec import FOUR_FOUR, decode_remi, encode_remi
from composer.tokenizers.remi_grammar import remi_grammar, remi_vocabulary
from composer.tokenizers.tokenizer import Tokenizer
from composer.tokenizers.vocabulary import Ids


@dataclasses.dataclass(frozen=True)
class RemiConfig:
    """Settings of ``REMI`` and, with ``programs``, of ``REMIPlus``.

    Parameters
    ----------
    programs
        Whether each note says its program; without it one piano plays all, drums left out.
    time_signatures
        Whether bars say their time signature; without it all bars are 4/4.
    tempos
        Whether tempos are said; without it they are lost.
    chords
        Whether chord symbols are said; without it they are lost.
    velocity_bins
        Number of velocities told apart, 1 to 64.
    """

    programs: bool = False
    time_signatures: bool = False
    tempos: bool = True
    chords: bool = True
    velocity_bins: int = 16

    def __post_init__(self) -> None:
        for name in ("programs", "time_signatures", "tempos", "chords"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise TokenError(f"{name} {value!r} is neither True nor False")
        if not 1 <= self.velocity_bins <= 64:
            raise TokenError(f"velocity_bins {self.velocity_bins} is outside 1 to 64")


class REMI(Tokenizer):
    """Tokenizer of one instrument's music, after Huang & Yang 2020.

    Parameters
    ----------
    config
        Settings, with ``programs=False``; ``RemiConfig()`` without it.

    Raises
    ------
    TokenError
        The settings ask for programs.

    Examples
    --------
    >>> from composer import Score, Track
    >>> flute = Track(program=73, notes=[(0, 480, 62, 90), (480, 960, 66, 90)])
    >>> remi = REMI()
    >>> print(*remi.ids_to_tokens(remi.encode(Score(tpq=480, tracks=(flute,)))))
    BOS Bar Position_0 Tempo_120 Pitch_62 Velocity_11 Duration_12 \
Position_12 Pitch_66 Velocity_11 Duration_24 EOS
    """

    format = "remi"
    _config_class = RemiConfig
    _default: ClassVar[RemiConfig] = RemiConfig()

    def __init__(self, config: RemiConfig | None = None) -> None:
        self.config: RemiConfig = config or self._default
        if self.config.programs != self._default.programs:
            other = "REMIPlus" if self.config.programs else "REMI"
            raise TokenError(
                f"programs={self.config.programs} contradicts {type(self).__name__}; "
                f"use {other}, or programs={self._default.programs}"
            )
        self.vocabulary = remi_vocabulary(**dataclasses.asdict(self.config))
        self.grammar = remi_grammar(self.vocabulary)

    def quantize(self, score: Score) -> Score:
        """Return the score as this format can say it: on the grid, one track a program.

        Tempos and time signatures behind the last note and chord go, with key signatures, names,
        controllers, lyrics and markers. Onsets keep their time in quarters, also where bars become
        4/4.
        """
        config = self.config
        signatures = quantize_signatures(score) if config.time_signatures else FOUR_FOUR
        tempos = quantize_tempos(score, on_bars=False, signatures=signatures)
        meter = Meter(RESOLUTION, signatures, tempos)
        tracks = self._merged_tracks(score, meter)
        chords = quantize_chords(score, None) if config.chords else ()
        last_chord = chords[-1].tick if chords else 0
        last = max([last_chord + 1, *(track.end for track in tracks)])
        end = meter.bar_start(bars_until(meter, last))
        return Score(
            tpq=RESOLUTION,
            tracks=tracks,
            tempos=tempos[tempos["tick"] < end] if config.tempos else (),  # type: ignore[arg-type]
            time_signatures=signatures[signatures["tick"] < end],
            chords=chords,
        )

    def _encode(self, score: Score) -> Ids:
        """Return the ids of a whole score, shape (T,) int32."""
        return encode_remi(self.vocabulary, self.quantize(score))

    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at twelve ticks a quarter.

        Raises
        ------
        TokenError
            The ids break the grammar; the message gives the place.
        """
        return decode_remi(self.vocabulary, self.grammar.check(ids))

    def _rows(self, score: Score) -> Sequence[int]:
        """Return the program of each track; without programs 0, and -1 for drums."""
        if self.config.programs:
            return [DRUMS if track.is_drum else track.program for track in score.tracks]
        return [-1 if track.is_drum else 0 for track in score.tracks]

    def _merged_tracks(self, score: Score, meter: Meter) -> tuple[Track, ...]:
        """Return one track for each program that plays, drums last."""
        notes, program = all_notes(score, self._rows(score))
        notes, program = notes[program >= 0], program[program >= 0]
        notes = on_grid(notes, score.tpq, self.config.velocity_bins, program == DRUMS)
        bars_until(meter, int(notes["onset"].max(initial=0)) + 1)  # or no track could hold them
        place = program * (notes["onset"].max(initial=0) + 1) + notes["onset"]
        rows = longest(notes, place * 128 + notes["pitch"])
        notes, program = notes[rows], program[rows]
        edges = [*np.flatnonzero(changes(program)).tolist(), len(notes)]
        return tuple(
            Track(
                program=int(program[start]) % DRUMS,
                is_drum=bool(program[start] == DRUMS),
                notes=notes[start:end],
            )
            for start, end in pairwise(edges)
        )


class REMIPlus(REMI):
    """Tokenizer of any number of instruments in one stream, after von Rütte et al. 2022.

    Parameters
    ----------
    config
        Settings, with ``programs=True``; all families without it.

    Raises
    ------
    TokenError
        The settings ask for no programs.

    Examples
    --------
    >>> from composer import Score, Track
    >>> flute = Track(program=73, notes=[(0, 480, 62, 90)])
    >>> drums = Track(is_drum=True, notes=[(0, 480, 36, 90)])
    >>> remi = REMIPlus()
    >>> print(*remi.ids_to_tokens(remi.encode(Score(tpq=480, tracks=(drums, flute)))))
    BOS Bar TimeSig_4/4 Position_0 Tempo_120 Program_73 Pitch_62 Velocity_11 Duration_12 \
Program_drums Drum_36 Velocity_11 EOS
    """

    format = "remi+"
    _default = RemiConfig(programs=True, time_signatures=True)
