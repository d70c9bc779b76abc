"""How an id is chosen from logits: mask, temperature, top-k, top-p, min-p, then chance.

References
----------
.. [1] Fan et al. 2018, Hierarchical Neural Story Generation (top-k).
.. [2] Holtzman et al. 2020, The Curious Case of Neural Text Degeneration (top-p).
.. [3] Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling (min-p).
.. [4] Sanchez et al. 2023, Stay on Topic with Classifier-Free Guidance (guidance).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer._calls import called_right
from composer.errors import ModelError, RequestError
from composer.model.decoder import Logits
from composer.tokenizers.vocabulary import Vocabulary

_HOTTEST = 5.0  # above it all ids are nearly as likely as each other
_MOST_GUIDANCE = 10.0
_MOST_CHANGE = 100.0  # more makes a rule of a preference

#: What settings of its own may be given for, and the families that it is.
GROUPS = {
    "rhythm": ("Position", "Duration"),
    "pitch": ("Pitch", "Drum"),
    "dynamics": ("Velocity",),
    "harmony": ("Chord", "Bass"),
}

#: Settings that multiply probabilities of chords; 1 leaves them.
CHORD_BIASES = ("repeat_chords", "tonic_ends", "sevenths", "inversions")
#: The same of anything.
BIASES = (
    *("repeat_notes", "repeat_bars", "repeat_drums", "full_kit"),
    *("extremes", "double_notes", "share_onsets"),
    *CHORD_BIASES,
)


@called_right("composer.Sampling")
@dataclass(frozen=True, slots=True)
class Sampling:
    """How adventurous the choice of an id is.

    Ids are masked, then tempered, then cut by top-k, by top-p of what top-k left, and by min-p.

    Parameters
    ----------
    temperature
        What logits are divided by, 0 to 5: below 1 safer, above 1 wilder; 0 takes the likeliest id.
    top_p
        Keep the fewest likeliest ids whose probabilities sum to this, above 0 up to 1.
    top_k
        Keep the ``top_k`` likeliest ids, and any as likely as the last of them; 0 keeps all.
    min_p
        Keep ids at least this share as likely as the likeliest, 0 to 1; 0 keeps all.
    repeat_notes
        What the probability of beginning a pitch is multiplied by that a part began last, 0.01 to
        100: below 1 for melodies that move more.
    repeat_bars
        The same for going on with what is so far a copy of an earlier bar of the part: below 1
        for fewer bars that come again, above 1 for more.
    repeat_drums
        The same for going on with what the drums of an earlier bar play next: of the bar that is
        varied, or else at its place in the section's first four bars, or four bars before, two or
        one. The square root of it where phrases end, in every fourth bar, so that there may be
        fills.
    full_kit
        The same for kick, snare and hi-hats or rides that a bar has had none of, where drums go on
        with no earlier bar.
    extremes
        The same for a pitch of a melody, for each semitone that it is nearer than five to an end of
        its part's range, where no register is asked for: below 1 for tunes in the middle of it.
    double_notes
        The same for a pitch that begins with it in another part: below 1 for parts that go their
        own ways.
    share_onsets
        The same for an onset where another part with pitches has one: below 1 for parts that have
        rhythms of their own.
    repeat_chords
        The same for going on with the chord of the bar before: below 1 for chords that change more
        often.
    tonic_ends
        The same for the tonic chord, in the first and in the last bar of a piece; in the last, the
        square of it for going on where the tonic can come yet, and less for going on from there.
    sevenths
        The same for chords of more than three notes: below 1 for more triads.
    inversions
        The same for basses other than the root; above 1 for those alone that are a step from the
        bass before or stay on it, and not in the last bar.
    guidance
        How much controls weigh, 0 to 10: what the model expects under them is set against what it
        expects without, and the difference is multiplied by this. Other than 1 it takes twice the
        time [4]_.
    rhythm, pitch, dynamics, harmony
        Settings of their own for positions and durations, for pitches, for velocities, and for
        chords. What comes next, a position or a pitch, is still chosen at the temperature above.

    Raises
    ------
    RequestError
        If a value is outside its range.

    Examples
    --------
    >>> steady = Sampling(temperature=0.9, rhythm=Sampling(0.7), pitch=Sampling(1.1, top_p=0.9))
    >>> steady.rhythm.temperature
    0.7
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repeat_notes: float = 1.0
    repeat_bars: float = 1.0
    repeat_drums: float = 1.0
    full_kit: float = 1.0
    extremes: float = 1.0
    double_notes: float = 1.0
    share_onsets: float = 1.0
    repeat_chords: float = 1.0
    tonic_ends: float = 1.0
    sevenths: float = 1.0
    inversions: float = 1.0
    guidance: float = 1.0
    rhythm: Sampling | None = None
    pitch: Sampling | None = None
    dynamics: Sampling | None = None
    harmony: Sampling | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.temperature, Real) or not 0 <= self.temperature <= _HOTTEST:
            raise RequestError(
                f"temperature {self.temperature!r} is outside 0 to {_HOTTEST:g}; "
                "take 0 for the likeliest id, 1 for the model as it was trained"
            )
        if not isinstance(self.top_p, Real) or not 0 < self.top_p <= 1:
            raise RequestError(
                f"top_p {self.top_p!r} is not above 0 and up to 1; take 1 to keep every id"
            )
        if not isinstance(self.top_k, Integral) or self.top_k < 0:
            raise RequestError(
                f"top_k {self.top_k!r} is not a whole number of 0 or more; take 0 to keep every id"
            )
        if not isinstance(self.min_p, Real) or not 0 <= self.min_p <= 1:
            raise RequestError(f"min_p {self.min_p!r} is outside 0 to 1; take 0 to keep every id")
        for name in BIASES:
            value = getattr(self, name)
            if not isinstance(value, Real) or not 1 / _MOST_CHANGE <= value <= _MOST_CHANGE:
                raise RequestError(
                    f"{name} {value!r} is outside {1 / _MOST_CHANGE:g} to {_MOST_CHANGE:g}; "
                    "take 1 for the model as it was trained"
                )
        if not isinstance(self.guidance, Real) or not 0 <= self.guidance <= _MOST_GUIDANCE:
            raise RequestError(
                f"guidance {self.guidance!r} is outside 0 to {_MOST_GUIDANCE:g}; take 1 for the "
                "model as it was trained, 2 for twice what controls change"
            )
        for name in GROUPS:
            own = getattr(self, name)
            if own is not None and not (isinstance(own, Sampling) and own == own.plain):
                raise RequestError(
                    f"{name} {own!r} is no Sampling of temperature, top_p, top_k and min_p alone"
                )

    @property
    def plain(self) -> Sampling:
        """These settings without those of single families, of repetition and of controls."""
        return Sampling(self.temperature, self.top_p, self.top_k, self.min_p)

    def with_chords_of(self, other: Sampling) -> Sampling:
        """Return these settings, but for chords those of others.

        >>> Sampling(1.1, sevenths=2).with_chords_of(Sampling(0.6, sevenths=0.3)).sevenths
        0.3
        """
        leanings = {name: getattr(other, name) for name in CHORD_BIASES}
        return replace(self, harmony=other.harmony or other.plain, **leanings)


