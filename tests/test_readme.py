"""The README's Python examples run, one after the other, as a reader would type them."""

import re
from pathlib import Path

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
