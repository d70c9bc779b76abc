"""Whether a finished score keeps constraints, told by plain loops over its notes.

This shares no code with what writes scores: it reads the constraints' values and the score, and
knows nothing of masks, demands or the grid. So where both agree, neither has to be believed.

Conventions
-----------
Ticks are taken to the nearest of twelve positions a quarter, halves up, and a note lasts for one
position at least. A note belongs to the bar and the position that it begins in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from composer.checking.lines import LINEAR, line, line_wrongs, stepwise
from composer.checking.players import lost, unplayable
from composer.constraints.locked import Locked
from composer.constraints.pitch_rules import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playing import Playable
from composer.constraints.where import Constraint, MaxPolyphony, Monophonic, NoteCount, Rhythm
from composer.errors import RequestError, SymbolError
from composer.harmony.inference import song_key
from composer.parts import track_rows
from composer.score import Score, Track
from composer.theory.symbols import QUALITIES, Chord, Key, parse_chord

_KNOWN = (
    *(InScale, ChordTones, PitchRange, DrumPieces),
    *(NoteCount, Rhythm, MaxPolyphony, Monophonic),
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


class _Onset(NamedTuple):
    """A note: its bar and place there, and when it sounds, in positions."""

    bar: int
    place: int
    begin: int
    end: int
    pitch: int


def check(
    score: Score,
    where: Constraint | Sequence[Constraint],
    *,
    key: Key | str | None = None,
    bars: tuple[int, int] | None = None,
    parts: Sequence[str | int] | None = None,
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
        Bars, first and last, and parts to look at, such as those that a verb wrote; all without
        them.
    before
        The score that a verb was given, for ``Locked()``, which keeps notes of it.

    Returns
    -------
    list of Breach
        Empty where all hold.

    Raises
    ------
    RequestError
        A constraint names a part that the score does not have, or is of a kind unknown here.

    Examples
    --------
    >>> import composer
    >>> where = [composer.NoteCount(min=2, max=4), composer.Monophonic()]
    >>> tune = composer.melody("C G Am F", where=where, seed=1)
    >>> composer.check(tune, where)
    []
    """
    constraints = [where] if isinstance(where, Constraint) else list(where)
    for constraint in constraints:
        if not isinstance(constraint, _KNOWN):
            raise RequestError(f"{constraint} is no constraint that can be checked")
    home = Key.parse(key) if isinstance(key, str) else key or song_key(score)
    looked_at = {*range(len(score.tracks))}
    if parts is not None:
        looked_at = {*track_rows(score, parts)}
    starts = _bar_starts(score, [*(c.bar_pair for c in constraints), bars])
    chords = _chords(score)
    first, last = bars or (1, len(starts) - 1)
    breaches = []
    for constraint in constraints:
        named = constraint.parts
        rows = track_rows(score, named)
        low, high = constraint.bar_pair or (1, len(starts) - 1)
        if isinstance(constraint, LINEAR):
            rows = [row for row in rows if not score.tracks[row].is_drum]
            lines = {row: line(_onsets(score.tracks[row], score.tpq, starts)) for row in rows}
            there = _key_in(score, home, high - 1)
            for row, bar, what in line_wrongs(constraint, lines, rows, high - 1, there):
                if row in looked_at and max(first, low) <= bar + 1 <= min(last, high):
                    breaches.append(Breach(constraint, row + 1, bar + 1, what))
            continue
        for row in rows:
            track = score.tracks[row]
            if constraint.for_drums and not track.is_drum:
                continue
            about_pitch = isinstance(constraint, InScale | ChordTones | PitchRange)
            if row not in looked_at or (about_pitch and track.is_drum and named is None):
                continue
            notes = _onsets(track, score.tpq, starts)
            between = stepwise(line(notes)) if about_pitch else set()
            asked = [other for other in rows if other in looked_at]
            for bar in range(max(first, low), min(last, high) + 1):
                inside = [note for note in notes if note.bar == bar - 1]
                if isinstance(constraint, Locked):
                    place_of = partial(_place_of, starts)
                    for what in lost(constraint, score, asked, row, bar - 1, place_of, before):
                        breaches.append(Breach(constraint, row + 1, bar, what))
                    continue
                there = _key_in(score, home, bar - 1)
                for what in _wrong(
                    constraint, score, row, bar - 1, inside, notes, between, chords, there, starts
                ):
                    breaches.append(Breach(constraint, row + 1, bar, what))
    return breaches


def _position(tick: int, tpq: int) -> int:
    return (24 * tick + tpq) // (2 * tpq)


