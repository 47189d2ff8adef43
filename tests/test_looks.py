"""The shipped looks: each compiles, changes the picture much, draws alike under both hosts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from applications import running
from click.testing import CliRunner
from compare_screenshots import Comparison
from opened_hosts import opened
from scene_folder import HOSTS, Agents, SceneFolder

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary, overlay_path
from calf_viz.glsl.shipped_shaders import look_names, shader_folder
from calf_viz.scene.theme import DARK, on_ground
from calf_viz.view import Certificate
from calf_viz.workbench.look import AppliedLook
from calf_viz.workbench.look_file import FILE, read_look
from calf_viz.workbench.parts import unused

LOOKS = ["certificate", "ink", "night", "topographic", "tunnel"]
PICTURES = Path(__file__).parents[1] / "docs" / "looks"


def test_there_are_five_and_their_pictures() -> None:
    assert look_names() == LOOKS
    assert sorted(path.stem for path in PICTURES.glob("*.png")) == LOOKS


@pytest.mark.parametrize("look", LOOKS)
class TestEach:
    def test_is_found_by_its_name_and_holds_nothing_unused(self, look: str) -> None:
        library = ShaderLibrary(Path(look))
        assert library.overlay == shader_folder() / "looks" / look
        assert library.own_files() and not unused(library)
        read_look(library.overlay / FILE)

    @pytest.mark.rendering
    def test_compiles_in_every_variant(self, look: str) -> None:
        done = CliRunner().invoke(calf_viz, ["shaders", "check", look])
        assert done.exit_code == 0, done.output

    @pytest.mark.rendering
    def test_both_hosts_draw_it_alike(self, look: str) -> None:
        scene = SceneFolder(
            look, steps=90, trail=80, agents=[Agents(6, seed=4, modes=[0, 2], reset_steps=70)]
        )
        pictures = []
        for kind in HOSTS:
            with opened(kind, scene, library=ShaderLibrary(Path(look))) as host:
                AppliedLook(host)
                host.scene.certificate = Certificate(q_plus=-20.0)
                pictures.append(scene.play(host))
        pair = Comparison(look, *pictures)
        assert pair.passes, pair.verdict

    @pytest.mark.rendering
    def test_may_be_started_from(self, look: str, tmp_path: Path) -> None:
        done = CliRunner().invoke(calf_viz, ["shaders", "new", str(tmp_path), "--from", look])
        assert done.exit_code == 0
        copies = {path.name for path in tmp_path.iterdir()}
        assert copies == {path.name for path in overlay_path(Path(look)).iterdir()}


@pytest.mark.rendering
@pytest.mark.parametrize("renderer", ["gpu", "batched"])
def test_the_certificate_marks_the_chosen_agent(renderer: str) -> None:
    """With white around it, which moves as another is chosen."""
    places = []
    for chosen in (0, 1):
        look = Path("certificate")
        with running(
            size=(640, 360), n_agents=2, shaders=look, chosen=chosen, seed=5, renderer=renderer
        ) as shown:
            shown.step()
            scene, (x, y) = shown.host.scene, shown.simulation.states[chosen, :2]
            up = scene.height_scale * shown.host.levels.heights(np.array([[x, y]]))[0]
            clip = scene.camera.view_projection(640 / 360) @ np.array([x, y, up, 1.0])
            at = np.array([0.5 + 0.5 * clip[0] / clip[3], 0.5 - 0.5 * clip[1] / clip[3]])
            column, row = np.rint(at * (640, 360)).astype(int)
            near = shown.screenshot()[row - 20 : row + 21, column - 20 : column + 21]
            white = np.argwhere((near > 235).all(axis=2)) - 20
            assert len(white) > 20
            assert np.abs(white.mean(axis=0)).max() < 3, "all around it"
            places.append((column, row))
    assert places[0] != places[1]


@pytest.mark.rendering
def test_trails_in_ink_have_the_legends_colours() -> None:
    with running(size=(640, 360), n_agents=3, shaders=Path("ink"), policy="nominal") as shown:
        for _ in range(60):
            shown.step()
        picture = shown.screenshot().astype(float)
        legend = 255 * shown.host.scene.mode_colours[2, :3]
    assert (np.abs(picture - legend).max(axis=2) < 45).sum() > 100


@pytest.mark.rendering
def test_they_are_far_from_the_usual_picture_and_from_each_other() -> None:
    pictures = {}
    for look in (None, *LOOKS):
        with running(size=(320, 180), n_agents=8, shaders=look and Path(look)) as shown:
            for _ in range(60):
                shown.step()
            pictures[look] = shown.screenshot()
    names = list(pictures)
    for i, name in enumerate(names):
        for other in names[:i]:
            error = Comparison(f"{name}", pictures[name], pictures[other]).flip
            assert error > 0.03, f"{name} and {other}: mean FLIP error {error:.3f}"


def test_a_look_that_there_is_not_is_reported_with_those_there_are() -> None:
    with pytest.raises(UserError, match="nor a look: certificate, ink"):
        overlay_path(Path("inky"))


def test_what_is_written_on_the_ground_stands_out() -> None:
    def luminance(colour: int) -> float:
        parts = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
        return float(np.dot(parts, (0.21, 0.72, 0.07)) / 255)

    for ground in ((0.95, 0.92, 0.86), (0.055, 0.065, 0.085), (0.86, 0.89, 0.90)):
        tones = on_ground(ground, DARK)
        there = float(np.dot(ground, (0.21, 0.72, 0.07)))
        for colour in (tones.bright, tones.quiet, tones.line.colour):
            assert abs(luminance(colour) - there) > 0.4
