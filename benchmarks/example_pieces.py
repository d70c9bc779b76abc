"""What ``benchmarks/examples.py`` asks for: twelve arrangements, melodies and harmonisations.

The tunes are those of the package. The chords are patterns that are nobody's: blues, turnarounds,
loops and laments. Each request says what must hold and, in ``settings``, whatever else the verb is
called with; what a control aims at is compared with what came out.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from composer import (
    Cadence,
    ChordTones,
    Composer,
    MaxLeap,
    MaxPolyphony,
    NoParallels,
    OnsetCount,
    PitchRange,
    Playable,
    Rhythm,
    Score,
    example,
)
from composer.constraints.base import Constraint


@dataclasses.dataclass(frozen=True)
class Piece(abc.ABC):
    """A request, and what its file is called."""

    name: str
    where: Sequence[Constraint] = ()
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @abc.abstractmethod
    def written(self, score: Score) -> list[int]:
        """Return the tracks of the piece that were written, counted from 1."""

    @abc.abstractmethod
    def write(self, composer: Composer, seed: int) -> Score:
        """Return the piece."""


@dataclasses.dataclass(frozen=True)
class Arrangement(Piece):
    """Parts for a tune and its chords."""

    tune: str = ""
    parts: Sequence[str] = ()

    def written(self, score: Score) -> list[int]:
        """Return all tracks but the tune's."""
        return [*range(2, len(score.tracks) + 1)]

    def write(self, composer: Composer, seed: int) -> Score:
        """Return the tune and the parts."""
        tune = example(self.tune)
        return composer.arrange(tune, self.parts, where=self.where, seed=seed, **self.settings)


@dataclasses.dataclass(frozen=True)
class Melody(Piece):
    """A melody over chords."""

    chords: str = ""

    def written(self, score: Score) -> list[int]:
        """Return the only track."""
        return [1]

    def write(self, composer: Composer, seed: int) -> Score:
        """Return the melody with the chords as symbols."""
        return composer.melody(self.chords, where=self.where, seed=seed, **self.settings)


@dataclasses.dataclass(frozen=True)
class Harmonisation(Piece):
    """Chords for a tune that has lost its own."""

    tune: str = ""

    def written(self, score: Score) -> list[int]:
        """Return the track of block chords."""
        return [len(score.tracks)]

    def write(self, composer: Composer, seed: int) -> Score:
        """Return the tune with new chords, as symbols and in a track."""
        tune = example(self.tune).replace(chords=())
        return composer.harmonize(tune, where=self.where, seed=seed, **self.settings)


