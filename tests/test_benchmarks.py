"""The benchmarks can be run: what each takes is said without running it."""

import subprocess
import sys

import pytest

from benchmarks.run import SCRIPTS
from tests.tree import ROOT

pytestmark = pytest.mark.slow


def test_the_runner_knows_every_script_that_prints_figures():
    helpers = {"run", "compare", "machine", "decoding_peers", "example_pieces", "examples"}
    assert {file.stem for file in (ROOT / "benchmarks").glob("*.py")} == {*SCRIPTS} | helpers


@pytest.mark.parametrize("name", [*SCRIPTS, "run", "compare", "examples"])
def test_a_script_says_what_it_takes(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout


def test_an_unknown_script_is_refused_with_the_names_of_all():
    command = [sys.executable, "-m", "benchmarks.run", "tokenizers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "'tokenizers' is not a script; name some of tokenizing, report" in done.stderr
