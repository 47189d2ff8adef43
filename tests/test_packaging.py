"""The wheel, installed away from the checkout: package, shaders, checkpoints, command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHADER_SUFFIXES = {".glsl", ".vert", ".frag", ".comp", ".toml"}

# Run by the fresh environment: what is imported from where, and what the package holds.
PROBE = """
import importlib.resources, json, sys
import calf_viz, calf_viz.shaders

def files(folder, prefix=""):
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from files(entry, prefix + entry.name + "/")
        else:
            yield prefix + entry.name

print(json.dumps({
    "calf_viz": calf_viz.__file__,
    "version": calf_viz.__version__,
    "shaders_at": calf_viz.shaders.__file__,
    "package": sorted(files(importlib.resources.files("calf_viz"))),
    "shaders": sorted(files(importlib.resources.files("calf_viz.shaders"))),
    "path": sys.path,
}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, without the checkout on PYTHONPATH."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def on_disk(folder: Path, suffixes: set[str]) -> set[str]:
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in suffixes
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves `build/` beside what it builds."""
    source = tmp_path_factory.mktemp("source") / "calf_viz"
    for folder in ("calf_viz", "shaders", "attach"):
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    built = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps",
        "--no-index", "--wheel-dir", built, source, cwd=built,
    )  # fmt: skip
    (path,) = built.glob("calf_viz-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv that holds the wheel and sees this one's libraries, but not the checkout.

    A line of a .pth file adds a folder to sys.path; .pth files inside that folder are not read,
    so the hook of this environment's editable install stays behind.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    site = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": home, "platbase": home}))
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "libraries.pth").write_text("".join(f"{path}\n" for path in sorted(libraries)))
    run(
        sys.executable, "-m", "pip", f"--python={home / 'bin' / 'python'}", "install", "--quiet",
        "--no-deps", "--no-index", "--force-reinstall", "--ignore-installed", wheel, cwd=home,
    )  # fmt: skip
    return home


@pytest.fixture(scope="module")
def probe(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    return json.loads(run(environment / "bin" / "python", "-c", PROBE, cwd=elsewhere))


def test_installed_copy_is_what_runs(probe: dict, environment: Path) -> None:
    assert Path(probe["calf_viz"]).is_relative_to(environment)
    assert Path(probe["shaders_at"]).is_relative_to(environment)
    assert str(ROOT) not in probe["path"]


def test_wheel_holds_every_shader(probe: dict) -> None:
    expected = on_disk(ROOT / "shaders", SHADER_SUFFIXES)
    assert expected
    assert {name for name in probe["shaders"] if Path(name).suffix in SHADER_SUFFIXES} == expected


def test_wheel_holds_every_module_and_checkpoint(probe: dict) -> None:
    held = set(probe["package"])
    assert "py.typed" in held
    expected = on_disk(ROOT / "calf_viz", {".py", ".safetensors"})
    assert expected <= held, f"missing from the wheel: {sorted(expected - held)}"


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"calf_viz", "calf_attach"}


def test_calf_attach_comes_with_it(environment: Path, tmp_path: Path) -> None:
    said = run(
        environment / "bin" / "python", "-c", "import calf_attach; print(calf_attach.__file__)",
        cwd=tmp_path,
    )  # fmt: skip
    assert Path(said.strip()).is_relative_to(environment)


def test_calf_attach_has_a_wheel_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "attach"
    shutil.copytree(ROOT / "attach", source, ignore=shutil.ignore_patterns("__pycache__"))
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps",
        "--no-index", "--wheel-dir", tmp_path, source, cwd=tmp_path,
    )  # fmt: skip
    (path,) = tmp_path.glob("calf_attach-*.whl")
    with zipfile.ZipFile(path) as archive:
        held = {name for name in archive.namelist() if name.startswith("calf_attach/")}
        (about,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(about).decode()
    folder = ROOT / "attach"
    assert held == {
        f"calf_attach/{name}" for name in on_disk(folder / "calf_attach", {".py", ".typed"})
    }
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: numpy>=1.17"
    ]


def test_command_runs(environment: Path, tmp_path: Path) -> None:
    binaries = environment / "bin"
    assert "Usage: calf-viz" in run(binaries / "calf-viz", "--help", cwd=tmp_path)
    assert "Usage: " in run(binaries / "python", "-m", "calf_viz", "--help", cwd=tmp_path)


@pytest.mark.rendering
def test_command_draws_with_the_shaders_and_the_agent_it_came_with(
    environment: Path, tmp_path: Path
) -> None:
    small = ("--headless", "--frames", "2", "--size", "64x36", "--grid", "8", "--output", tmp_path)
    run(environment / "bin" / "calf-viz", *small, cwd=tmp_path)
    assert (tmp_path / "point_mass_5_2.png").stat().st_size > 200
