"""Imports run one way: from the program to data and to the picture, which do not know each other,
and from those to the ground.

    PROGRAM   cli ▶ viewer                              the only band where both halves meet
    DATA      sources ▶ … ▶ training ▶ recording ▶ agent ▶ environments ▶ systems    nothing drawn
    PICTURE   workbench ▶ trial ▶ hosts ▶ hud ▶ …       pixels: no torch, no simulation
    GROUND    what crosses, and what everybody needs
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "calf_viz"

# From top to bottom. Modules of one room (hosts, scene, agent and so on) may import each other.
PROGRAM = ("__main__", "cli", "viewer")
DATA = (
    "sources", "comparison", "verification", "returns", "training",
    "recording", "agent", "environments", "systems",
)  # fmt: skip
PICTURE = ("workbench", "shader_trial", "hosts", "hud", "scene", "glsl")
CROSSES = ("heightfield", "critic_networks", "view", "samples")
GROUND = (
    "critic_networks",
    "view",
    "samples",
    "value_limits",
    "heightfield",
    "value_scale",
    "round_numbers",
    "periods",
    "pace",
    "video",
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
BANDS = {"PROGRAM": PROGRAM, "DATA": DATA, "PICTURE": PICTURE, "GROUND": GROUND}
BELOW = {
    "PROGRAM": {"DATA", "PICTURE", "GROUND"},
    "DATA": {"GROUND"},
    "PICTURE": {"GROUND"},
    "GROUND": set(),
}

DRAWS = {"panda3d", "direct", "ursina", "moderngl"}
FORBIDDEN_LIBRARIES = {
    **dict.fromkeys(
        (*GROUND, "hud", "scene", "glsl", "workbench", "shader_trial"), DRAWS | {"torch"}
    ),
    **dict.fromkeys(DATA, DRAWS),
    "systems": DRAWS | {"torch", "gymnasium"},
    "environments": DRAWS | {"torch", "stable_baselines3"},
    "hosts": {"torch"},
}

ROOMS = {room: band for band, rooms in BANDS.items() for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(module: str) -> str | None:
    """`calf_viz.scene.ring` -> `scene`; None for calf_viz itself and for other libraries."""
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
            if source == "calf_viz":  # `from calf_viz import systems`: the names are the modules
                names = (f"calf_viz.{alias.name}" for alias in node.names)
                yield from ((node.lineno, name) for name in names if room(name) in ROOMS)
            else:
                yield node.lineno, source


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_run_downwards(path: Path) -> None:
    own = room(module_name(path))
    assert own in ROOMS, f"{path.name}: give calf_viz.{own} its place in a band"
    for line, module in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}: imports {module}"
        library = module.split(".")[0]
        assert library not in FORBIDDEN_LIBRARIES.get(own, ()), f"{where}, which {own} may not"
        target = room(module)
        if target is None or target == own:
            continue
        assert target in ROOMS, f"{where}: give calf_viz.{target} its place in a band"
        mine, its = ROOMS[own], ROOMS[target]
        if mine == its:
            rooms = BANDS[mine]
            assert rooms.index(target) > rooms.index(own), f"{where}, which is above {own}"
        else:
            assert its in BELOW[mine], f"{where}: {mine} may not know {its}"


ADAPTS = {
    "sb3.py": {"torch", "stable_baselines3"},
    "rllib.py": {"torch", "ray", "gymnasium"},
}
"""Libraries of adapters, which nothing else in calf_attach imports."""
ATTACH = sorted((ROOT / "attach" / "calf_attach").glob("*.py"))


@pytest.mark.parametrize("path", ATTACH, ids=[path.name for path in ATTACH])
def test_calf_attach_needs_numpy_alone_and_never_calf_viz(path: Path) -> None:
    """It runs in other people's environments, of which nothing else is known; frameworks that are
    loaded there are found in `sys.modules`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found = [node.module or ""]
        for module in found:
            library = module.split(".")[0]
            known = library in ("numpy", "calf_attach") or library in sys.stdlib_module_names
            known |= library in ADAPTS.get(path.name, ())
            assert path.name in ADAPTS or module not in ("calf_attach.sb3", "calf_attach.rllib")
            assert known, f"{path.name}:{node.lineno}: imports {module}"


def test_only_sources_and_the_program_know_calf_attach() -> None:
    for path in FILES:
        if room(module_name(path)) in (*PROGRAM, "sources", "training"):
            continue
        for line, module in imports(path):
            assert module.split(".")[0] != "calf_attach", f"{path.relative_to(ROOT)}:{line}"


def test_what_crosses_between_data_and_picture_is_a_dozen_names() -> None:
    found = set()
    for path in FILES:
        if room(module_name(path)) in GROUND:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and room(node.module or "") in CROSSES:
                found |= {alias.name for alias in node.names}
    assert found == {
        "Samples", "View", "Certificate", "Heightfield", "Grid", "plane_nodes", "FloatArray",
        "CriticNetworks", "Layer", "ACTIVATIONS", "Colour", "Ellipse",
    }  # fmt: skip


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
        ("from . import contract", ["calf_viz.glsl"]),
        ("from .contract import X", ["calf_viz.glsl.contract"]),
        ("from calf_viz import systems, __version__", ["calf_viz.systems"]),
        ("def f():\n    import torch.nn", ["torch.nn"]),
    ],
)
def test_reads_every_form_of_import(
    source: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "calf_viz" / "glsl" / "library.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert [module for _, module in imports(path)] == expected
