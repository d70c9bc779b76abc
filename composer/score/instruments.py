"""Instruments: General MIDI's names and numbers, the names people use, and playing ranges.

Conventions
-----------
Programs count from 0, as in MIDI messages (many printed tables count from 1). Pitches are sounding
MIDI numbers, 60 being middle C: a double bass sounds an octave below what its part says.

References
----------
MIDI Manufacturers Association (1991). General MIDI System Level 1: names of programs and drums.

Adler, S. (2016). *The Study of Orchestration*, 4th edition: the ranges follow its tables, narrowed
at the top to what a good player reaches with ease. Synthesizers and effects have no natural range;
theirs is where such parts are usually written.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

from composer._calls import shown
from composer.errors import RequestError, SymbolError

# Sixteen families of eight; the name, then the lowest and highest comfortable pitch.
_PROGRAMS = (
    # Piano
    ("Acoustic Grand Piano", 21, 108),
    ("Bright Acoustic Piano", 21, 108),
    ("Electric Grand Piano", 28, 103),
    ("Honky-tonk Piano", 21, 108),
    ("Electric Piano 1", 28, 103),
    ("Electric Piano 2", 28, 103),
    ("Harpsichord", 29, 89),
    ("Clavinet", 29, 88),
    # Chromatic percussion
    ("Celesta", 60, 108),
    ("Glockenspiel", 79, 108),
    ("Music Box", 60, 96),
    ("Vibraphone", 53, 89),
    ("Marimba", 45, 96),
    ("Xylophone", 65, 108),
    ("Tubular Bells", 60, 79),
    ("Dulcimer", 50, 86),
    # Organ
    ("Drawbar Organ", 36, 96),
    ("Percussive Organ", 36, 96),
    ("Rock Organ", 36, 96),
    ("Church Organ", 36, 96),
    ("Reed Organ", 36, 96),
    ("Accordion", 41, 93),
    ("Harmonica", 60, 96),
    ("Tango Accordion", 41, 93),
    # Guitar
    ("Acoustic Guitar (nylon)", 40, 83),
    ("Acoustic Guitar (steel)", 40, 84),
    ("Electric Guitar (jazz)", 40, 86),
    ("Electric Guitar (clean)", 40, 86),
    ("Electric Guitar (muted)", 40, 81),
    ("Overdriven Guitar", 40, 86),
    ("Distortion Guitar", 40, 86),
    ("Guitar Harmonics", 52, 91),
    # Bass
    ("Acoustic Bass", 28, 60),
    ("Electric Bass (finger)", 28, 62),
    ("Electric Bass (pick)", 28, 62),
    ("Fretless Bass", 28, 62),
    ("Slap Bass 1", 28, 62),
    ("Slap Bass 2", 28, 62),
    ("Synth Bass 1", 24, 60),
    ("Synth Bass 2", 24, 60),
    # Strings
    ("Violin", 55, 96),
    ("Viola", 48, 84),
    ("Cello", 36, 76),
    ("Contrabass", 28, 60),
    ("Tremolo Strings", 28, 93),
    ("Pizzicato Strings", 28, 88),
    ("Orchestral Harp", 24, 103),
    ("Timpani", 38, 57),
    # Ensemble
    ("String Ensemble 1", 28, 93),
    ("String Ensemble 2", 28, 93),
    ("Synth Strings 1", 28, 96),
    ("Synth Strings 2", 28, 96),
    ("Choir Aahs", 41, 81),
    ("Voice Oohs", 41, 81),
    ("Synth Voice", 41, 84),
    ("Orchestra Hit", 36, 84),
    # Brass
    ("Trumpet", 54, 82),
    ("Trombone", 40, 70),
    ("Tuba", 29, 58),
    ("Muted Trumpet", 54, 82),
    ("French Horn", 41, 77),
    ("Brass Section", 36, 82),
    ("Synth Brass 1", 36, 84),
    ("Synth Brass 2", 36, 84),
    # Reed
    ("Soprano Sax", 56, 87),
    ("Alto Sax", 49, 80),
    ("Tenor Sax", 44, 75),
    ("Baritone Sax", 36, 68),
    ("Oboe", 58, 89),
    ("English Horn", 52, 81),
    ("Bassoon", 34, 72),
    ("Clarinet", 50, 89),
    # Pipe
    ("Piccolo", 74, 105),
    ("Flute", 60, 96),
    ("Recorder", 72, 98),
    ("Pan Flute", 60, 96),
    ("Blown Bottle", 60, 84),
    ("Shakuhachi", 62, 86),
    ("Whistle", 72, 98),
    ("Ocarina", 69, 89),
    # Synth lead
    ("Lead 1 (square)", 36, 96),
    ("Lead 2 (sawtooth)", 36, 96),
    ("Lead 3 (calliope)", 48, 96),
    ("Lead 4 (chiff)", 48, 96),
    ("Lead 5 (charang)", 36, 96),
    ("Lead 6 (voice)", 48, 84),
    ("Lead 7 (fifths)", 36, 91),
    ("Lead 8 (bass + lead)", 24, 84),
    # Synth pad
    ("Pad 1 (new age)", 36, 96),
    ("Pad 2 (warm)", 36, 96),
    ("Pad 3 (polysynth)", 36, 96),
    ("Pad 4 (choir)", 36, 84),
    ("Pad 5 (bowed)", 36, 96),
    ("Pad 6 (metallic)", 36, 96),
    ("Pad 7 (halo)", 36, 96),
    ("Pad 8 (sweep)", 36, 96),
    # Synth effects
    ("FX 1 (rain)", 36, 96),
    ("FX 2 (soundtrack)", 36, 96),
    ("FX 3 (crystal)", 48, 108),
    ("FX 4 (atmosphere)", 36, 96),
    ("FX 5 (brightness)", 36, 96),
    ("FX 6 (goblins)", 36, 96),
    ("FX 7 (echoes)", 36, 96),
    ("FX 8 (sci-fi)", 36, 96),
    # Ethnic
    ("Sitar", 48, 77),
    ("Banjo", 48, 86),
    ("Shamisen", 50, 79),
    ("Koto", 43, 86),
    ("Kalimba", 48, 79),
    ("Bagpipe", 55, 81),
    ("Fiddle", 55, 88),
    ("Shanai", 60, 84),
    # Percussive
    ("Tinkle Bell", 72, 103),
    ("Agogo", 60, 84),
    ("Steel Drums", 52, 84),
    ("Woodblock", 60, 84),
    ("Taiko Drum", 36, 60),
    ("Melodic Tom", 36, 67),
    ("Synth Drum", 36, 72),
    ("Reverse Cymbal", 48, 72),
    # Sound effects
    ("Guitar Fret Noise", 40, 84),
    ("Breath Noise", 48, 84),
    ("Seashore", 48, 84),
    ("Bird Tweet", 60, 96),
    ("Telephone Ring", 60, 96),
    ("Helicopter", 36, 72),
    ("Applause", 48, 84),
    ("Gunshot", 36, 72),
)

#: Names of the 128 programs, in order.
GM_PROGRAMS = tuple(name for name, _, _ in _PROGRAMS)

#: Drum sounds by pitch, on the drum channel.
GM_DRUMS = {
    35: "Acoustic Bass Drum",
    36: "Bass Drum 1",
    37: "Side Stick",
    38: "Acoustic Snare",
    39: "Hand Clap",
    40: "Electric Snare",
    41: "Low Floor Tom",
    42: "Closed Hi-Hat",
    43: "High Floor Tom",
    44: "Pedal Hi-Hat",
    45: "Low Tom",
    46: "Open Hi-Hat",
    47: "Low-Mid Tom",
    48: "Hi-Mid Tom",
    49: "Crash Cymbal 1",
    50: "High Tom",
    51: "Ride Cymbal 1",
    52: "Chinese Cymbal",
    53: "Ride Bell",
    54: "Tambourine",
    55: "Splash Cymbal",
    56: "Cowbell",
    57: "Crash Cymbal 2",
    58: "Vibraslap",
    59: "Ride Cymbal 2",
    60: "Hi Bongo",
    61: "Low Bongo",
    62: "Mute Hi Conga",
    63: "Open Hi Conga",
    64: "Low Conga",
    65: "High Timbale",
    66: "Low Timbale",
    67: "High Agogo",
    68: "Low Agogo",
    69: "Cabasa",
    70: "Maracas",
    71: "Short Whistle",
    72: "Long Whistle",
    73: "Short Guiro",
    74: "Long Guiro",
    75: "Claves",
    76: "Hi Wood Block",
    77: "Low Wood Block",
    78: "Mute Cuica",
    79: "Open Cuica",
    80: "Mute Triangle",
    81: "Open Triangle",
}

#: Pieces of the kit as people name them, and the sounds each makes.
KIT_PIECES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "side stick": (37,),
    "clap": (39,),
    "hi-hat": (42, 44, 46),
    "toms": (41, 43, 45, 47, 48, 50),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
    "cymbals": (49, 51, 52, 53, 55, 57, 59),
    "tambourine": (54,),
    "cowbell": (56,),
    "bongos": (60, 61),
    "congas": (62, 63, 64),
    "timbales": (65, 66),
    "agogo": (67, 68),
    "shaker": (69, 70),
    "triangle": (80, 81),
}
# Other names of the same.
_PIECE_ALIASES = {
    "bass drum": "kick",
    "kick drum": "kick",
    "snare drum": "snare",
    "rimshot": "side stick",
    "hand clap": "clap",
    "hihat": "hi-hat",
    "hats": "hi-hat",
    "tom": "toms",
    "crash cymbal": "crash",
    "ride cymbal": "ride",
    "maracas": "shaker",
}

#: Programs that take the bass of an arrangement: basses, double bass, tuba.
BASSES = frozenset({*range(32, 40), 43, 58})

# Other names, each to a program; where a short name fits several, the commonest is meant.
_ALIASES = {
    0: "piano, grand piano, acoustic piano, grand, keys, keyboard, klavier, pno",
    1: "bright piano",
    3: "honky tonk, upright piano",
    4: "electric piano, rhodes, e piano, ep, epiano, fender rhodes",
    5: "fm piano, dx piano, dx7",
    6: "cembalo",
    7: "clav, clavi",
    9: "glock, bells",
    11: "vibes",
    14: "chimes",
    15: "hammered dulcimer, santur",
    16: "organ, hammond, hammond organ, b3, electric organ",
    19: "pipe organ, cathedral organ",
    20: "harmonium",
    22: "mouth harp, blues harp",
    23: "bandoneon",
    24: "guitar, nylon guitar, classical guitar, spanish guitar, gtr",
    25: "steel guitar, acoustic guitar, folk guitar, western guitar, 12 string guitar, mandolin",
    26: "jazz guitar",
    27: "electric guitar, clean guitar, e guitar",
    28: "muted guitar, palm mute",
    29: "overdrive guitar, rock guitar, lead guitar",
    30: "distorted guitar, metal guitar",
    32: "upright bass, jazz bass, string bass, walking bass",
    33: "bass, electric bass, bass guitar, finger bass, fingered bass, e bass",
    34: "pick bass, picked bass",
    36: "slap bass",
    38: "synth bass",
    40: "violins, solo violin, vln",
    41: "violas, vla",
    42: "violoncello, cellos, celli, vc",
    43: "double bass, doublebass, basses",
    45: "pizzicato, pizz",
    46: "harp",
    47: "timpani drums, kettledrum, kettledrums",
    48: "strings, string section, string ensemble, string orchestra, orchestra",
    49: "slow strings",
    50: "synth strings, synthstrings",
    52: "choir, vocals, voices, chorus, aahs, vocal, satb, singer",
    53: "voice, oohs, solo voice",
    54: "synth choir, synth vox",
    55: "hit, orch hit",
    56: "trumpets, cornet, flugelhorn, tpt",
    57: "trombones, tbn",
    60: "horn, horns, french horns",
    61: "brass, brass ensemble",
    62: "synth brass",
    64: "soprano saxophone",
    65: "sax, saxophone, alto saxophone",
    66: "tenor saxophone",
    67: "bari sax, baritone saxophone",
    68: "oboes",
    69: "cor anglais",
    70: "bassoons, fagott",
    71: "clarinets, bb clarinet",
    72: "piccolo flute",
    73: "flutes, concert flute",
    75: "panpipes, pan pipes",
    78: "tin whistle, penny whistle",
    80: "square lead, square wave, chiptune, 8 bit",
    81: "lead, synth lead, synth, synthesizer, saw lead, sawtooth, saw",
    88: "new age pad",
    89: "pad, synth pad, warm pad",
    90: "polysynth",
    91: "choir pad",
    108: "thumb piano, mbira",
    109: "bagpipes, pipes",
    111: "shehnai",
    114: "steel drum, steel pan, steelpan",
    116: "taiko",
    117: "toms",
}
#: Singers, who sound as General MIDI's choir, and what choirs ask of them.
_CHOIR = 52
_VOICES = {
    "soprano": (60, 81),
    "sopranos": (60, 81),
    "mezzo soprano": (57, 77),
    "mezzo": (57, 77),
    "alto": (55, 74),
    "altos": (55, 74),
    "contralto": (53, 72),
    "tenor": (48, 69),
    "tenors": (48, 69),
    "baritone": (43, 65),
    "bass voice": (40, 62),
    "bass singer": (40, 62),
}
#: Singers beside whom a bass is one too.
_WITH_BASS = {"alto", "altos", "contralto", "tenor", "tenors", "baritone"}
#: The number of one of several players: violin 1, 2nd violin, Violin II, flute 3.
_DESK = re.compile(
    r"(?:(?:1st|2nd|3rd|\dth|first|second|third|fourth) )?(?P<name>.*?)(?: (?:\d\d?|i{1,3}|iv))?"
)
#: Parts that are written in one call.
MOST_PARTS = 128
_DRUMS = "drums, drum kit, drumkit, drum set, drumset, kit, percussion, standard kit, drum"


@dataclass(frozen=True)
class Instrument:
    """What plays a part.

    Parameters
    ----------
    name
        Name in General MIDI.
    program
        0 to 127; 0 for drums.
    is_drum
        Whether the part is the drum kit.
    voice
        Lowest and highest pitch of a singer; None for all others.
    """

    name: str
    program: int = 0
    is_drum: bool = False
    voice: tuple[int, int] | None = None

    @property
    def reach(self) -> tuple[int, int]:
        """Lowest and highest pitch that it plays, or that a singer sings, with ease."""
        return self.voice or sounding_range(self.program)


def _plain(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))


_DRUM_KIT = Instrument("Drums", is_drum=True)
_BY_NAME: dict[str, Instrument] = {
    **{_plain(name): Instrument(name, i) for i, name in enumerate(GM_PROGRAMS)},
    **{
        alias: Instrument(GM_PROGRAMS[program], program)
        for program, aliases in _ALIASES.items()
        for alias in aliases.split(", ")
    },
    **dict.fromkeys(_DRUMS.split(", "), _DRUM_KIT),
    **{
        voice: Instrument(GM_PROGRAMS[_CHOIR], _CHOIR, voice=reach)
        for voice, reach in _VOICES.items()
    },
}


def parse_instrument(name: str | int) -> Instrument:
    """Return the instrument of a name or a program number.

    Parameters
    ----------
    name
        A General MIDI name, a common short name (case and punctuation do not matter), one of
        several such as "violin 2" or "Violin II", a singer such as "tenor", or a program number, 0
        to 127.

    Raises
    ------
    SymbolError
        The name is unknown; the message has the nearest ones.

    Examples
    --------
    >>> parse_instrument("nylon guitar")
    Instrument(name='Acoustic Guitar (nylon)', program=24, is_drum=False, voice=None)
    >>> parse_instrument(33).name, parse_instrument("drums").is_drum
    ('Electric Bass (finger)', True)
    """
    if not isinstance(name, str | Integral) or isinstance(name, bool):
        raise SymbolError(
            f"instrument {shown(name)} is not a name; for example 'piano', or a program number "
            "from 0 to 127"
        )
    if re.fullmatch(r"\s*[+-]?\d+\s*", str(name)):
        program = int(name)
        if 0 <= program < len(GM_PROGRAMS):
            return Instrument(GM_PROGRAMS[program], program)
        raise SymbolError(
            f"program {program} is outside 0 to 127; programs count from 0, and drum machines are "
            "'drums'"
        )
    plain = _plain(str(name))
    desk = _DESK.fullmatch(plain)
    for known in (plain, desk["name"] if desk else plain):
        if known in _BY_NAME:
            return _BY_NAME[known]
    near = difflib.get_close_matches(plain, _BY_NAME, n=3, cutoff=0.5)
    # A word in common says more than spelling: "wooden flute" is nearer to "flute" than to "wood".
    shared = [known for known in _BY_NAME if plain and set(plain.split()) & set(known.split())]
    names = ", ".join(repr(known) for known in dict.fromkeys([*near, *shared][:3]))
    hint = f"did you mean {names}?" if names else "see composer.score.instruments.GM_PROGRAMS"
    raise SymbolError(f"instrument {name!r} is unknown; {hint}")


def parse_instruments(names: Sequence[str | int]) -> list[Instrument]:
    """Return the instruments of the parts of a piece.

    Among altos, tenors and baritones a bass is a singer.

    Raises
    ------
    RequestError
        There are more than ``MOST_PARTS``.
    SymbolError
        A name is unknown.

    Examples
    --------
    >>> [player.name for player in parse_instruments(["soprano", "alto", "tenor", "bass"])]
    ['Choir Aahs', 'Choir Aahs', 'Choir Aahs', 'Choir Aahs']
    >>> [player.name for player in parse_instruments(["soprano", "piano", "bass"])]
    ['Choir Aahs', 'Acoustic Grand Piano', 'Electric Bass (finger)']
    """
    if len(names) > MOST_PARTS:
        raise RequestError(f"{len(names):,} instruments are more than {MOST_PARTS}; ask for fewer")
    sings = any(_plain(str(name)) in _WITH_BASS for name in names)
    return [
        _BY_NAME["bass voice"]
        if sings and _plain(str(name)) in ("bass", "basses")
        else parse_instrument(name)
        for name in names
    ]


def parse_piece(name: str) -> tuple[int, ...]:
    """Return the pitches of a piece of the drum kit.

    Parameters
    ----------
    name
        A common name, such as ``"kick"``, or one of General MIDI's sounds; case and punctuation do
        not matter.

    Raises
    ------
    SymbolError
        The name is unknown; the message has the nearest ones.

    Examples
    --------
    >>> parse_piece("hi-hat"), parse_piece("Closed Hi-Hat")
    ((42, 44, 46), (42,))
    """
    pieces: dict[str, tuple[int, ...]]
    pieces = {_plain(sound): (pitch,) for pitch, sound in GM_DRUMS.items()}
    pieces |= {_plain(piece): pitches for piece, pitches in KIT_PIECES.items()}
    pieces |= {_plain(alias): KIT_PIECES[piece] for alias, piece in _PIECE_ALIASES.items()}
    found = pieces.get(_plain(str(name)))
    if found is None:
        near = difflib.get_close_matches(_plain(str(name)), pieces, n=3, cutoff=0.5)
        names = ", ".join(map(repr, near or KIT_PIECES))
        hint = f"did you mean {names}?" if near else f"take one of {names}"
        raise SymbolError(f"drum {name!r} is unknown; {hint}")
    return found


def sounding_range(program: int) -> tuple[int, int]:
    """Return the lowest and highest pitch that a program plays with ease.

    Raises
    ------
    SymbolError
        The program is outside 0 to 127.

    Examples
    --------
    >>> sounding_range(73)
    (60, 96)
    """
    if not 0 <= program < len(_PROGRAMS):
        raise SymbolError(f"program {program} is outside 0 to 127; programs count from 0")
    return _PROGRAMS[program][1:]
