"""The order of the tree: who may import whom."""

import graphlib

import pytest

from tests.tree import IMPORTS, MODULES, imports

# From the bottom up: each imports only from those before it and from its own folder.
LAYERS = """
errors _version _files _calls _jit theory score form controls smf midi interop harmony tokenizers
constraints model request feasibility masks generate edits checking best_of display metrics
example_tunes planning verbs api shipped training cli
""".split()
# The methods of ``Score`` lead on to what is built on scores, and import it when they are called.
DOORS = {
    ("composer.score.score", "composer.checking.certificate"),
    ("composer.score.score", "composer.display"),
    ("composer.score.score", "composer.edits.patch"),
    ("composer.score.score", "composer.harmony.transpose"),
    ("composer.score.score", "composer.harmony.with_chords"),
    ("composer.score.score", "composer.midi"),
}
# Witnesses share no code with what they judge, not even through others.
NEVER = {
    ("checking", "feasibility"),
    ("checking", "masks"),
    ("checking", "generate"),
    ("checking", "constraints.cell"),
    ("metrics", "feasibility"),
    ("metrics", "masks"),
    ("metrics", "generate"),
    ("metrics", "constraints"),
}
LATE = {module: imports(module, lazy=True) for module in MODULES}


def layer(module):
    return LAYERS.index(module.split(".")[1])


def within(module, name):
    return f"{module}.".startswith(f"composer.{name}.")


def reached(module):
    """Return what is imported along with a module, at its top or when its functions are called."""
    seen, todo = set(), [module]
    while todo:
        now = todo.pop()
        new = {m for m in IMPORTS[now] | LATE[now] if (now, m) not in DOORS} - seen
        seen |= new
        todo += new
    return seen


def test_each_layer_is_there():
    assert {module.split(".")[1] for module in set(MODULES) - {"composer"}} == set(LAYERS)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"composer"}))
def test_imports_point_down(module):
    up = {m for m in IMPORTS[module] if layer(m) > layer(module)}
    late = {m for m in LATE[module] if layer(m) > layer(module)}
    assert not up
    assert not {(module, m) for m in late} - DOORS


def test_each_door_is_used():
    assert {(a, b) for a, b in DOORS if b in LATE[a]} == DOORS


@pytest.mark.parametrize(("witness", "judged"), sorted(NEVER))
def test_witnesses_share_nothing_with_what_they_judge(witness, judged):
    assert any(within(m, judged) for m in MODULES)
    for module in filter(lambda m: within(m, witness), MODULES):
        assert not [m for m in reached(module) if within(m, judged)]


def test_no_module_imports_itself_through_others():
    needs = {m: {o for o in IMPORTS[m] | LATE[m] if (m, o) not in DOORS} for m in MODULES}
    graphlib.TopologicalSorter(needs).prepare()  # raises with the circle that it finds


def test_nothing_imports_the_command_line():
    assert not [m for m in MODULES if "composer.cli" in IMPORTS[m] | LATE[m]]
