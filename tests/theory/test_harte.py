"""Labels of annotated collections ask for the tones that their syntax says."""

import re
from pathlib import Path

import pytest

from composer import SymbolError
from composer.theory.chord_names import suffix_tones
from composer.theory.chords import parse_chord, split_symbol
from composer.theory.harte import is_label, label_symbol

LABELS = (Path(__file__).parents[1] / "data/charts/billboard_labels.txt").read_text().split()

# Harte et al. 2005, table 1: the degrees that each shorthand stands for.
SHORTHANDS = {
    "maj": "1 3 5",
    "min": "1 b3 5",
    "dim": "1 b3 b5",
    "aug": "1 3 #5",
    "maj7": "1 3 5 7",
    "min7": "1 b3 5 b7",
    "7": "1 3 5 b7",
    "dim7": "1 b3 b5 bb7",
    "hdim7": "1 b3 b5 b7",
    "minmaj7": "1 b3 5 7",
    "maj6": "1 3 5 6",
    "min6": "1 b3 5 6",
    "9": "1 3 5 b7 9",
    "maj9": "1 3 5 7 9",
    "min9": "1 b3 5 b7 9",
    "sus4": "1 4 5",
    "sus2": "1 2 5",
    "11": "1 3 5 b7 9 11",
    "min11": "1 b3 5 b7 9 11",
    "maj11": "1 3 5 7 9 11",
    "13": "1 3 5 b7 9 13",
    "maj13": "1 3 5 7 9 13",
    "min13": "1 b3 5 b7 9 13",
    "5": "1 5",
    "1": "1",
}
STEPS = (0, 2, 4, 5, 7, 9, 11)


def semitones(degree):
    number = int(degree.lstrip("*#b"))
    return (STEPS[(number - 1) % 7] + degree.count("#") - degree.count("b")) % 12


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_the_billboard_charts_has_its_tones(label):
    kind, degrees, bass = re.fullmatch(r"([a-z0-9]*)(?:\((.*)\))?(?:/(.*))?", label).groups()
    said = SHORTHANDS[kind].split() + (degrees.split(",") if degrees else [])
    if degrees and re.search(r"[b#]5", degrees):
        said = [degree for degree in said if degree != "5"]
    symbol = label_symbol(f"C:{label}")
    root, suffix, _ = split_symbol(symbol)
    assert root == "C"
    assert suffix_tones(suffix) == {semitones(degree) for degree in said}
    if bass:
        low = parse_chord(symbol).bass
        assert (0 if low is None else low) == semitones(bass)


def test_labels_are_spelled_by_their_degrees():
    assert label_symbol("F#:min7/b3") == "F#m7/A"
    assert label_symbol("Db:maj/3") == "Db/F"
    assert label_symbol("Gb:min/b3") == "Gbm/A"
    assert label_symbol("A:sus4(*5)") == "Asus4(no5)"


def test_only_a_root_and_a_colon_make_a_label():
    assert is_label("C:maj")
    assert is_label("Bb:7")
    assert not is_label("Cmaj7")
    assert not is_label(":|")


@pytest.mark.parametrize("text", ["C:majj", "C:maj/x", "C:maj(y)", "H:maj"])
def test_an_unknown_label_is_refused(text):
    with pytest.raises(SymbolError, match="cannot be read; write a root, a colon and one of maj"):
        label_symbol(text)
