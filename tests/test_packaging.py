import ast
import configparser
import graphlib
import importlib
import importlib.util
import itertools
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

import composer

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "composer": "composer",
    "tokenizers": "composer.tokenizers",
    "training": "composer.training",
}
SHADOWING = {"token", "tokenize", "types", "random", "datasets"}
MAX_WHEEL_BYTES = 25_000_000

# Whoever stands further left may not import, not even through others, who stands further right. A
# package stands for all its modules.
CHAINS = (
    ("errors", "calls", "events", "score", "meter", "midi", "interop"),
    ("errors", "calls", "values", "score"),
    ("score", "compiled", "smf", "midi"),
    ("compiled", "harmony.search", "harmony.inference"),
    ("compiled", "decoding.kernels", "decoding.packing", "decoding.cpu", "compose"),
    ("decoding.weights", "decoding.packing"),
    ("decoding.decoder", "decoding.cpu"),
    ("errors", "theory.symbols", "harmony.inference", "tokenizers"),
    ("score", "meter", "grid", "tokenizers", "decoding", "compose", "training", "cli"),
    ("errors", "constraints.pitch_rules", "decoding.request", "compose"),
    ("constraints.pitch_rules", "decoding.sampler"),
    (
        "constraints.where",
        "constraints.pitch_rules",
        "constraints.demands",
        "decoding.request",
        "decoding.bounds",
        "writing.scopes",
        "compose",
    ),
    ("constraints.where", "constraints.lines", "constraints.demands", "writing.scopes"),
    ("constraints.lines", "checking.lines", "checking.checker", "compose"),
    ("score", "checking.piece", "checking.lines"),
    ("checking.piece", "checking.players", "checking.checker"),
    (
        "decoding.line_kernels",
        "decoding.copied",
        "decoding.lines",
        "decoding.line_search",
        "decoding.bounds",
        "decoding.line_masks",
        "decoding.cell_rules",
    ),
    ("decoding.chord_choice", "decoding.by_chord", "decoding.bounds", "decoding.chord_masks"),
    ("decoding.cell_masks", "decoding.chord_masks", "decoding.line_masks"),
    ("decoding.cell_masks", "decoding.chord_masks", "decoding.leanings"),
    ("decoding.request", "decoding.groove", "decoding.leanings", "decoding.writer"),
    ("decoding.locks", "decoding.rooms", "decoding.by_chord"),
    ("checking.checker", "constraints.demands", "decoding"),
    (
        "instruments",
        "constraints.where",
        "constraints.playing",
        "constraints.grips",
        "constraints.demands",
        "decoding.hands",
        "decoding.bounds",
    ),
    (
        "constraints.where",
        "constraints.locked",
        "constraints.demands",
        "decoding.request",
        "decoding.locks",
        "decoding.bounds",
        "compose",
    ),
    ("constraints.demands", "writing.kept", "compose"),
    ("checking.players", "constraints.grips"),
    ("checking.players", "writing.kept"),
    ("checking.players", "checking.checker", "constraints.demands", "decoding"),
    ("score", "edits.changes", "edits.patch", "writing.settings", "writing.sheet", "compose"),
    ("score", "edits.tracks", "edits.patch"),
    ("grid", "edits.ticks", "edits.feel", "edits.cells", "writing.sheet"),
    ("edits.patch", "checking.checker", "checking.certificate", "compose"),
    (
        "metrics.columns",
        "metrics.measures",
        "constraints.pitch_rules",
        "constraints.demands",
        "decoding",
        "compose",
    ),
    ("tokenizers.shards", "tokenizers.token_corpus", "tokenizers.corpus", "training"),
    ("tokenizers.duplicates", "tokenizers.corpus"),
    ("tokenizers.workers", "tokenizers.corpus"),
    ("midi", "compose"),
    ("display", "cli"),
    (
        "theory.suffixes",
        "theory.chord_names",
        "theory.symbols",
        "theory.numerals",
        "theory.progression",
        "harmony.sources",
    ),
    ("theory.symbols", "theory.harte", "theory.progression"),
    ("theory.chart_form", "theory.progression"),
    ("score", "harmony.inference", "harmony.chord_track", "harmony.transposing"),
    ("harmony.sources", "harmony.lead_sheet", "harmony.chords_into"),
    ("harmony.chord_track", "harmony.chords_into"),
    ("theory.symbols", "theory.music21_chords", "interop"),
    ("writing.scopes", "writing.settings", "writing.sheet", "verbs", "compose", "shipped"),
    ("errors", "form.outline", "form.letters", "verbs"),
    ("form.outline", "decoding.request", "decoding.shape", "decoding.cell_rules"),
    ("constraints.pitch_rules", "decoding.suspensions", "decoding.cell_masks", "decoding.shape"),
    ("decoding", "best_of.ranking", "best_of.candidates", "writing.settings"),
    ("decoding", "best_of.together", "best_of.candidates", "writing.settings"),
)
# Its methods lead on to what is built on scores, and import that when they are called.
FRONT = "composer.score"


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


