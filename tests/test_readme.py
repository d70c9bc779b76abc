"""What the README shows runs, one thing after the other, as a reader would type it."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from composer import Score
from composer.cli import main

pytestmark = pytest.mark.slow

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_run_in_order(tmp_path, monkeypatch):
    examples = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in examples:
        exec(compile(example, str(README), "exec"), names)
    assert len(examples) >= 2
    assert [track.name for track in names["score"].tracks][1:] == [
        "Piano",
        "Bass",
        "Drums",
        "Strings",
    ]
    assert (tmp_path / "song.mid").is_file()
    assert (tmp_path / "song.musicxml").is_file()


def test_the_commands_run_in_order(tmp_path, monkeypatch):
    (block,) = re.findall(r"^```sh\n(composer melody .*?)^```", README.read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "composer"
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, (line, done.output)
    assert Score.read(tmp_path / "longer.mid").bars == Score.read(tmp_path / "song.mid").bars + 4