def _bar_starts(score: Score, bars: Sequence[tuple[int, int] | None]) -> list[int]:
    """Return where each bar begins, and where the last one ends."""
    ends = [int(note["onset"] + note["duration"]) for t in score.tracks for note in t.notes]
    begins = [int(note["onset"]) for track in score.tracks for note in track.notes]
    # As a verb counts them: a last note held a sixteenth too long opens no bar.
    end = max([0, max(ends, default=0) - score.tpq // 4, max(begins, default=-1) + 1])
    end = max([end, *(tick + 1 for tick, _ in score.chords)])
    count = score.meter.bars_until(end)
    named = [pair[1] for pair in bars if pair]
    count = max([count, *named])
    return [_position(int(score.meter.bar_start(bar)), score.tpq) for bar in range(count + 1)]


def _key_in(score: Score, home: Key, bar: int) -> Key:
    """Return the key of the signature that a bar begins with: of the first one the home key."""
    holding = None
    for tick, sharps, minor in score.key_signatures.tolist():
        if holding is None or tick <= score.meter.bar_start(bar):
            holding = sharps, minor
    _, *first = score.key_signatures[0].tolist() if holding else (0, 0, 0)
    if holding is None or [*holding] == first:
        return home
    return Key.from_signature(holding[0], bool(holding[1]))


def _onsets(track: Track, tpq: int, starts: list[int]) -> list[_Onset]:
    notes = []
    for onset, duration, pitch, _ in track.notes.tolist():
        begin = _position(onset, tpq)
        end = begin + 1 if track.is_drum else max(begin + 1, _position(onset + duration, tpq))
        bar, place = _place_of(starts, onset, tpq)
        notes.append(_Onset(bar, place, begin, end, pitch))
    return notes


def _place_of(starts: list[int], tick: int, tpq: int) -> tuple[int, int]:
    """Return the bar that a tick goes to, and its position there."""
    bar, begin = 0, _position(tick, tpq)
    while bar + 2 < len(starts) and starts[bar + 1] <= begin:
        bar += 1
    return bar, begin - starts[bar]


def _chords(score: Score) -> list[tuple[int, Chord | None]]:
    """Return where each chord begins, in positions, and the chord."""
    chords: list[tuple[int, Chord | None]] = []
    for tick, text in score.chords:
        try:
            chord = parse_chord(text)
        except SymbolError:
            continue
        position = _position(tick, score.tpq)
        if chords and chords[-1][0] == position:
            chords.pop()
        if chord != (chords[-1][1] if chords else None):
            chords.append((position, chord))
    return chords


def _wrong(
    constraint: Constraint,
    score: Score,
    row: int,
    bar: int,
    inside: list[_Onset],
    notes: list[_Onset],
    between: set[tuple[int, int]],
    chords: list[tuple[int, Chord | None]],
    key: Key,
    starts: list[int],
) -> list[str]:
    """Return what a constraint finds wrong with a bar of a part."""
    places = sorted({note.place for note in inside})
    if isinstance(constraint, NoteCount):
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
        track = score.tracks[row]
        wrong = []
        for place in places:
            now = starts[bar] + place
            begun = [note.pitch for note in inside if note.place == place]
            sounding = [note.pitch for note in notes if note.begin <= now < note.end]
            why = unplayable(constraint, track, begun, sounding)
            wrong += [f"{why} at position {place}"] * bool(why)
        return wrong
    if isinstance(constraint, Monophonic | MaxPolyphony):
        most = 1 if isinstance(constraint, Monophonic) else constraint.notes
        wrong = []
        for place in places:
            now = starts[bar] + place
            count = sum(1 for note in notes if note.begin <= now < note.end)
            if count > most:
                wrong.append(f"{count} notes sound at position {place}, more than {most}")
        return wrong
    wrong = []
    for note in inside:
        if not _pitch_is_right(constraint, score, bar, note, between, chords, key):
            wrong.append(f"pitch {note.pitch} begins at position {note.place}")
    return wrong


def _pitch_is_right(
    constraint: Constraint,
    score: Score,
    bar: int,
    note: _Onset,
    between: set[tuple[int, int]],
    chords: list[tuple[int, Chord | None]],
    key: Key,
) -> bool:
    if isinstance(constraint, PitchRange):
        return constraint.low <= note.pitch <= constraint.high
    if isinstance(constraint, DrumPieces):
        return note.pitch in constraint.sounds
    chord, begins = None, False
    for position, name in chords:
        if position <= note.begin:
            chord, begins = name, position == note.begin
    if isinstance(constraint, InScale):
        return note.pitch % 12 in _notes_of(key, chord)
    assert isinstance(constraint, ChordTones)
    if chord is None or note.pitch % 12 in {*chord.tones, chord.bass}:
        return True
    if constraint.everywhere or begins or note.place in _strong(score, bar):
        return False
    if not constraint.passing:
        return True
    return note.pitch % 12 in _notes_of(key, chord) and (note.begin, note.pitch) in between


def _strong(score: Score, bar: int) -> list[int]:
    """Return the positions of a bar's strong beats: its first, and every second of an even number.

    Beats of 6/8, 9/8, 12/8 and the like are three of their units long.
    """
    signature = score.meter.signature_at(bar)
    beats, unit = int(signature["numerator"]), 48 // int(signature["denominator"])
    if unit <= 6 and beats % 3 == 0 and beats > 3:
        beats, unit = beats // 3, 3 * unit
    return [beat * unit for beat in range(0, beats, 2)] if beats % 2 == 0 else [0]


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
