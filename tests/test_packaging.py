import ast
import importlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from shutil import copy, copytree, ignore_patterns

import pytest

import composer
from tests.tree import FOLDERS, MODULES, ROOT, is_type_checking

SHADOWING = {"token", "tokenize", "types", "random", "datasets"}
MAX_WHEEL_BYTES = 25_000_000


def python(code, *, cwd, path=None):
    """Return what a fresh interpreter prints."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_tokenizers_is_hugging_faces_from_the_root():
    assert (
        python("import tokenizers; print(tokenizers.Tokenizer.__module__)", cwd=ROOT)
        == "tokenizers"
    )
    assert importlib.util.find_spec("tokenizers").origin.endswith("__init__.py")


@pytest.mark.parametrize("folder", ["tokenizers", "training"])
def test_folders_at_the_root_are_no_packages_and_hide_nothing(folder):
    names = {file.stem for file in (ROOT / folder).rglob("*.py")}
    assert names
    assert not names & SHADOWING
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("name", composer.__all__)
def test_public_names_can_be_imported(name):
    assert getattr(composer, name) is not None


def test_public_names_are_the_same_for_python_and_type_checkers():
    tree = ast.parse(MODULES["composer"].read_text(encoding="utf-8"))
    (block,) = filter(is_type_checking, tree.body)
    froms = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: node.module for node in froms for alias in node.names}
    verbs = [ast.unparse(node.targets[0]) for node in block.body if isinstance(node, ast.Assign)]
    assert homes == composer._HOMES
    assert composer.__all__ == sorted([*homes, *verbs, "__version__"])


@pytest.mark.parametrize("module", ["composer.metrics", "composer.tokenizers", "composer.training"])
def test_public_faces_hold_what_they_name(module):
    face = importlib.import_module(module)
    assert face.__all__
    for name in face.__all__:
        assert hasattr(face, name)


@pytest.mark.parametrize("module", ["composer", "composer.tokenizers", "composer.training"])
def test_heavy_libraries_wait_until_they_are_needed(module):
    heavy = {"torch", "transformers", "tokenizers", "music21", "numba"}
    code = f"import sys, {module}; print({heavy} & {{*sys.modules}})"
    assert python(code, cwd=ROOT) == "set()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build a wheel from a copy: an old build folder would add modules that are gone."""
    source = tmp_path_factory.mktemp("source")
    for folder in FOLDERS:
        copytree(ROOT / folder, source / folder, ignore=ignore_patterns("__pycache__"))
    for file in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / file, source)
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.iterdir()
    return built


def test_a_wheel_holds_every_module_and_all_that_modules_read(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {"composer/py.typed"}
    for folder, package in FOLDERS.items():
        expected |= {
            f"{package.replace('.', '/')}/{file.relative_to(ROOT / folder).as_posix()}"
            for file in (ROOT / folder).rglob("*.py")
        }
    for folder in ("pretrained", "examples"):
        files = (ROOT / "composer" / folder).rglob("*")
        expected |= {file.relative_to(ROOT).as_posix() for file in files if file.is_file()}
    assert names == {name for name in expected if "__pycache__" not in name}


def test_a_wheel_has_the_version_of_the_package(wheel):
    assert wheel.name.startswith(f"composer_midi-{composer.__version__}-")


def test_a_wheel_is_small(wheel):
    assert wheel.stat().st_size < MAX_WHEEL_BYTES


def test_a_wheel_works_outside_the_checkout_and_without_torch(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = """
import sys
for name in ("torch", "transformers", "tokenizers", "accelerate", "music21"):
    sys.modules[name] = None
import pkgutil, composer, composer.tokenizers, composer.training
print(composer.__path__[0], *composer.tokenizers.__path__, *composer.training.__path__)
print(*sorted(m.name for m in pkgutil.walk_packages(composer.__path__, "composer.")))
print(composer.Score().bars)
"""
    paths, modules, bars = python(code, cwd=tmp_path, path=site).splitlines()
    folders = [site / name for name in ("composer", "composer/tokenizers", "composer/training")]
    assert paths == " ".join(map(str, folders))
    assert modules.split() == sorted(set(MODULES) - {"composer"})
    assert bars == "0"


def test_no_public_name_is_that_of_a_module():
    """Importing the module would put it in the name's place."""
    assert not [name for name in composer.__all__ if f"composer.{name}" in MODULES]
