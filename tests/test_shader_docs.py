"""docs/shaders.md tells of the shaders as they are, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calf_viz.glsl import contract
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import load_program
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.workbench.document import documented

DOCUMENT = Path(__file__).parents[1] / "docs" / "shaders.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_its_tables_are_in_force() -> None:
    assert documented(TEXT) == TEXT, "run `python -m calf_viz.workbench.document`"
    for name in contract.NAMES:
        assert f"| `{name}` |" in TEXT


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        documented("no marks")


def test_its_pictures_and_files_are_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (DOCUMENT.parent / link).exists(), link
    for tool in re.findall(r"python (tools/\w+\.py)", TEXT):
        assert (DOCUMENT.parents[1] / tool).is_file()


def test_its_first_example_is_the_file_as_it_is_copied() -> None:
    first = re.findall(r"```glsl\n(.*?)```", TEXT, re.DOTALL)[0]
    assert first in (shader_folder() / "trail_colour.glsl").read_text(encoding="utf-8")


def test_its_control_is_one(tmp_path: Path) -> None:
    example = re.findall(r"```glsl\n(.*?)```", TEXT, re.DOTALL)[1]
    (tmp_path / "trail_colour.glsl").write_text(example, encoding="utf-8")
    controls = load_program(ShaderLibrary(tmp_path), "field").controls
    assert controls["u_pale"].default == 0.5 and controls["u_pale"].label == "pale"


@pytest.mark.rendering
def test_its_mistake_is_reported_as_it_says(tmp_path: Path) -> None:
    from scene_folder import SceneFolder

    from calf_viz.glsl.problems import ShaderError

    text = (shader_folder() / "trail_colour.glsl").read_text(encoding="utf-8")
    (tmp_path / "trail_colour.glsl").write_text(
        text.replace("return vec4(colour, 1.0 - age * age);", "return vec4(colour, 1.0)")
    )
    with pytest.raises(ShaderError) as error:
        SceneFolder("doc", size=(64, 36)).open("panda", library=ShaderLibrary(tmp_path))
    line = re.search(r"`my_look/(trail_colour\.glsl:\d+: syntax error)", TEXT)
    assert line is not None and line[1] in str(error.value)