ARRANGEMENTS = (
    Arrangement(
        "harp and cello",
        [Playable(parts="harp"), OnsetCount(min=3, max=6, parts="harp"),
         OnsetCount(max=2, parts="cello")],
        tune="scarborough fair", parts=["harp", "cello"],
        settings={"style": "lied", "polyphony": {"harp": 2}, "note_length": {"cello": "long"}},
    ),
    Arrangement(
        "shanty band",
        [Rhythm(required=[1, 3], parts="upright bass"), OnsetCount(min=4, parts="drums")],
        tune="drunken sailor", parts=["accordion", "upright bass", "drums"],
        settings={"style": "song", "density": {"accordion": "moderate"}, "dynamics": "f"},
    ),
    Arrangement(
        "three strings",
        [MaxPolyphony(1, parts=["violin", "viola", "cello"]), PitchRange("C3-E4", parts="viola"),
         NoParallels(parts=["violin", "cello"]), MaxLeap(12, parts=["violin", "cello"])],
        tune="coventry carol", parts=["violin", "viola", "cello"],
        settings={"style": "quartet", "dynamics": "p"},
    ),
    Arrangement(
        "jig",
        [Rhythm(required=[1, 2.5], parts="tuba"), OnsetCount(min=2, max=6, parts="accordion"),
         Playable(parts="accordion")],
        tune="i saw three ships", parts=["accordion", "tuba"],
        settings={"note_length": "short"},
    ),
    Arrangement(
        "country band",
        [Rhythm(required=[1, 3], allowed=[1, 3, 4], parts="bass"),
         OnsetCount(min=2, parts="steel guitar"), Playable(parts=["steel guitar", "drums"])],
        tune="red river valley", parts=["steel guitar", "bass", "drums"],
        settings={"style": "song", "density": {"drums": "busy"}},
    ),
    Arrangement(
        "pad and piano",
        [OnsetCount(max=2, parts="strings"), OnsetCount(min=4, max=8, parts="piano"),
         Playable(parts="piano")],
        tune="shenandoah", parts=["strings", "piano"],
        settings={"style": "classical", "register": {"piano": "C4", "strings": "G3"},
                  "dynamics": {"strings": "p"}},
    ),
    Arrangement(
        "brass band",
        [OnsetCount(max=4, parts=["trumpet", "horn", "trombone"]),
         Playable(parts=["trumpet", "horn", "trombone", "tuba"])],
        tune="loch lomond", parts=["trumpet", "horn", "trombone", "tuba"],
        settings={"style": "orchestra", "dynamics": "ff"},
    ),
    Arrangement(
        "gospel",
        [OnsetCount(max=4, parts="organ"), OnsetCount(min=4, parts="drums"),
         Playable(parts=["organ", "piano"])],
        tune="joshua fit the battle of jericho", parts=["organ", "piano", "bass", "drums"],
        settings={"density": {"piano": "busy", "drums": "busy"}, "guidance": 2},
    ),
    Arrangement(
        "off-beat guitar",
        [Rhythm(required=[1.5, 2.5], allowed=[1.5, 2.5], parts="guitar"),
         Rhythm(required=[1], parts="banjo"), Playable(parts=["banjo", "guitar"])],
        tune="shady grove", parts=["banjo", "guitar", "bass"],
        settings={"style": "game", "density": {"banjo": "busy"}},
    ),
    Arrangement(
        "jazz trio",
        [Rhythm(required=[1, 2, 3, 4], allowed=[1, 2, 3, 4], parts="upright bass"),
         OnsetCount(max=3, parts="piano"), PitchRange("C3-C5", parts="piano"),
         Playable(parts="piano")],
        tune="frankie and johnny", parts=["piano", "upright bass", "drums"],
        settings={"syncopation": {"piano": "strong"}, "polyphony": {"piano": "thick"},
                  "guidance": 2},
    ),
    Arrangement(
        "winds",
        [ChordTones(everywhere=True, parts="bassoon"), OnsetCount(min=1, max=4),
         Playable(parts=["oboe", "clarinet", "bassoon"])],
        tune="for hes a jolly good fellow", parts=["oboe", "clarinet", "bassoon"],
        settings={"style": "orchestra", "register": {"oboe": "E5", "bassoon": "E3"}},
    ),
    Arrangement(
        "choir and organ",
        [OnsetCount(max=3, parts="choir aahs"), OnsetCount(max=2, parts="church organ"),
         Playable(parts="church organ")],
        tune="wexford carol", parts=["choir aahs", "church organ"],
        settings={"style": "hymn", "note_length": "long", "polyphony": {"church organ": "medium"}},
    ),
)  # fmt: skip

_BLUES = "A7 D7 A7 A7 D7 D7 A7 A7 E7 D7 A7 E7"
_CHANGES = "| Bb Gm7 | Cm7 F7 | Dm7 G7 | Cm7 F7 | Bb Bb7 | Eb Ebm6 | Bb F7 | Bb |"

