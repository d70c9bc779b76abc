"""Whether a finished score keeps constraints, told by plain loops over its notes.

This shares no code with what writes scores: it reads the constraints' values and the score, and
knows nothing of masks or the grid. So where both agree, neither has to be believed. Only a
constraint of a user's own, whose meaning stands nowhere else, is judged by its own methods.
``composer.checking.piece`` says how notes come to bars and positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from composer._calls import called_right
from composer.checking.lines import LINE_CHECKS, line, line_wrongs, stepwise
from composer.checking.piece import CheckedScore, Onset
from composer.checking.players import lost, unplayable
from composer.constraints.base import Constraint, Where, constraints_of
from composer.constraints.counts import MaxPolyphony, Monophonic, OnsetCount, Rhythm
from composer.constraints.locked import Locked
from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playable import Playable
from composer.harmony.inference import song_key
from composer.score.names import Bars, Parts, bar_pair
from composer.score.parts import track_rows
from composer.score.score import Score, Track, own_score
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key


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
        if type(constraint) in LINE_CHECKS:
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
                    judge = _CHECKS.get(type(constraint), _own)
                    wrong = judge(constraint, piece, row, bar - 1, notes)
                breaches += [Breach(constraint, row + 1, bar, what) for what in wrong]
    return breaches


def _is_about(constraint: Constraint, track: Track) -> bool:
    """Return whether a constraint looks at a track: pitches of drums only where it names them."""
    if constraint.pitched:
        return not track.is_drum or constraint.parts is not None
    return track.is_drum or not constraint.for_drums


# What constraints find wrong with a bar of a part, whose notes in all bars are given.


def _counted(
    constraint: OnsetCount, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    places = _places(notes, bar)
    if len(places) < constraint.min:
        return [f"{len(places)} onsets, fewer than {constraint.min}"]
    if constraint.max is not None and len(places) > constraint.max:
        return [f"{len(places)} onsets, more than {constraint.max}"]
    return []


def _rhythm(
    constraint: Rhythm, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    places = _places(notes, bar)
    wanted = [round((float(beat) - 1) * 12) for beat in constraint.required]
    wrong = [f"no onset at position {p}" for p in wanted if p not in places]
    if constraint.allowed is not None:
        free = [round((float(beat) - 1) * 12) for beat in constraint.allowed]
        wrong += [f"an onset at position {p}" for p in places if p not in free]
    return wrong


def _played(
    constraint: Playable, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    track, wrong = piece.score.tracks[row], []
    for place in _places(notes, bar):
        begun = [note.pitch for note in notes if (note.bar, note.place) == (bar, place)]
        sounding = [note.pitch for note in _sounding(notes, piece.starts[bar] + place)]
        why = unplayable(constraint, track, begun, sounding)
        wrong += [f"{why} at position {place}"] * bool(why)
    return wrong


def _voices(
    constraint: Monophonic | MaxPolyphony,
    piece: CheckedScore,
    row: int,
    bar: int,
    notes: Sequence[Onset],
) -> list[str]:
    most = 1 if isinstance(constraint, Monophonic) else constraint.notes
    wrong = []
    for place in _places(notes, bar):
        count = len(_sounding(notes, piece.starts[bar] + place))
        if count > most:
            wrong.append(f"{count} notes sound at position {place}, more than {most}")
    return wrong


def _in_range(
    constraint: PitchRange, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    low, high = constraint.low, constraint.high
    return [_begins(note) for note in notes if note.bar == bar and not low <= note.pitch <= high]


def _on_pieces(
    constraint: DrumPieces, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    sounds = constraint.sounds
    return [_begins(note) for note in notes if note.bar == bar and note.pitch not in sounds]


def _in_scale(
    constraint: InScale, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    wrong = []
    for note in notes:
        if note.bar == bar:
            chord, _ = piece.chord_at(note.begin)
            if note.pitch % 12 not in _notes_of(piece.key(bar), chord):
                wrong.append(_begins(note))
    return wrong


def _on_chords(
    constraint: ChordTones, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    passing, wrong = stepwise(line(notes)) if constraint.passing else set(), []
    for note in notes:
        chord, begins = piece.chord_at(note.begin)
        if note.bar != bar or chord is None or note.pitch % 12 in {*chord.tones, chord.bass}:
            continue
        may_be_other = not (constraint.everywhere or begins or note.place in piece.strong(bar))
        may_be_other &= not constraint.passing or (
            note.pitch % 12 in _notes_of(piece.key(bar), chord)
            and (note.begin, note.pitch) in passing
        )
        if not may_be_other:
            wrong.append(_begins(note))
    return wrong


def _own(
    constraint: Constraint, piece: CheckedScore, row: int, bar: int, notes: Sequence[Onset]
) -> list[str]:
    """Judge a constraint that is not of this package by what it says itself."""
    track, inside = piece.score.tracks[row], [note for note in notes if note.bar == bar]
    cell = piece.cell(row, bar)
    allowed, asked = constraint.pitches(cell), constraint.onsets(cell)
    places = [place for place in _places(notes, bar) if place < cell.positions]
    wrong = []
    for mask in (allowed, asked.open):
        within = [note for note in inside if note.place < cell.positions]
        wrong += [_begins(n) for n in within if mask is not None and not mask[n.place, n.pitch]]
    if not asked.least <= len(places) <= asked.most:
        wrong.append(f"{len(places)} onsets, not {asked.least} to {asked.most}")
    wrong += [f"no onset at position {p}" for p in asked.required if p not in places]
    most = constraint.voices(track.program, track.is_drum)
    for place in places:
        count = len(_sounding(notes, piece.starts[bar] + place))
        if most is not None and count > most:
            wrong.append(f"{count} notes sound at position {place}, more than {most}")
    return wrong


#: Constraint -> what judges a bar of a part; those on lines stand in ``composer.checking.lines``.
_CHECKS: dict[type[Constraint], Callable[..., list[str]]] = {
    OnsetCount: _counted,
    Rhythm: _rhythm,
    Playable: _played,
    Monophonic: _voices,
    MaxPolyphony: _voices,
    PitchRange: _in_range,
    DrumPieces: _on_pieces,
    InScale: _in_scale,
    ChordTones: _on_chords,
}


def _places(notes: Sequence[Onset], bar: int) -> list[int]:
    """Return where notes of a bar begin, in order."""
    return sorted({note.place for note in notes if note.bar == bar})


def _sounding(notes: Sequence[Onset], now: int) -> list[Onset]:
    return [note for note in notes if note.begin <= now < note.end]


def _begins(note: Onset) -> str:
    return f"pitch {note.pitch} begins at position {note.place}"


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
