"""The modules of the library, the files they lie in, and what they import."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "composer": "composer",
    "tokenizers": "composer.tokenizers",
    "training": "composer.training",
}


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