MELODIES = (
    Melody("blues", [MaxLeap(9)], chords=_BLUES,
           settings={"part": "tenor sax", "key": "A", "tempo": 104, "bars": 24,
                     "density": "moderate", "syncopation": "strong", "guidance": 2}),
    Melody("turnarounds", [OnsetCount(min=3, max=8, bars="1-15"), Cadence(degree=1)],
           chords=_CHANGES,
           settings={"part": "trumpet", "key": "Bb", "tempo": 160, "bars": 16,
                     "syncopation": "some"}),
    Melody("pop loop", [PitchRange("A3-E5"), MaxLeap(12)], chords="Am F C G",
           settings={"part": "piano", "key": "C", "tempo": 120, "bars": 16,
                     "style": "song", "density": "moderate"}),
    Melody("modal", [OnsetCount(max=4), Cadence(degree=1)], chords="Dm7 Dm7 Em7 Dm7 G7 Dm7 Am7 Dm7",
           settings={"part": "flute", "key": "D minor", "tempo": 92, "bars": 16,
                     "register": "C5"}),
    Melody("waltz", [Cadence(degree=1), MaxLeap(12)],
           chords="F C7 F Dm Gm C7 F C7 Bb F Gm D7 Gm C7 F F",
           settings={"part": "violin", "meter": "3/4", "key": "F", "tempo": 150,
                     "style": "classical"}),
    Melody("bossa", chords="Cmaj7 Cmaj7 D7 D7 Dm7 G7 Em7 A7 Dm7 G7 Cmaj7 G7 Cmaj7 C7 Fmaj7 Fm6 "
           "Em7 A7 Dm7 G7 C6 A7 Dm7 G7",
           settings={"part": "nylon guitar", "key": "C", "tempo": 128,
                     "syncopation": "strong", "guidance": 2}),
    Melody("slow six", [Rhythm(required=[1]), Cadence(degree=1)],
           chords="G Em C D G/B C Am7 D7 G Em C D C D7 G G",
           settings={"part": "oboe", "meter": "6/8", "key": "G", "tempo": 72,
                     "density": "moderate"}),
    Melody("five", [OnsetCount(min=2, max=6)], chords="Em Em Am7 B7 Em C Am7 B7",
           settings={"part": "clarinet", "meter": "5/4", "key": "E minor", "tempo": 130,
                     "bars": 16, "style": "game"}),
    Melody("lament", [PitchRange("G3-G5"), Cadence(degree=1)],
           chords="Dm C Bb A Dm C Bb A7 Gm Dm A7 Dm",
           settings={"part": "cello", "key": "D minor", "tempo": 76, "bars": 12,
                     "range": "G3-D5", "style": "lied"}),
    Melody("circle", [Cadence(degree=1), MaxLeap(12)], chords="Am7 Dm7 G7 Cmaj7 Fmaj7 Bm7b5 E7 Am",
           settings={"part": "violin", "key": "A minor", "tempo": 112, "bars": 16,
                     "style": "classical", "dynamics": "f"}),
    Melody("minor blues", [OnsetCount(min=2)],
           chords="Cm7 Fm7 Cm7 Cm7 Fm7 Fm7 Cm7 Cm7 Ab7 G7 Cm7 G7",
           settings={"part": "alto sax", "meter": "12/8", "key": "C minor", "tempo": 90,
                     "bars": 12}),
    Melody("slow pop", [ChordTones(everywhere=True, bars="15-16")],
           chords="| D | A/C# | Bm | G | D/F# | Em7 A7 | D G/D | A7sus4 A7 |",
           settings={"part": "vibraphone", "key": "D", "tempo": 80, "bars": 16,
                     "note_length": "long"}),
)  # fmt: skip

_PLAYERS = (
    "piano", "accordion", "organ", "guitar", "steel guitar", "piano",
    "strings", "organ", "guitar", "piano", "accordion", "church organ",
)  # fmt: skip

HARMONISATIONS = tuple(
    Harmonisation(piece.tune, tune=piece.tune, settings={"part": player})
    for piece, player in zip(ARRANGEMENTS, _PLAYERS, strict=True)
)

GROUPS: dict[str, tuple[Piece, ...]] = {
    "arrangements": ARRANGEMENTS,
    "melodies": MELODIES,
    "harmonisations": HARMONISATIONS,
}
