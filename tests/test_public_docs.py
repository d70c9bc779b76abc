"""Every public name of the tokenizers says what it takes, returns and raises."""

import inspect
import re
from dataclasses import is_dataclass
from functools import cached_property

import pytest

import composer.tokenizers


def described(name, value):
    """Yield a public name and those of its members, with the functions behind them."""
    yield name, value
    if not inspect.isclass(value):
        return
    for inner, member in vars(value).items():
        if inner.startswith("_") and inner != "__call__":
            continue
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, cached_property):
            member = member.func
        elif isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member):
            yield f"{name}.{inner}", member


NAMES = dict(
    pair
    for name in composer.tokenizers.__all__
    for pair in described(name, getattr(composer.tokenizers, name))
)


def checks_itself(kind):
    """Return whether making an object of a class may raise."""
    maker = "__post_init__" if is_dataclass(kind) else "__init__"
    return maker in vars(kind) and "raise " in inspect.getsource(vars(kind)[maker])


def lacks(function):
    """Return what a docstring does not say."""
    text = inspect.getdoc(function) or ""
    if not text:
        return ["everything"]
    missing = []
    if inspect.isclass(function):
        return [] if not checks_itself(function) or "Raises\n------" in text else ["what it raises"]
    parameters = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    # One parameter may be named in the first line, more are listed.
    for parameter in parameters:
        listed = re.search(rf"^{parameter}$", text, re.MULTILINE)
        if not listed and (len(parameters) > 2 or not re.search(rf"\b{parameter}\b", text)):
            missing.append(parameter)
    raises = re.search(r"\braise (?!NotImplementedError)", inspect.getsource(function))
    if raises and not re.search(r"^Raises\n------$", text, re.MULTILINE):
        missing.append("what it raises")
    return missing


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_it_takes_and_raises(name):
    assert not lacks(NAMES[name])


def test_every_class_is_walked():
    assert {"BPE.train", "Tokenizer.encode", "Vocabulary.size", "REMI.decode"} < set(NAMES)


def test_an_undocumented_parameter_is_noticed():
    def bare(tempo, bars):
        """Return nothing for ``tempo``."""
        raise ValueError

    assert lacks(bare) == ["bars", "what it raises"]
