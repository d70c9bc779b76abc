"""Choose one id from logits: mask, temperature, top-k, top-p, then chance.

References
----------
.. [1] Fan et al. 2018, Hierarchical Neural Story Generation (top-k).
.. [2] Holtzman et al. 2020, The Curious Case of Neural Text Degeneration (top-p).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from composer.decoding.decoder import Logits
from composer.errors import ModelError, RequestError

_HOTTEST = 5.0  # above it all ids are nearly as likely as each other


@dataclass(frozen=True, slots=True)
class Sampling:
    """How adventurous the choice of an id is.

    Parameters
    ----------
    temperature
        What logits are divided by, 0 to 5: below 1 safer, above 1 wilder; 0 takes the likeliest id.
    top_p
        Keep the fewest likeliest ids whose probabilities sum to this, above 0 up to 1.
    top_k
        Keep the ``top_k`` likeliest ids, and any as likely as the last of them; 0 keeps all.

    Raises
    ------
    RequestError
        If a value is outside its range.

    Examples
    --------
    >>> Sampling(temperature=0.9, top_p=0.95)
    Sampling(temperature=0.9, top_p=0.95, top_k=0)
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0

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


def choose(
    logits: Logits,
    allowed: npt.NDArray[np.bool_],
    sampling: Sampling,
    rng: np.random.Generator,
) -> int:
    """Choose one of the allowed ids.

    Ids are masked, then tempered, then cut by top-k, then by top-p of what top-k left. Neither
    array is changed. If one id is allowed it is returned without a look at its logit or a draw
    from ``rng``, and temperature 0 draws nothing either; any other choice draws one number.

    Parameters
    ----------
    logits
        float (V,); -inf is a probability of 0.
    allowed
        bool (V,), True where an id may be chosen.
    sampling
        Temperature, top-p and top-k.
    rng
        Where chance comes from.

    Returns
    -------
    int
        An id for which ``allowed`` is True. At temperature 0 the likeliest, the lowest of equals.

    Raises
    ------
    RequestError
        If nothing is allowed, or the two arrays differ in shape.
    ModelError
        If an allowed logit is nan or +inf, or every one is -inf.

    Examples
    --------
    >>> logits = np.array([0.0, 3.0, 1.0], np.float32)
    >>> choose(logits, np.array([True, False, True]), Sampling(0), np.random.default_rng(1))
    2
    """
    if logits.shape != allowed.shape:
        raise RequestError(
            f"a mask of shape {allowed.shape} does not fit logits of shape {logits.shape}; "
            "make it for the model's vocabulary"
        )
    ids = allowed.nonzero()[0]  # (A,)
    if ids.size == 1:
        return int(ids[0])
    if not ids.size:
        raise RequestError(f"none of {allowed.size} ids is allowed; loosen the constraints")
    kept = logits[ids]  # (A,)
    best = kept.max()
    if not np.isfinite(best):
        raise ModelError(
            f"the largest allowed logit is {best}, not a number; train the model again"
        )
    if sampling.temperature == 0:
        return int(ids[kept.argmax()])
    if 0 < sampling.top_k < ids.size:
        above = kept >= np.partition(kept, -sampling.top_k)[-sampling.top_k]
        ids, kept = ids[above], kept[above]
    with np.errstate(over="ignore", under="ignore"):  # -inf at a tiny temperature is exact
        weights = np.exp((kept.astype(np.float64) - best) / sampling.temperature)  # (A,)
    if sampling.top_p < 1:
        ids, weights = _nucleus(ids, weights, sampling.top_p)
    total = weights.cumsum()
    return int(ids[total.searchsorted(rng.random() * total[-1], side="right")])


def _nucleus(
    ids: npt.NDArray[np.intp], weights: npt.NDArray[np.float64], top_p: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Keep the fewest heaviest ids whose share of the weight reaches ``top_p``."""
    total = weights.sum()
    # Ids this light weigh too little together to be needed, and most ids are: sort only the rest.
    # The last factor leaves room for rounding.
    heavy = weights >= total * (1 - top_p) / weights.size * (1 - 1e-9)
    ids, weights = ids[heavy], weights[heavy]
    order = np.argsort(-weights, kind="stable")  # equals in the order of their ids
    needed = int(weights[order].cumsum().searchsorted(top_p * total)) + 1
    order = order[:needed]
    return ids[order], weights[order]
