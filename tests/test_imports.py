"""Imports run one way: a module of calf_viz imports only what stands below it in LAYERS, and within
a layer none that, by whatever way, imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "calf_viz"

# Top to bottom. Modules of one package (hosts, render, agent and so on) may import each other.
LAYERS = (
    "__main__",
    "cli",
    "profile_run",
    "commands",
    "app",
    "viewer",
    "readings",
    "playback",
    "app_config",
    "config",
    "sources",
    "live",
    "workbench",
    "trial",
    "renderers",
    "hosts",
    "hud",
    "render",
    "simulation",
    "agent",
    "systems",
    "heightfield",
    "critic_networks",
    "view",
    "samples",
    "stats_cache",
    "pace",
    "profiling",
    "assignment",
    "settings",
    "parameters",
    "run_command",
    "console",
    "children",
    "files",
    "errors",
    "version",
)

# Data flows from the simulation to the renderer through arrays, so that neither knows the other
# and nothing that draws can ask the critic for anything.
FORBIDDEN = {
    "workbench": {"simulation", "agent", "systems"},
    "trial": {"simulation", "agent", "systems"},
    "renderers": {"simulation", "agent", "systems"},
    "hosts": {"simulation", "agent", "systems"},
    "hud": {"simulation", "agent", "systems"},
    "render": {"simulation", "agent", "systems"},
}
FORBIDDEN_LIBRARIES = {
    "workbench": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "trial": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "renderers": {"torch", "direct", "ursina", "moderngl"},
    "hosts": {"torch"},
    "hud": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "render": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "simulation": {"panda3d", "direct", "ursina", "moderngl"},
    "heightfield": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "samples": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "critic_networks": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "view": {"torch", "panda3d", "direct", "ursina", "moderngl"},
    "agent": {"panda3d", "direct", "ursina", "moderngl"},
    "systems": {"torch", "panda3d", "direct", "ursina", "moderngl"},
}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer(module: str) -> str | None:
    """`calf_viz.render.ring` -> `render`; None for calf_viz itself and for other libraries."""
    parts = module.split(".")
    return parts[1] if parts[0] == "calf_viz" and len(parts) > 1 else None


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module) of every import in a file, those inside functions included."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            if source == "calf_viz":  # `from calf_viz import render`: the names are the modules
                names = (f"calf_viz.{alias.name}" for alias in node.names)
                yield from ((node.lineno, name) for name in names if layer(name) in LAYERS)
            else:
                yield node.lineno, source


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_run_downwards(path: Path) -> None:
    own = layer(module_name(path))
    assert own in LAYERS, f"{path.name}: give calf_viz.{own} its place in LAYERS"
    for line, module in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}: imports {module}"
        library = module.split(".")[0]
        assert library not in FORBIDDEN_LIBRARIES.get(own, ()), f"{where}, which {own} may not"
        target = layer(module)
        if target is None or target == own:
            continue
        assert target in LAYERS, f"{where}: give calf_viz.{target} its place in LAYERS"
        assert LAYERS.index(target) > LAYERS.index(own), f"{where}, which is above {own}"
        assert target not in FORBIDDEN.get(own, ()), f"{where}, which {own} may not know"


def imported_modules(path: Path) -> set[str]:
    """Modules of the package that a file imports, at whatever place."""
    names = {module_name(file) for file in FILES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & names or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & names


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not inside functions either, nor for types alone: of what goes in a circle no part can be
    understood, or moved, by itself."""
    graph = {module_name(path): imported_modules(path) for path in FILES}
    assert sum(map(len, graph.values())) > 100
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_package_imports_nothing_eagerly() -> None:
    """`import calf_viz.errors` loads neither torch nor Panda3D: what __init__ offers is lazy."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if source == "calf_viz.version":  # which imports nothing
                continue
            assert node.level == 0 and not source.startswith("calf_viz"), (
                f"calf_viz/__init__.py:{node.lineno}: import it inside __getattr__"
            )
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("calf_viz") for alias in node.names)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from ..errors import UserError", ["calf_viz.errors"]),
        ("from .. import errors", ["calf_viz.errors"]),
        ("from . import contract", ["calf_viz.render"]),
        ("from .contract import X", ["calf_viz.render.contract"]),
        ("from calf_viz import app, __version__", ["calf_viz.app"]),
        ("def f():\n    import torch.nn", ["torch.nn"]),
    ],
)
def test_reads_every_form_of_import(
    source: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "calf_viz" / "render" / "ring.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert [module for _, module in imports(path)] == expected