def module_files():
    """Return the modules of the library and the files they lie in."""
    files = {}
    for folder, package in FOLDERS.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            inner = file.relative_to(ROOT / folder).with_suffix("").parts
            inner = inner[:-1] if inner[-1] == "__init__" else inner
            files[".".join((package, *inner))] = file
    return files


MODULES = module_files()


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported_names(node):
    """Return the modules that a statement names, of this library only."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "this library has no relative imports"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in MODULES else node.module for name in names]
    else:
        return []
    return [name for name in names if name in MODULES]


def imports(module, *, lazy):
    """Return what a module imports when it is imported, or what its functions import later."""

    def visit(node, inside):
        if is_type_checking(node):
            return
        if inside == lazy:
            found.update(imported_names(node))
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    found = set()
    visit(ast.parse(MODULES[module].read_text(encoding="utf-8")), False)
    return found - {module}


IMPORTS = {module: imports(module, lazy=False) for module in MODULES}


def reached(module):
    """Return what is imported along with a module."""
    seen, todo = set(), [module]
    while todo:
        new = IMPORTS[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


def members(name):
    """Return a module, or all modules of a package."""
    full = f"composer.{name}"
    return {module for module in MODULES if module == full or module.startswith(f"{full}.")}


def wrong_way(pairs):
    """Return those of (importer, imported) that go against the chains."""
    against = set()
    for chain in CHAINS:
        for below, above in itertools.combinations(chain, 2):
            against |= set(itertools.product(members(below), members(above)))
    return sorted(set(pairs) & against)


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
    assert not names & (SHADOWING | {"__init__"})


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


@pytest.mark.parametrize(
    "module", ["composer.tokenizers", "composer.training", "composer.decoding"]
)
def test_public_faces_say_what_they_hold(module):
    face = importlib.import_module(module)
    for name in getattr(face, "__all__", ()):
        assert hasattr(face, name)


@pytest.mark.parametrize("module", ["composer", "composer.tokenizers", "composer.training"])
def test_heavy_libraries_wait_until_they_are_needed(module):
    heavy = {"torch", "transformers", "tokenizers", "music21", "numba"}
    code = f"import sys, {module}; print({heavy} & {{*sys.modules}})"
    assert python(code, cwd=ROOT) == "set()"


def test_every_chain_names_modules_that_exist():
    names = {name for chain in CHAINS for name in chain}
    assert not [name for name in names if not members(name)]


def test_imports_point_one_way():
    assert not wrong_way((module, other) for module in MODULES for other in reached(module))


def test_imports_inside_functions_point_one_way_too():
    pairs = [(m, other) for m in MODULES if m != FRONT for other in imports(m, lazy=True)]
    assert not wrong_way(pairs)


def test_nothing_imports_the_command_line():
    everywhere = {m: IMPORTS[m] | imports(m, lazy=True) for m in MODULES}
    assert not [
        m for m, names in everywhere.items() if "composer.cli" in names and "__main__" not in m
    ]


def test_no_module_imports_itself_through_others():
    assert not [module for module in MODULES if module in reached(module)]


def test_no_folder_of_the_library_imports_itself_through_others():
    """So its folders can be read one after the other; a module on top counts as one."""
    needs = {}
    for module in set(MODULES) - {"composer"}:
        others = IMPORTS[module] | (set() if module == FRONT else imports(module, lazy=True))
        folders = {other.split(".")[1] for other in others - {"composer"}}
        own = module.split(".")[1]
        needs.setdefault(own, set()).update(folders - {own})
    graphlib.TopologicalSorter(needs).prepare()  # raises with the circle that it finds


def test_the_version_is_said_once():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == composer.__version__


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
