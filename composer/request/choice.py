"""The choice of one id, compiled; ``composer.request.sampling`` says what each setting means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer._jit import compiled, inner
from composer.model.decoder import Logits

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NOTHING_ALLOWED, NO_NUMBER = -1, -2

# Columns of settings.
_TEMPERATURE, _TOP_K, _TOP_P, _MIN_P = range(4)


@inner
def _drawn(weights: Floats, draw: float) -> int:
    """Return the index that a number from 0 to 1 falls on; one of weight 0 never."""
    left = draw * weights.sum()
    last = 0
    for i in range(len(weights)):
        if weights[i] > 0:
            last = i
            left -= weights[i]
            if left < 0:
                break
    return last


@inner
def _cut(weights: Floats, settings: Floats) -> None:
    """Set to 0 what top-k, then top-p, then min-p do not keep."""
    order = np.argsort(-weights, kind="mergesort")  # equals in the order of their ids
    kept = len(order)
    top_k = int(settings[_TOP_K])
    if 0 < top_k < kept:
        least = weights[order[top_k - 1]]
        kept = top_k
        while kept < len(order) and weights[order[kept]] == least:
            kept += 1
    if settings[_TOP_P] < 1:
        total = 0.0
        for i in range(kept):
            total += weights[order[i]]
        enough, mass, count = settings[_TOP_P] * total, 0.0, 0
        while count < kept and (count == 0 or mass < enough):
            mass += weights[order[count]]
            count += 1
        kept = count
    least = settings[_MIN_P] * weights[order[0]]
    while weights[order[kept - 1]] < least:
        kept -= 1
    for i in range(kept, len(order)):
        weights[order[i]] = 0.0


@compiled
def choose_id(
    logits: Logits,
    allowed: Bools,
    group: npt.NDArray[np.int8],
    settings: Floats,
    changed: Ints,
    changes: Floats,
    first_draw: float,
    second_draw: float,
) -> tuple[int, float]:
    """Choose an id, and say how likely the model held it.

    Parameters
    ----------
    logits, allowed
        Shape (V,).
    group
        Which row of ``settings`` each id goes by, shape (V,); shape (0,) where all go by the first.
    settings
        Temperature, top-k, top-p and min-p of each group. The first one's temperature chooses
        between the groups.
    changed, changes
        Ids that are more or less likely than the model holds, and the logarithms of by how much.
    first_draw, second_draw
        From 0 to 1: chance for the group, and for the id in it.

    Returns
    -------
    id, log_probability
        The id, ``NOTHING_ALLOWED``, or ``NO_NUMBER`` if the best logit is none; and the natural
        logarithm of its share among those allowed, before any setting, or that logit.
    """
    count, best = 0, -np.inf
    for i in range(len(allowed)):
        if allowed[i]:
            count += 1
            if np.isnan(best) or np.isnan(logits[i]):
                best = np.nan
            else:
                best = max(best, np.float64(logits[i]))
    if count == 0:
        return NOTHING_ALLOWED, 0.0
    ids, scores = np.empty(count, np.int64), np.empty(count)
    at, whole = 0, 0.0
    for i in range(len(allowed)):
        if allowed[i]:
            ids[at] = i
            scores[at] = np.float64(logits[i]) - best
            whole += np.exp(scores[at])
            at += 1
    if count == 1:
        return ids[0], 0.0
    if not np.isfinite(best):
        return NO_NUMBER, best
    likely = scores.copy()
    for i in range(len(changed)):
        for at in range(count):
            if ids[at] == changed[i]:
                scores[at] += changes[i]
    row = 0
    if len(group):
        masses = np.zeros(len(settings))
        for at in range(count):
            masses[group[ids[at]]] += np.exp(scores[at])
        heat = settings[0, _TEMPERATURE]
        if heat > 0:
            most = masses.max()
            row = _drawn((masses / most) ** (1 / heat), first_draw)
        else:
            row = int(np.argmax(masses))
        for at in range(count):
            if group[ids[at]] != row:
                scores[at] = -np.inf
    heat = settings[row, _TEMPERATURE]
    highest = scores.max()
    if heat == 0:
        chosen = int(np.argmax(scores))
    else:
        weights = np.exp((scores - highest) / heat)
        if settings[row, _TOP_K] > 0 or settings[row, _TOP_P] < 1 or settings[row, _MIN_P] > 0:
            _cut(weights, settings[row])
        chosen = _drawn(weights, second_draw)
    return ids[chosen], likely[chosen] - np.log(whole)