_NO_CHANGES: Mapping[int, float] = {}
_NONE = np.empty(0, np.int64), np.empty(0)


def _logarithms(
    changes: Mapping[int, float],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    if not changes:
        return _NONE
    return np.array([*changes]), np.log([*changes.values()])


class Choice(NamedTuple):
    """An id, and how likely the model held it."""

    id: int
    #: Natural logarithm of its share among the ids allowed, before any setting; 0 where it was
    #: the only one.
    log_probability: float


class Chooser:
    """Chooses ids by settings.

    Parameters
    ----------
    sampling
        The settings.
    vocabulary
        Says which ids are of which family; without it all go by the general settings.

    Examples
    --------
    >>> logits = np.array([0.0, 3.0, 1.0], np.float32)
    >>> Chooser(Sampling(0)).choose(logits, np.array([True, False, True]), np.random.default_rng(1))
    Choice(id=2, log_probability=-0.31326168751822286)
    """

    def __init__(self, sampling: Sampling, vocabulary: Vocabulary | None = None) -> None:
        rows = [sampling]
        self._group = np.empty(0, np.int8)
        own = {name: getattr(sampling, name) for name in GROUPS if getattr(sampling, name)}
        if own and vocabulary is not None:
            self._group = np.zeros(vocabulary.size, np.int8)
            for name, settings in own.items():
                for family in GROUPS[name]:
                    self._group[vocabulary.slices[family]] = len(rows)
                rows.append(settings)
        self._settings = np.array([(s.temperature, s.top_k, s.top_p, s.min_p) for s in rows], float)

    def choose(
        self,
        logits: Logits,
        allowed: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        changes: Mapping[int, float] = _NO_CHANGES,
    ) -> Choice:
        """Choose one of the allowed ids; two numbers are drawn each time.

        Parameters
        ----------
        logits
            float32 (V,); -inf is a probability of 0.
        allowed
            bool (V,), True where an id may be chosen. Neither array is changed.
        rng
            Where chance comes from.
        changes
            What the probabilities of some ids are multiplied by, above 0.

        Returns
        -------
        Choice
            At temperature 0 the likeliest id, the lowest of equals.

        Raises
        ------
        RequestError
            If nothing is allowed, or the two arrays differ in shape.
        ModelError
            If an allowed logit is nan or +inf, or every one is -inf.
        """
        # Late, as loading the compiler takes longer than all else that is imported.
        from composer.request.choice import NO_NUMBER, NOTHING_ALLOWED, choose_id

        if logits.shape != allowed.shape:
            raise RequestError(
                f"a mask of shape {allowed.shape} does not fit logits of shape {logits.shape}; "
                "make it for the model's vocabulary"
            )
        index, log_probability = choose_id(
            logits,
            allowed,
            self._group,
            self._settings,
            *_logarithms(changes),
            rng.random(),
            rng.random(),
        )
        if index == NOTHING_ALLOWED:
            raise RequestError(f"none of {allowed.size} ids is allowed; loosen the constraints")
        if index == NO_NUMBER:
            raise ModelError(
                f"the largest allowed logit is {log_probability}, not a number; train the model "
                "again"
            )
        return Choice(index, log_probability)
