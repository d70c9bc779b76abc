"""What can be counted in a score: harmony, pitches, rhythm, repetition, how parts go together.

Conventions
-----------
A measure takes a score and, where it is not about all pitched parts together, ``parts``: names or
numbers (from 1) of tracks, or roles. Drums count only where they are named. Ticks are taken to the
nearest of twelve positions a quarter, halves up; a note lasts for one position at least and belongs
to the bar it begins in. A *beat* is a quarter note in what is counted a beat, whatever the meter. A
*line* is the highest note of each onset of a part. Shares go from 0 to 1, and are nan where there
is nothing to take a share of. ``density``, ``polyphony``, ``register``, ``note_length``,
``dynamics`` and ``syncopation`` are what the controls of these names ask for.

Nothing here is shared with what writes scores, so that the one can be measured by the other.

Examples
--------
>>> import composer
>>> from composer import metrics
>>> tune = composer.example("Scarborough Fair")
>>> round(metrics.chord_tones(tune), 2), metrics.pitch_range(tune), metrics.empty_bars(tune)
(0.88, (60, 74), 0.0)
>>> print(metrics.as_table(metrics.describe(tune))[:37])
| part | chord_tones | chord_basses |

References
----------
Longuet-Higgins, H. C. and Lee, C. S. (1984). The rhythmic interpretation of monophonic music.
*Music Perception* 1 (4), 424-441: the levels of syncopation.
"""

from composer.metrics.measures import (
    MEASURES,
    as_table,
    chord_basses,
    chord_tones,
    covered,
    density,
    describe,
    doubled_notes,
    dynamics,
    empty_bars,
    final_degree,
    in_scale,
    leaps,
    lhl_syncopation,
    mean_length,
    mean_voices,
    note_density,
    note_length,
    pitch_range,
    polyphony,
    register,
    repeated_bars,
    repeated_figures,
    repeated_notes,
    shared_onsets,
    syncopation,
)

__all__ = [
    "MEASURES",
    "as_table",
    "chord_basses",
    "chord_tones",
    "covered",
    "density",
    "describe",
    "doubled_notes",
    "dynamics",
    "empty_bars",
    "final_degree",
    "in_scale",
    "leaps",
    "lhl_syncopation",
    "mean_length",
    "mean_voices",
    "note_density",
    "note_length",
    "pitch_range",
    "polyphony",
    "register",
    "repeated_bars",
    "repeated_figures",
    "repeated_notes",
    "shared_onsets",
    "syncopation",
]
