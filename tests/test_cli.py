"""The command line writes files that open, or says in one line why it does not."""

import json
import re
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

import composer
from composer import Score
from composer.cli import main

COMMANDS = sorted(main.commands)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder; returns what click does."""
    monkeypatch.chdir(tmp_path)
    composer.example("Drunken Sailor").write("tune.mid")
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


def files(folder):
    return {path.name for path in folder.iterdir()} - {"tune.mid"}


def check_error(result, *words):
    """The command failed with one line that holds these words."""
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.output
    for word in words:
        assert word in errors[0]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_an_example_and_says_what_options_are(run, command, option):
    result = run(command, option)
    assert result.exit_code == 0
    assert re.search(rf"Example: composer {command}\b", result.output)


def test_the_commands_and_the_version(run):
    assert COMMANDS == [
        "arrange",
        "chords",
        "demo",
        "extend",
        "harmonize",
        "infill",
        "melody",
        "reduce",
        "tokenize",
        "train",
        "vary",
    ]
    assert composer.__version__ in run("--version").output
    assert "Example:" in run("--help").output


def test_melody(run, tmp_path, model_folder):
    arguments = ("melody", "Am F", "--bars", 3, "--part", "violin", "--range", "C4-C6", "--seed", 1)
    result = run(*arguments, "--model", model_folder, "-o", "new.mid")
    assert result.exit_code == 0, result.output
    assert files(tmp_path) == {"new.mid"}
    tune = Score.read("new.mid")
    assert (tune.bars, tune.tracks[0].name, len(tune.chords)) == (3, "Violin", 3)
    assert "new.mid: Score(3 bars" in result.output
    assert "chords: Am F Am" in result.output


def test_aims_are_numbers_or_words(run, model_folder):
    chosen = ("melody", "Am F", "--seed", 1, "--model", model_folder)
    aimed = ("--density", "busy", "--register", 84, "--guidance", 2, "-o", "aimed.mid")
    assert run(*chosen, *aimed).exit_code == 0
    model = composer.load(model_folder)
    same = model.melody("Am F", seed=1, density="busy", register=84, guidance=2)
    assert Score.read("aimed.mid").tracks == same.tracks
    check_error(run(*chosen, "--density", "bussy"), "density 'bussy' is unknown")


def test_a_form_and_the_best_of_some(run, model_folder):
    chosen = ("melody", "C G", "--form", "ABA", "-n", 2, "--seed", 1, "--model", model_folder)
    assert run(*chosen, "-o", "formed.mid").exit_code == 0
    same = composer.load(model_folder).melody("C G", form="ABA", n=2, seed=1)
    assert Score.read("formed.mid").tracks == same.tracks
    check_error(run("melody", "C G", "--form", "A9B", "--model", model_folder), "form")


def test_chords_and_harmonize(run, tmp_path, model_folder):
    result = run("harmonize", "tune.mid", "--model", model_folder, "--seed", 1)
    assert result.exit_code == 0, result.output
    assert files(tmp_path) == {"harmonized.mid"}
    arguments = ("harmonize", "tune.mid", "--model", model_folder, "--chords-per-bar", 2)
    assert run(*arguments, "-o", "more.mid").exit_code == 0
    assert len(Score.read("more.mid").chords) > len(Score.read("tune.mid").chords)
    assert [track.name for track in Score.read("harmonized.mid").tracks][1:] == ["Chords"]
    run("chords", "--key", "D minor", "--bars", 2, "--model", model_folder, "-o", "free.mid")
    assert Score.read("free.mid").bars == 2


def test_arrange_and_infill(run, tmp_path, model_folder):
    result = run("arrange", "tune.mid", "--instruments", "piano, bass", "--model", model_folder)
    assert result.exit_code == 0, result.output
    song = Score.read("arrangement.mid")
    assert [track.name for track in song.tracks][1:] == ["Piano", "Bass"]
    chosen = ("--bars", "2-3", "--parts", "piano", "--model", model_folder)
    result = run("infill", "arrangement.mid", *chosen)
    assert result.exit_code == 0, result.output
    new = Score.read("infilled.mid")
    assert new.tracks[0] == song.tracks[0]
    assert new.tracks[1] != song.tracks[1]
    assert new.tracks[2] == song.tracks[2]
    assert files(tmp_path) == {"arrangement.mid", "infilled.mid"}


def test_arrange_keeps_the_tracks_named(run, model_folder):
    run("arrange", "tune.mid", "--instruments", "piano", "--model", model_folder, "-o", "a.mid")
    more = ("--instruments", "bass", "--keep", "2", "--chords", "Dm C", "--model", model_folder)
    assert run("arrange", "a.mid", *more, "-o", "b.mid").exit_code == 0
    assert [track.name for track in Score.read("b.mid").tracks] == ["Piano", "Bass"]


def test_extend_vary_and_reduce(run, tmp_path, model_folder):
    tune, chosen = Score.read("tune.mid"), ("--model", model_folder, "--seed", 1)
    assert run("extend", "tune.mid", "--bars", 3, "--notes", "2-3", *chosen).exit_code == 0
    longer = Score.read("extended.mid")
    assert longer.bars == tune.bars + 3
    new = longer.tracks[0].notes[len(tune.tracks[0].notes) :]
    bars, _ = longer.meter.bar_and_position(new["onset"])
    assert {*np.bincount(bars)[-3:].tolist()} <= {2, 3}
    assert run("vary", "extended.mid", "--amount", 0.5, "--bars", "1-4", *chosen).exit_code == 0
    varied = Score.read("varied.mid").tracks[0].notes
    assert varied[varied["onset"] > 5 * 1920].tolist()[-9:] == longer.tracks[0].notes[-9:].tolist()
    assert run("reduce", "tune.mid").exit_code == 0
    assert [track.name for track in Score.read("reduced.mid").tracks] == ["Right hand", "Left hand"]
    assert files(tmp_path) == {"extended.mid", "varied.mid", "reduced.mid"}


@pytest.mark.parametrize("verb", [("infill",), ("vary", "--amount", 1)])
def test_pieces_of_the_kit_are_named_behind_their_part(run, model_folder, verb):
    chosen = ("--model", model_folder, "--seed", 1, "-o")
    run("arrange", "tune.mid", "--instruments", "piano,drums", *chosen, "song.mid")
    song, model = Score.read("song.mid"), composer.load(model_folder)
    verb, *amount = verb
    bars = (verb, "song.mid", *amount, "--bars", "1-4")
    assert run(*bars, "--parts", "piano, drums=toms,ride", *chosen, "new.mid").exit_code == 0
    parts = {"piano": None, "drums": ["toms", "ride"]}
    same = getattr(model, verb)(song, *amount[1:], bars="1-4", parts=parts, seed=1)
    assert Score.read("new.mid").tracks == same.tracks
    assert same.tracks[2] != song.tracks[2]
    apart = ("--parts", "piano", "--parts", "drums=toms,ride")
    assert run(*bars, *apart, *chosen, "other.mid").exit_code == 0
    assert Score.read("other.mid").tracks == same.tracks


def test_infill_takes_cells(run, model_folder):
    command = ("infill", "tune.mid", "--cells", "1=2-3", "--cells", "chords=4", "--seed", 1)
    assert run(*command, "--model", model_folder, "-o", "new.mid").exit_code == 0
    new, tune = Score.read("new.mid"), Score.read("tune.mid")
    assert new.chords != tune.chords
    start, end = (int(tune.meter.bar_start(bar)) for bar in (1, 3))
    outside = []
    for score in (new, tune):
        onset = score.tracks[0].notes["onset"]
        outside.append(score.tracks[0].notes[(onset < start) | (onset >= end)].tolist())
    assert outside[0] == outside[1]
    assert new.tracks != tune.tracks


@pytest.mark.parametrize(
    ("format_", "first"), [("cells", "BOS"), ("remi", "BOS"), ("remi+", "BOS")]
)
def test_tokenize(run, format_, first):
    result = run("tokenize", "tune.mid", "--format", format_)
    assert result.output.split()[0] == first
    ids = json.loads(run("tokenize", "tune.mid", "--format", format_, "--ids").output)
    assert len(ids) == len(result.output.split())


def test_tokenize_a_folder(run, tmp_path):
    (tmp_path / "songs").mkdir()
    for i in range(3):
        composer.example("Drunken Sailor").write(f"songs/{i}.mid")
    (tmp_path / "songs" / "broken.mid").write_bytes(b"no MIDI")
    command = ("tokenize", "songs", "--format", "remi+", "-o", "tokens", "--workers", 2)
    for _ in range(2):
        result = run(*command)
        assert result.exit_code == 0, result.output
        assert "TokenCorpus(pieces=3, " in result.output
        assert "duplicates=1 groups, refused=1, quarantined=0)" in result.output
        assert "report.json" in result.output
    check_error(run("tokenize", "songs"), "songs is a folder", "--out")
    check_error(run("tokenize", "tune.mid", "-o", "tokens"), "tune.mid is not a folder")
    check_error(run("tokenize", "songs", "-o", "new", "--ids"), "--ids")
    check_error(run("tokenize", "songs", "-o", "new", "--workers", 0), "workers 0")
    check_error(run("tokenize", "songs", "-o", "tokens"), "format remi+, not cells")
    check_error(run("tokenize", "tokens", "-o", "new"), "holds no file that ends in")
    assert files(tmp_path) == {"songs", "tokens"}


def test_demo(run, tmp_path, model_folder, monkeypatch):
    monkeypatch.setattr("composer.model.model.PRETRAINED", model_folder)
    result = run("demo", "-o", "here")
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "here") == {"melody.mid", "chords.mid", "arrangement.mid"}
    song = Score.read("here/arrangement.mid")
    assert [track.name for track in song.tracks] == ["Flute", "Piano", "Bass", "Drums", "Strings"]


ERRORS = [
    (("melody", "Am Qx"), ["Qx"]),
    (("melody", "Am", "--key", "H"), ["key 'H'"]),
    (("melody", "Am", "--seed", -1), ["seed -1"]),
    (("melody", "Am", "--temperature", 9), ["temperature 9"]),
    (("melody", "Am", "--bars", 0), ["bars 0"]),
    (("melody", "Am", "--bars", "many"), ["'many' is not a valid integer"]),
    (("harmonize", "missing.mid"), ["missing.mid"]),
    (("harmonize", "notes.txt"), ["notes.txt"]),
    (("arrange", "tune.mid", "--instruments", ""), ["instruments is empty"]),
    (("arrange", "tune.mid", "--instruments", "wooden thing"), ["wooden thing"]),
    (("arrange", "tune.mid", "--keep", "tuba"), ["no track 'tuba'"]),
    (("infill", "tune.mid", "--bars", "900-901"), ["bars 900 to 901"]),
    (("infill", "tune.mid"), ["infill takes bars or cells, and neither is given"]),
    (("infill", "tune.mid", "--cells", "piano"), ["--cells piano cannot be read"]),
    (("infill", "tune.mid", "--bars", "1", "--cells", "1=2"), ["both are given"]),
    (("melody", "Am", "--notes", "few"), ["--notes few cannot be read"]),
    (("melody", "Am", "--notes", "6-2"), ["notes (6, 2)"]),
    (("extend", "tune.mid", "--bars", 0), ["bars 0 is outside 1 to 1000"]),
    (("infill", "tune.mid", "--cells", "1=2", "--cells", "1=4"), ["--cells names 1 twice"]),
    (("infill", "tune.mid", "--bars", 1, "--parts", "1=kick"), ["pieces of the kit for"]),
    (("vary", "tune.mid", "--parts", "1=a", "--parts", "1=b"), ["--parts names 1 twice"]),
    (("vary", "tune.mid", "--amount", 2), ["amount 2.0"]),
    (("harmonize", "tune.mid", "--chords-per-bar", 9), ["chords_per_bar 9"]),
]


@pytest.mark.parametrize(
    ("arguments", "words"), ERRORS, ids=lambda value: " ".join(map(str, value))
)
def test_errors_are_one_line_and_leave_no_file(run, tmp_path, model_folder, arguments, words):
    (tmp_path / "notes.txt").write_text("not music")
    check_error(run(*arguments, "--model", model_folder, "-o", "out.mid"), *words)
    assert files(tmp_path) == {"notes.txt"}


def test_a_missing_output_folder_is_said_before_the_work(run, tmp_path):
    check_error(run("melody", "Am", "--model", "nowhere", "-o", "no/out.mid"), "no folder no")
    check_error(
        run("melody", "Am", "--model", "nowhere", "-o", "out.mid"), "nowhere is not a folder"
    )
    assert not files(tmp_path)


@pytest.mark.parametrize("command", ["tokenize", "harmonize", "arrange"])
def test_an_input_that_is_missing(run, command):
    check_error(run(command, "missing.mid"), "missing.mid")


def test_a_place_that_cannot_be_written(run, tmp_path):
    (tmp_path / "taken").write_text("a file")
    check_error(run("demo", "-o", "taken"), "taken")
    check_error(run("demo", "-o", "taken/inside"), "taken")
    (tmp_path / "folder").mkdir()
    check_error(run("melody", "Am", "-o", "folder"), "folder")


def test_warnings_are_one_line(run, tmp_path, model_folder):
    tune = composer.example("Drunken Sailor")
    tune.replace(chords=[composer.Text(0, "what?")]).write("odd.mid")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = run("infill", "odd.mid", "--bars", "1", "--model", model_folder)
    assert result.exit_code == 0
    said = [line for line in result.output.splitlines() if line.startswith("Warning: ")]
    assert len(said) == 1
    assert "what?" in said[0]


def test_training_without_its_extra_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "composer.training", None)
    check_error(run("train", "songs"), "composer-midi[train]")
