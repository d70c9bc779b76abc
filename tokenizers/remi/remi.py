"""The REMI and REMI+ formats: one stream of bars, positions and notes.

    BOS Key? { Bar TimeSig? { Position Offset? Tempo? Chord? Bass? Rest? row* }* }* EOS

    note    Program? Pitch Velocity? Duration
    hit     Program Drum Velocity?
    pedal   Program? Pedal
    bend    Program? Bend

A Position stands for all that begins there. TimeSig, Tempo, Chord and Bend stand where they change,
the first TimeSig and Tempo always. Rows of one onset rise by program, drums last; inside a program
come the pedal going up, the pedal going down, the bend, and the notes by pitch. Drum hits have a
family of their own and no Duration. Track names, lyrics, markers and controllers other than the
sustain pedal have no token, nor has any other key signature than the Key.

Where this differs from Huang & Yang: 12 positions a quarter, not 4, which makes triplets exact; one
Position an onset, not one an event; one Tempo token on a scale of 6% steps, where it changes, not
class and value on each beat; 22 qualities and a bass in chords, not 5; durations in positions up to
two quarters, then coarser, not 64 thirty-second notes.

Where it differs from von Rütte et al.: bars are not numbered; a Position, a TimeSig and a Tempo are
not said again where nothing changes; drum hits have no Duration.

Offset, Rest, Pedal, Bend and Key are in neither; ``RemiConfig`` says what each costs and keeps.

References
----------
Huang & Yang 2020, *Pop Music Transformer: Beat-based Modeling and Generation of Expressive Pop
Piano Compositions* (REMI); von Rütte et al. 2022, *FIGARO: Generating Symbolic Music with
Fine-Grained Artistic Control* (REMI+).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy.typing as npt

from composer.errors import TokenError
from composer.score.score import Score
from composer.tokenizers.base import Tokenizer
from composer.tokenizers.remi.codec import RemiCodec
from composer.tokenizers.remi.config import RemiConfig
from composer.tokenizers.remi.grammar import remi_grammar, remi_vocabulary
from composer.tokenizers.remi.piece import columns_of, program_rows, score_of
from composer.tokenizers.vocabulary import Ids


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
        self.bins = self.config.bins
        self.vocabulary = remi_vocabulary(self.config)
        self.grammar = remi_grammar(self.vocabulary, self.bins)
        self.codec = RemiCodec(self.vocabulary, self.bins)

    def quantize(self, score: Score) -> Score:
        """Return the score as this format can say it: on the grid, one track a program.

        Tempos and time signatures behind the last event go, with all that has no token. Onsets
        keep their time in quarters, also where bars become 4/4.

        Raises
        ------
        TokenError
            The score has more than 100,000 bars.
        """
        return score_of(columns_of(score, self.config), self.bins)

    def _encode(self, score: Score) -> Ids:
        """Return the ids of a whole score, shape (T,) int32."""
        return self.codec.encode(columns_of(score, self.config))

    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at ``resolution`` ticks a quarter, or times microtiming.

        Raises
        ------
        TokenError
            The ids break the grammar; the message gives the place.
        """
        return score_of(self.codec.decode(self.grammar.check(ids)), self.bins)

    def _rows(self, score: Score) -> Sequence[int]:
        return program_rows(score, self.config)


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
