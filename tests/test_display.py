import builtins
import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from composer.display import piano_roll
from composer.errors import RequestError
from composer.score.events import Text
from composer.score.score import Score, Track

QUARTERS = [(480 * i, 480, 60 + i % 5, 40 + i) for i in range(32)]  # 8 bars of 4/4
FLUTE = Track("Flute", 73, notes=QUARTERS)
DRUMS = Track("Kit", is_drum=True, notes=[(0, 10, 36, 100), (480, 10, 38, 90), (960, 10, 22, 80)])
CHORDS = (Text(0, "C"), Text(1920, "Am7"), Text(3840, "F/A"), Text(9600, "N.C."))


def rectangles(axes):
    return axes.collections[-1].get_paths()


def texts(axes):
    return [text.get_text() for text in axes.texts]


def row_labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def bar_numbers(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def corners(axes):
    return np.array([path.vertices for path in rectangles(axes)])


def test_each_part_has_a_panel_and_each_note_a_rectangle():
    figure = piano_roll(Score(tracks=(FLUTE, Track("Silent"), DRUMS)))
    assert isinstance(figure, Figure)
    assert [len(rectangles(axes)) for axes in figure.axes] == [32, 3]


def test_a_rectangle_lies_where_its_note_sounds():
    box = corners(piano_roll(Score(tracks=(FLUTE,))).axes[0])[3]
    assert (box[:, 0].min(), box[:, 0].max()) == (3 * 480, 4 * 480)
    assert box[:, 1].min() < 63 < box[:, 1].max()


def test_louder_notes_are_darker():
    faces = piano_roll(Score(tracks=(FLUTE,))).axes[0].collections[-1].get_facecolor()
    assert (np.diff(faces[:, :3].sum(axis=1)) < 0).all()


@pytest.mark.parametrize(("bars", "notes"), [("1-8", 32), ((3, 4), 8), ("8", 4), ("7-8", 8)])
def test_only_the_notes_of_the_bars_asked_for_are_drawn(bars, notes):
    axes = piano_roll(Score(tracks=(FLUTE,)), bars=bars).axes[0]
    assert len(rectangles(axes)) == notes
    left, right = axes.get_xlim()
    assert (right - left) / 1920 == notes / 4


def test_a_note_that_sounds_on_into_the_first_bar_is_drawn():
    held = Track("Pad", notes=[(0, 1920, 60, 90), (0, 1921, 64, 90), (1920, 0, 67, 90)])
    assert len(rectangles(piano_roll(Score(tracks=(held,)), bars="2").axes[0])) == 2


def test_notes_without_length_can_be_seen():
    clicks = Track("Clicks", notes=[(0, 0, 60, 90), (480, 0, 60, 90)])
    boxes = corners(piano_roll(Score(tracks=(clicks,))).axes[0])
    assert (np.ptp(boxes[:, :, 0], axis=1) > 0).all()


def test_bars_are_numbered_from_one_through_changes_of_meter():
    score = Score(tracks=(FLUTE,), time_signatures=[(0, 3, 4), (2880, 4, 4)])
    axes = piano_roll(score, bars="2-4").axes[0]
    assert bar_numbers(axes) == ["2", "3", "4"]
    assert axes.get_xticks().tolist() == [1440, 2880, 4800]


def test_bar_numbers_thin_out_where_bars_are_many():
    long = Track("Long", notes=[(0, 1920 * 400, 60, 90)])
    axes = piano_roll(Score(tracks=(long,)), bars="4-400").axes[0]
    numbers = [int(number) for number in bar_numbers(axes)]
    assert numbers[0] == 17
    assert set(np.diff(numbers)) == {16}


def test_only_the_last_panel_has_bar_numbers():
    first, last = piano_roll(Score(tracks=(FLUTE, DRUMS))).axes
    assert not bar_numbers(first)
    assert bar_numbers(last)[0] == "1"


def test_pitches_are_named_and_drums_by_their_piece():
    flute, drums = piano_roll(Score(tracks=(FLUTE, DRUMS))).axes
    assert "C4" in row_labels(flute)
    assert row_labels(drums) == ["note 22", "Bass Drum 1", "Acoustic Snare"]


def test_part_and_instrument_are_named():
    tracks = (FLUTE, Track("Lead", 73, notes=QUARTERS), Track("", 73, notes=QUARTERS))
    figure = piano_roll(Score(tracks=tracks))
    named = [[text for text in texts(axes) if text] for axes in figure.axes]
    assert named == [["Flute"], ["Lead", "Flute"], ["Flute"]]


def test_a_name_with_dollar_signs_is_no_formula():
    figure = piano_roll(Score(tracks=(FLUTE.replace(name="$\\frac$"),), chords=[(0, "$^$")]))
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_long_names_are_cut():
    figure = piano_roll(Score(tracks=(FLUTE.replace(name="x" * 200),)))
    assert texts(figure.axes[0])[0] == "x" * 21 + "…"


def test_a_name_of_several_lines_is_written_on_one():
    figure = piano_roll(Score(tracks=(FLUTE.replace(name="Solo\n 2"),)))
    assert texts(figure.axes[0])[0] == "Solo 2"


def test_chord_symbols_stand_over_the_first_panel():
    first, second = piano_roll(Score(tracks=(FLUTE, DRUMS), chords=CHORDS)).axes
    assert texts(first)[-4:] == ["C", "Am7", "F/A", "N.C."]
    assert not set(texts(second)) & {"C", "Am7", "F/A"}


def test_the_chord_that_holds_is_said_where_a_cut_begins():
    axes = piano_roll(Score(tracks=(FLUTE,), chords=CHORDS), bars="4-5").axes[0]
    chord = axes.texts[-1]
    assert (chord.get_text(), chord.xy[0]) == ("F/A", 3 * 1920)


def test_chord_symbols_do_not_overlap():
    chords = [(120 * i, "Bbm7b5/Ab") for i in range(128)]
    figure = piano_roll(Score(tracks=(FLUTE,), chords=chords))
    figure.canvas.draw()
    drawn = [text for text in figure.axes[0].texts if text.get_text() == "Bbm7b5/Ab"]
    boxes = [text.get_window_extent() for text in drawn]
    assert 2 < len(boxes) < 128
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_names_and_row_labels_stay_inside_the_figure_and_apart():
    kit = DRUMS.replace(
        name="A kit with a long name", notes=[(0, 10, p, 90) for p in range(20, 90)]
    )
    figure = piano_roll(Score(tracks=(kit,)))
    figure.canvas.draw()
    names = [text.get_window_extent() for text in figure.axes[0].texts]
    labels = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert min(box.x0 for box in names) >= 0
    assert max(box.x1 for box in names) <= min(box.x0 for box in labels)
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(labels))


