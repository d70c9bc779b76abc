"""Whether what sounds can be played, and whether notes are still there, told by plain loops.

A part of ``composer.checking.checker``, and like it apart from what writes scores: of an instrument
it reads the facts, and tries out how the notes can be shared out between two hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from composer.checking.piece import CheckedScore
from composer.constraints.locked import Locked
from composer.constraints.playable import Playable
from composer.errors import RequestError
from composer.score.parts import track_index
from composer.score.score import Score, Track

_Row = tuple[int, int, int, int]  # onset and duration in ticks, pitch, velocity
_Place = tuple[int, int]  # position in a bar, pitch


def unplayable(
    constraint: Playable, track: Track, begun: Iterable[int], sounding: Iterable[int]
) -> str:
    """Return why an onset cannot be played; nothing if it can.

    Parameters
    ----------
    constraint
        Says how.
    track
        Says by which instrument.
    begun, sounding
        Pitches that begin, and all that sound then.
    """
    technique = constraint.technique(track.program, track.is_drum)
    all_notes = [*sounding]
    notes = sorted({*all_notes})
    for pitch in begun:
        if not technique.low <= pitch <= technique.high:
            return f"pitch {pitch} is outside {technique.low} to {technique.high}"
    if technique.is_kit:
        kicks = [pitch for pitch in notes if pitch in (35, 36)]
        struck = [pitch for pitch in notes if pitch not in (35, 36, 44)]
        return f"{notes} begin together" if len(kicks) > 1 or len(struck) > 2 else ""
    if technique.notes is not None and len(all_notes) > technique.notes:
        return f"{len(all_notes)} notes sound, more than {technique.notes}"
    if technique.fingers:
        # A hand that crosses the other reaches no more than one that does not.
        for split in range(len(notes) + 1):
            hands = [hand for hand in (notes[:split], notes[split:]) if hand]
            if all(len(h) <= technique.fingers and h[-1] - h[0] <= technique.span for h in hands):
                return ""
        return f"{notes} are more than two hands hold"
    return ""


def lost(
    constraint: Locked,
    piece: CheckedScore,
    row: int,
    bar: int,
    rows: Sequence[int],
    before: Score | None,
) -> list[str]:
    """Return what a bar of a part lacks of the notes that were to stay, and what came to them.

    Parameters
    ----------
    constraint
        What was to stay.
    piece
        The score.
    row, bar
        Where to look.
    rows
        Tracks that the constraint is about; the first of them answers for notes of any.
    before
        The score that was given.

    Raises
    ------
    RequestError
        The notes are those of a score that was not given.
    """
    if constraint.notes is not None and not isinstance(constraint.notes, Score):
        return _without_pins(constraint, piece, bar, rows) if row == rows[0] else []
    source, score = constraint.notes or before, piece.score
    if source is None:
        raise RequestError(
            f"{constraint} is about the notes of the score that was given; name it as before="
        )
    place = _track_for(source, score, row)
    beats, sounds = constraint.beats, constraint.sounds
    wanted = None if beats is None else [round((float(beat) - 1) * 12) for beat in beats]

    def notes_of(track: Track, tpq: int, other_tpq: int) -> dict[_Row, _Place]:
        """Return the notes to look at, in ticks that both scores share, and where they are."""
        found = {}
        for onset, duration, pitch, velocity in _rows(track):
            at_bar, position = piece.place_of(onset, tpq)
            named = wanted is None or position in wanted
            if at_bar == bar and named and (sounds is None or pitch in sounds):
                note = (onset * other_tpq, duration * other_tpq, pitch, velocity)
                found[note] = position, pitch
        return found

    has = notes_of(score.tracks[row], score.tpq, source.tpq)
    had = notes_of(source.tracks[place], source.tpq, score.tpq) if place >= 0 else {}
    wrong = [
        f"pitch {pitch} at position {position} did not stay as it was"
        for note, (position, pitch) in had.items()
        if note not in has
    ]
    if sounds is not None:
        wrong += [
            f"pitch {pitch} at position {position} was not there before"
            for note, (position, pitch) in has.items()
            if note not in had
        ]
    return wrong


def _without_pins(
    constraint: Locked, piece: CheckedScore, bar: int, rows: Sequence[int]
) -> list[str]:
    """Return which notes that a constraint names for a bar no track has there."""
    score, wrong = piece.score, []
    for pin in constraint.pinned:
        if pin.bar != bar + 1:
            continue
        position = round((float(pin.beat) - 1) * 12)
        found = False
        for track in [score.tracks[other] for other in rows]:
            for onset, duration, pitch, velocity in _rows(track):
                length = (24 * duration + score.tpq) // (2 * score.tpq)
                right = piece.place_of(onset, score.tpq) == (bar, position) and pitch == pin.midi
                if pin.length and not track.is_drum:
                    right = right and length == round(float(pin.length) * 12)
                found = found or (right and pin.velocity in (0, velocity))
        if not found:
            wrong.append(f"no note {pin} at position {position}")
    return wrong


def _rows(track: Track) -> list[_Row]:
    return [(int(on), int(d), int(p), int(v)) for on, d, p, v in track.notes.tolist()]


def _track_for(source: Score, score: Score, row: int) -> int:
    """Return the track of a score that is for a part of another; -1 without one."""
    name = score.tracks[row].name
    if len(source.tracks) == 1:
        return 0
    if row < len(source.tracks) and source.tracks[row].name == name:
        return row
    try:
        return track_index(source, name)
    except RequestError:
        return -1
