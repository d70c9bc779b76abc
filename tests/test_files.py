"""Files are written whole or not at all, into what is there, and read after a look."""

import os
import stat
import subprocess
import sys
import threading

import pytest

import composer
from composer import MidiError, ModelError, Score
from composer.tokenizers import REMI, Cells, load
from tests.tree import ROOT

TUNE = composer.example("shenandoah")


def leftovers(folder):
    return [name for name in os.listdir(folder) if name.endswith((".tmp", ".part"))]


def test_a_link_is_followed_and_stays_one(tmp_path):
    real, link = tmp_path / "real.mid", tmp_path / "link.mid"
    real.write_bytes(b"old")
    link.symlink_to(real)
    TUNE.write(link)
    assert link.is_symlink()
    assert Score.read(real) == TUNE
    assert not leftovers(tmp_path)


def test_a_link_to_nothing_yet_makes_what_it_leads_to(tmp_path):
    link = tmp_path / "link.mid"
    link.symlink_to(tmp_path / "new.mid")
    TUNE.write(link)
    assert link.is_symlink()
    assert Score.read(tmp_path / "new.mid") == TUNE


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    path.chmod(mode)
    TUNE.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    folder = tmp_path / "model"
    REMI().save_pretrained(folder)
    (folder / "composer.json").chmod(mode)
    REMI().save(str(folder))
    assert stat.S_IMODE((folder / "composer.json").stat().st_mode) == mode


def test_a_pipe_and_a_device_are_written_into_and_stay(tmp_path):
    pipe, found = tmp_path / "pipe.mid", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    TUNE.write(pipe)
    reader.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert Score.read(found[0]) == TUNE
    TUNE.write(os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("folder", "it is a folder; name a file in it"),
        ("nowhere/song.mid", "make the folder .*nowhere first"),
        ("a\0b.mid", "cannot be written: .*; choose another path"),
        ("x" * 300 + ".mid", "cannot be written: .*; choose another path"),
        ("loop.mid", "cannot be written: .*; choose another path"),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path, path, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop.mid").symlink_to(tmp_path / "loop.mid")
    with pytest.raises(MidiError, match=words):
        TUNE.write(os.path.join(tmp_path, path))
    assert not leftovers(tmp_path)


def test_a_full_disk_leaves_the_old_file():
    if not os.path.exists("/dev/full"):
        pytest.skip("the system has no /dev/full")
    with pytest.raises(MidiError, match="/dev/full cannot be written: No space left on device"):
        TUNE.write("/dev/full")


@pytest.mark.parametrize("ending", [".musicxml", ".wav", ".TXT", ".pdf", ".json"])
def test_midi_is_not_written_under_the_name_of_something_else(tmp_path, ending):
    with pytest.raises(MidiError, match=f"ends in {ending.lower()}, and this writes MIDI"):
        TUNE.write(tmp_path / f"tune{ending}")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["tune.mid", "tune.MIDI", "tune.kar", "tune", "op. 5"])
def test_other_names_are_as_good_as_mid(tmp_path, name):
    TUNE.write(tmp_path / name)
    assert Score.read(tmp_path / name) == TUNE


def test_what_is_no_regular_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    sparse = tmp_path / "sparse.mid"
    with sparse.open("wb") as file:
        file.truncate(3_000_000_000)
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(MidiError, match="is not a regular file but a pipe or a device"):
            Score.read(path)
    with pytest.raises(MidiError, match="has 3,000 MB, more than the 256 MB"):
        Score.read(sparse)
    with open("/dev/zero", "rb") as endless, pytest.raises(MidiError, match="more than 256 MB"):
        Score.read(endless)


def test_closed_and_text_files_are_said(tmp_path):
    path = tmp_path / "tune.mid"
    TUNE.write(path)
    with path.open("rb") as file:
        pass
    with pytest.raises(MidiError, match=r"cannot be read: .*closed file"):
        Score.read(file)
    with path.open(encoding="latin-1") as text, pytest.raises(MidiError, match="open as text"):
        Score.read(text)
    with (
        (tmp_path / "new.mid").open("wb") as file,
        pytest.raises(MidiError, match="cannot be read"),
    ):
        Score.read(file)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "composer.json"])
def test_a_model_folder_with_a_pipe_or_a_device_is_refused(model_folder, tmp_path, name):
    for make in (os.mkfifo, lambda path: os.symlink("/dev/zero", path)):
        folder = tmp_path / make.__name__.strip("<>")
        folder.mkdir()
        for file in ("config.json", "model.safetensors", "composer.json"):
            if file == name:
                make(folder / file)
            else:
                (folder / file).symlink_to(model_folder / file)
        with pytest.raises(ModelError, match=f"{name} is not a regular file"):
            composer.load(folder)


def test_tokenizers_take_paths_as_text(tmp_path):
    Cells().save(str(tmp_path))
    assert Cells.load(str(tmp_path)).vocabulary == load(tmp_path).vocabulary
    with pytest.raises(ModelError, match=r"composer.json cannot be written: make the folder"):
        REMI().save(str(tmp_path / "nowhere"))


def test_the_command_writes_to_standard_output():
    code = "from composer.cli import main; main()"
    command = [sys.executable, "-c", code, "melody", "C G", "--seed", "1", "-o", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert Score.read(done.stdout).bars == 2
    assert b"chords: C G" in done.stderr
    assert not (ROOT / "-").exists()


@pytest.mark.slow
def test_compiled_code_that_was_cut_short_is_compiled_anew(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    code = "import composer; print(composer.example('shenandoah').bars)"
    command = [sys.executable, "-c", code]
    first = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert first.stdout == "21\n", first.stderr
    kept = [file for file in tmp_path.rglob("*") if file.suffix in (".nbi", ".nbc")]
    assert kept
    for size in (0, 5, 100):
        for file in kept:
            if file.exists():
                file.write_bytes(file.read_bytes()[:size])
        again = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert again.stdout == "21\n", again.stderr
