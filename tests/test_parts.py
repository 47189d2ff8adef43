"""What of an overlay takes part: where nothing does, it is told; and which of two is meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from applications import running
from click.testing import CliRunner

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.glsl.shipped_shaders import LOOKS, shader_folder
from calf_viz.workbench import parts

LOOK = "`shaders`"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(given: Path | str, option: str = LOOK, waits: bool = False) -> str:
    with pytest.raises(UserError) as caught:
        parts.library(Path(given), option, {}, waits)
    return str(caught.value)


def test_an_empty_folder_changes_nothing_and_is_refused(here: Path) -> None:
    (here / "mine").mkdir()
    said = refused("mine")
    assert said == (
        "`shaders` mine: nothing in this folder takes part in the picture (it holds no shader); "
        "calf-viz shaders new mine copies files to change, `watch` waits for files"
    )
    assert refused("mine", "`ab`").startswith("`ab` mine: nothing in this folder")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("surface_color.glsl", "surface_color.glsl: replaces nothing"),
        ("trail/trail_colour.glsl", "trail/trail_colour.glsl: replaces nothing"),
        ("ring_copy.frag", "ring_copy.frag: not part of a look"),
        ("notes.txt", "it holds no shader"),
        ("trail_colour.GLSL", "it holds no shader"),
        ("trail_colour.glsl/", "trail_colour.glsl: a folder, and no shader"),
    ],
)
def test_a_folder_of_other_files_is_refused_with_what_is_wrong(
    here: Path, name: str, why: str
) -> None:
    path = here / "mine" / name
    path.parent.mkdir(parents=True)
    path.mkdir() if name.endswith("/") else path.write_text("// mine\n")
    assert why in refused("mine")
    done = CliRunner().invoke(calf_viz, ["shaders", "check", "mine"])
    assert done.exit_code == 1
    assert "mine: nothing in this folder takes part in the picture" in done.output


@pytest.mark.parametrize("name", ["surface_colour.glsl", "lib/noise.glsl", "field.frag"])
def test_one_file_that_is_read_is_enough(
    here: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = here / "mine"
    (folder / "lib").mkdir(parents=True)
    (folder / "surface_color.glsl").write_text("// misspelt\n")
    original = shader_folder() / name
    (folder / name).write_text(original.read_text() if original.is_file() else "// mine\n")
    if name == "lib/noise.glsl":
        source = (shader_folder() / "height.glsl").read_text()
        (folder / "height.glsl").write_text(f'#include "{name}"\n{source}')
    assert parts.library(Path("mine"), LOOK, {}).overlay == Path("mine")
    assert "mine/surface_color.glsl: replaces nothing" in caplog.text


def test_one_that_only_includes_others_takes_part(here: Path) -> None:
    mine = here / "mine"
    (mine / "lib").mkdir(parents=True)
    (mine / "lib" / "all.glsl").write_text('#include "hash.glsl"\n')
    (mine / "lib" / "hash.glsl").write_text("float hash() { return 1.0; }\n")
    hook = (shader_folder() / "surface_colour.glsl").read_text()
    (mine / "surface_colour.glsl").write_text(f'#include "lib/all.glsl"\n{hook}')
    assert parts.unused(parts.library(mine, LOOK, {}, False)) == {}


def test_one_that_does_not_compile_takes_part(here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "surface_colour.glsl").write_text('#include "nowhere.glsl"\n')
    assert parts.library(Path("mine"), LOOK, {}).overlay == Path("mine")


def test_a_look_without_shaders_is_one(here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "look.toml").write_text('background = "#204060"\n')
    assert parts.library(Path("mine"), LOOK, {}).overlay == Path("mine")


class TestOneNameForTwo:
    """A folder here and a shipped look are called ink."""

    def test_where_nothing_in_the_folder_takes_part_it_asks_which_is_meant(
        self, here: Path
    ) -> None:
        (here / "ink").mkdir()
        for waits in (False, True):
            said = refused("ink", waits=waits)
            assert "nothing in this folder takes part" in said
            look = shader_folder() / LOOKS / "ink"
            assert said.endswith(f"{look} means the look, {here / 'ink'} what is here")

    def test_a_file_of_that_name_hides_it_as_well(self, here: Path) -> None:
        (here / "ink").write_text("notes")
        said = refused("ink")
        assert "replaces nothing" in said
        assert said.endswith(f"looks/ink means the look, {here / 'ink'} what is here")

    def test_the_whole_path_says_it(self, here: Path) -> None:
        (here / "ink").mkdir()
        look = shader_folder() / LOOKS / "ink"
        assert parts.library(look, LOOK, {}).overlay == look
        assert parts.library(here / "ink", LOOK, {}, waits=True).overlay == here / "ink"

    def test_a_folder_in_which_something_does_is_taken_and_reported(
        self, here: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (here / "ink").mkdir()
        shutil.copy(shader_folder() / "trail_colour.glsl", here / "ink")
        assert parts.library(Path("ink"), LOOK, {}).overlay == Path("ink")
        assert "`shaders` ink: what is here, not the look; " in caplog.text
        caplog.clear()
        assert parts.library(here / "ink", LOOK, {}).overlay == here / "ink"
        assert not caplog.text

    def test_without_a_folder_it_is_the_look(
        self, here: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert parts.library(Path("ink"), LOOK, {}).overlay == shader_folder() / LOOKS / "ink"
        assert not caplog.text


@pytest.mark.rendering
def test_the_program_refuses_it_for_either_look(here: Path) -> None:
    (here / "ink").mkdir()
    for looks in ({"shaders": "ink"}, {"shaders": "night", "ab": "ink"}):
        with pytest.raises(UserError, match="ink: nothing in this folder"), running(**looks):
            pass


@pytest.mark.rendering
def test_a_folder_that_is_filled_later_is_waited_for(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "mine").mkdir()
    with running(shaders="mine", watch=True) as shown:
        assert "mine: nothing in this folder takes part" in caplog.text
        assert "yet; what is saved there is shown at once" in caplog.text
        shown.step()
        plain = shown.screenshot()
        (here / "mine" / "surface_colour.glsl").write_text(
            "vec3 surface_colour(vec3 c, vec2 p, float level, float light, bool bad)"
            "{ return vec3(1.0, 0.0, 0.0); }"
        )
        shown.looks.first.target.reload()
        shown.draw()
        assert (shown.screenshot() != plain).any(axis=2).mean() > 0.1