def test_chords_alone_can_be_drawn():
    figure = piano_roll(Score(chords=CHORDS))
    assert texts(figure.axes[0])[-4:] == ["C", "Am7", "F/A", "N.C."]
    assert figure.axes[0].get_xlim() == (0, 6 * 1920)


def test_silent_parts_of_a_range_keep_a_thin_panel():
    late = Track("Late", notes=[(1920 * 6, 480, 60, 90)])
    flute, silent = piano_roll(Score(tracks=(FLUTE, late)), bars="1-2").axes
    assert len(rectangles(silent)) == 0
    assert silent.get_position().height < flute.get_position().height / 2


def test_the_width_can_be_chosen():
    figure = piano_roll(Score(tracks=(FLUTE,)), width_inches=3)
    width = figure.axes[0].get_position().width * figure.get_size_inches()[0]
    assert width == pytest.approx(3)


@pytest.mark.parametrize("bars", ["9", (4, 3), (0, 4), "first"])
def test_bars_that_are_not_there_are_refused(bars):
    with pytest.raises(RequestError, match=r"bars? "):
        piano_roll(Score(tracks=(FLUTE,)), bars=bars)


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf")])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(RequestError, match="positive number of inches"):
        piano_roll(Score(tracks=(FLUTE,)), width_inches=width)


def test_an_empty_score_is_refused():
    with pytest.raises(RequestError, match="no notes and no chords"):
        piano_roll(Score())


def test_a_notebook_shows_the_figure_without_pyplot():
    assert piano_roll(Score(tracks=(FLUTE,)))._repr_png_().startswith(b"\x89PNG")


def test_without_matplotlib_the_message_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(ImportError, match=r"composer-midi\[plot\]"):
        piano_roll(Score(tracks=(FLUTE,)))
