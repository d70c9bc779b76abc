"""Whether a finished score keeps constraints, told by plain loops over its notes.

This shares no code with what writes scores: it reads the constraints' values and the score, and
knows nothing of masks, demands or the grid. So where both agree, neither has to be believed.
``composer.checking.piece`` says how notes come to bars and positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from composer._calls import called_right
from composer.checking.lines import LINEAR, line, line_wrongs, stepwise
from composer.checking.piece import CheckedScore, Onset
from composer.checking.players import lost, unplayable
from composer.constraints.base import Constraint, Where, constraints_of
from composer.constraints.counts import MaxPolyphony, Monophonic, OnsetCount, Rhythm
from composer.constraints.locked import Locked
from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playable import Playable
from composer.errors import RequestError
from composer.harmony.inference import song_key
from composer.score.names import Bars, Parts, bar_pair
from composer.score.parts import track_rows
from composer.score.score import Score, Track, own_score
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key

_KNOWN = (
    *(InScale, ChordTones, PitchRange, DrumPieces),
    *(OnsetCount, Rhythm, MaxPolyphony, Monophonic),
    *(Playable, Locked),
    *LINEAR,
)


class Breach(NamedTuple):
    """Where a score breaks a constraint, and how."""

    constraint: Constraint
    part: int  # from 1
    bar: int  # from 1
    what: str

    def __str__(self) -> str:
        return f"{self.constraint} in bar {self.bar} of part {self.part}: {self.what}"


@called_right("composer.check")
def check(
    score: Score,
    where: Where,
    *,
    key: Key | str | None = None,
    bars: Bars = None,
    parts: Parts = None,
    before: Score | None = None,
) -> list[Breach]:
    """Return each breach of constraints in a score.

    Parameters
    ----------
    score
        Any score; chords are its chord symbols.
    where
        Constraints, as verbs take them.
    key
        Home key for ``InScale`` and ``Cadence``, up to the first change of key signature; the
        score's first signature, or the key its notes suggest, without it.
    bars, parts
        What to look at, as constraints name it, such as what a verb wrote; all without them.
    before
        The score that a verb was given, for ``Locked()``, which keeps notes of it.

    Returns
    -------
    list of Breach
        Empty where all hold.

    Raises
    ------
    RequestError
        A constraint names a part that the score does not have, or is not a constraint known here;
        or the bars cannot be read; or what is given as a score is not a score.

    Examples
    --------
    >>> import composer
    >>> where = [composer.OnsetCount(min=2, max=4), composer.Monophonic()]
    >>> tune = composer.melody("C G Am F", where=where, seed=1)
    >>> composer.check(tune, where)
    []
    """
    own_score(score)
    if before is not None:
        own_score(before)
    constraints = constraints_of(where)
    for constraint in constraints:
        if not isinstance(constraint, _KNOWN):
            raise RequestError(f"{constraint} is not a constraint that can be checked")
    home = song_key(score) if key is None else key if isinstance(key, Key) else Key.parse(key)
    rows = track_rows(score, parts)
    pair = bar_pair(bars)
    piece = CheckedScore.of(score, home, [*(c.bar_pair for c in constraints), pair])
    breaches = []
    for constraint in constraints:
        low, high = constraint.bar_pair or (1, piece.bars)
        first, last = pair or (low, high)
        looked_at = range(max(first, low), min(last, high) + 1)
        about = track_rows(score, constraint.parts)
        if isinstance(constraint, LINEAR):
            about = [row for row in about if not score.tracks[row].is_drum]
            lines = {row: line(piece.notes(row)) for row in about}
            there = piece.key(high - 1)
            for row, bar, what in line_wrongs(constraint, lines, about, high - 1, there):
                if row in rows and bar + 1 in looked_at:
                    breaches.append(Breach(constraint, row + 1, bar + 1, what))
            continue
        asked = [row for row in about if row in rows]
        for row in asked:
            if not _is_about(constraint, score.tracks[row]):
                continue
            notes = piece.notes(row)
            for bar in looked_at:
                if isinstance(constraint, Locked):
                    wrong = lost(constraint, piece, row, bar - 1, asked, before)
                else:
                    wrong = _wrong(constraint, piece, row, bar - 1, notes)
                breaches += [Breach(constraint, row + 1, bar, what) for what in wrong]
    return breaches


def _is_about(constraint: Constraint, track: Track) -> bool:
    """Return whether a constraint looks at a track: pitches of drums only where it names them."""
    if isinstance(constraint, InScale | ChordTones | PitchRange):
        return not track.is_drum or constraint.parts is not None
    return track.is_drum or not constraint.for_drums


def _wrong(
    constraint: Constraint, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    """Return what a constraint finds wrong with a bar of a part, whose notes are given."""
    inside = [note for note in notes if note.bar == bar]
    places = sorted({note.place for note in inside})
    if isinstance(constraint, OnsetCount):
        if len(places) < constraint.min:
            return [f"{len(places)} onsets, fewer than {constraint.min}"]
        if constraint.max is not None and len(places) > constraint.max:
            return [f"{len(places)} onsets, more than {constraint.max}"]
        return []
    if isinstance(constraint, Rhythm):
        wanted = [round((float(beat) - 1) * 12) for beat in constraint.required]
        wrong = [f"no onset at position {p}" for p in wanted if p not in places]
        if constraint.allowed is not None:
            free = [round((float(beat) - 1) * 12) for beat in constraint.allowed]
            wrong += [f"an onset at position {p}" for p in places if p not in free]
        return wrong
    if isinstance(constraint, Playable):
        track = piece.score.tracks[row]
        wrong = []
        for place in places:
            now = piece.starts[bar] + place
            begun = [note.pitch for note in inside if note.place == place]
            sounding = [note.pitch for note in notes if note.begin <= now < note.end]
            why = unplayable(constraint, track, begun, sounding)
            wrong += [f"{why} at position {place}"] * bool(why)
        return wrong
    if isinstance(constraint, Monophonic | MaxPolyphony):
        most = 1 if isinstance(constraint, Monophonic) else constraint.notes
        wrong = []
        for place in places:
            now = piece.starts[bar] + place
            count = sum(1 for note in notes if note.begin <= now < note.end)
            if count > most:
                wrong.append(f"{count} notes sound at position {place}, more than {most}")
        return wrong
    may_pass = isinstance(constraint, ChordTones) and constraint.passing
    passing = stepwise(line(notes)) if may_pass else set()
    return [
        f"pitch {note.pitch} begins at position {note.place}"
        for note in inside
        if not _pitch_is_right(constraint, piece, note, passing)
    ]


def _pitch_is_right(
    constraint: Constraint, piece: CheckedScore, note: Onset, passing: set[tuple[int, int]]
) -> bool:
    if isinstance(constraint, PitchRange):
        return constraint.low <= note.pitch <= constraint.high
    if isinstance(constraint, DrumPieces):
        return note.pitch in constraint.sounds
    key = piece.key(note.bar)
    chord, begins = piece.chord_at(note.begin)
    if isinstance(constraint, InScale):
        return note.pitch % 12 in _notes_of(key, chord)
    assert isinstance(constraint, ChordTones)
    if chord is None or note.pitch % 12 in {*chord.tones, chord.bass}:
        return True
    if constraint.everywhere or begins or note.place in piece.strong(note.bar):
        return False
    return not constraint.passing or (
        note.pitch % 12 in _notes_of(key, chord) and (note.begin, note.pitch) in passing
    )


def _notes_of(key: Key, chord: Chord | None) -> set[int]:
    """Return the notes of a key, where a chord has another note of some letter that one alone."""
    steps = (0, 2, 3, 5, 7, 8, 10) if key.mode == "minor" else (0, 2, 4, 5, 7, 9, 11)
    letters = "CDEFGAB"
    tonic = letters.index(key.spell(key.tonic)[0])
    scale = {letters[(tonic + i) % 7]: (key.tonic + step) % 12 for i, step in enumerate(steps)}
    if chord is None:
        return {*scale.values()}
    root = letters.index(key.spell(chord.root)[0])
    tones = {chord.root, *chord.tones}
    for interval in QUALITIES[chord.quality].intervals:
        # A chord is built in thirds: the 3rd is two letters up, the 5th four, the 7th six.
        size = {0: 1, 1: 2, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5, 8: 5, 9: 6, 10: 7, 11: 7}
        number = 7 if _is_diminished(chord) and interval == 9 else size[interval % 12]
        scale.pop(letters[(root + number - 1) % 7], None)
    return {*scale.values()} | tones | ({chord.bass} if chord.bass is not None else set())


def _is_diminished(chord: Chord) -> bool:
    """Return whether a chord has a diminished fifth."""
    return 6 in QUALITIES[chord.quality].intervals
