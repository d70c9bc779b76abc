"""Chord symbols put into a score, from a text, a track or its markers."""

from __future__ import annotations

import re

from composer._calls import shown
from composer.errors import RequestError
from composer.harmony.chord_track import track_chords
from composer.harmony.inference import infer_chords, song_key
from composer.harmony.lead_sheet import chord_texts
from composer.harmony.sources import ChordsLike, read_chords
from composer.score.events import Text
from composer.score.parts import track_index
from composer.score.score import Score
from composer.theory.chords import is_chord
from composer.theory.keys import Key

LETTERS = ("chords", "sections")
_LETTER = re.compile(r"\s*[A-G]\s*")


def with_chords(
    score: Score,
    chords: ChordsLike | None = None,
    *,
    track: str | int | None = None,
    markers: bool = False,
    notes: bool = False,
    letters: str | None = None,
    key: str | None = None,
) -> Score:
    """Return a score with other chord symbols; see ``Score.with_chords``."""
    for name, value in (("markers", markers), ("notes", notes)):
        if not isinstance(value, bool):
            raise RequestError(f"{name} {shown(value)} is neither True nor False; give one of them")
    given = (chords is not None) + (track is not None) + markers + notes
    if given != 1:
        raise RequestError(
            f"with_chords takes one source and was given {given}; name chords, track=, "
            f"markers=True or notes=True"
        )
    if letters is not None and (letters not in LETTERS or not markers):
        raise RequestError(
            f"letters {letters!r} is not one of {', '.join(LETTERS)}, which say what markers of "
            f"one letter are when markers=True"
        )
    if notes:
        if not any(len(track.notes) and not track.is_drum for track in score.tracks):
            raise RequestError(
                "the score has no notes but drums, which suggest no chords; add some"
            )
        home = Key.parse(key) if key else None
        return score.replace(chords=infer_chords(score, key=home))
    if markers:
        return _from_markers(score, letters)
    if track is not None:
        return score.replace(chords=track_chords(score, score.tracks[track_index(score, track)]))
    home = Key.parse(key) if key else song_key(score)
    assert chords is not None  # one of the three is given
    bars = score.bars or len(read_chords(chords, home).bars)
    return score.replace(chords=chord_texts(chords, home, score, bars))


def _from_markers(score: Score, letters: str | None) -> Score:
    """Return a score with the markers for chords that can be read so."""
    taken: list[Text] = []
    left: list[Text] = []
    for marker in score.markers:
        is_letter = _LETTER.fullmatch(marker.text) is not None
        if is_letter and letters is None:
            bar = int(score.meter.bar_and_position(marker.tick)[0]) + 1
            raise RequestError(
                f"marker {marker.text!r} in bar {bar} may be a chord or a rehearsal mark; say "
                f"letters='chords' or letters='sections'"
            )
        (taken if is_chord(marker.text) and letters != "sections" * is_letter else left).append(
            marker
        )
    if not taken:
        texts = ", ".join(repr(marker.text) for marker in left[:5]) or "none"
        raise RequestError(
            f"no marker can be read as a chord symbol; the score has {texts}: name a track, or say "
            f"with_chords(notes=True) for the chords that its notes suggest"
        )
    symbols = (Text(tick, text.strip()) for tick, text in taken)
    return score.replace(markers=tuple(left), chords=tuple(symbols))
