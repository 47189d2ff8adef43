"""The axes of the plane: where their ticks and names are, and what is left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from huds import BOWL, LEVELS, RANGE, made, prepared

from calf_viz.heightfield import Heightfield
from calf_viz.hud.axes import Axes
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import Rect
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.view import View


class TestAxes:
    def texts(self, camera: OrbitCamera, levels: Heightfield = LEVELS) -> dict[str, Rect]:
        """Where each text of the axes is, by name; ticks by axis and value."""
        return self.seen(Scene(camera=camera), levels)

    def seen(self, scene: Scene, levels: Heightfield) -> dict[str, Rect]:
        hud = Hud([], Axes(("first", "second")))
        hud.prepare(scene, levels)
        return dict(zip(self.words(hud), hud.rectangles(), strict=True))

    def words(self, hud: Hud) -> list[str]:
        face = hud.canvas.face("small")
        rows = {glyph.row: char for char, glyph in face.glyphs.items()}
        rows |= {g.row: c for c, g in hud.canvas.face("body").glyphs.items()}
        texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
        words, at = [], 0
        for rect in hud.rectangles():  # texts were appended in this order
            word = ""
            near = Rect(rect.x - 1, rect.y - 4, rect.width + 2, rect.height + 8)
            while at < len(texels) and near.holds(*texels[at, :2]):
                word += rows[int(texels[at, 2])]
                at += 1
            words.append(word if word not in words else f"{word}'")
        return words

    def test_ticks_at_round_numbers_on_both_axes(self) -> None:
        found = self.texts(OrbitCamera())
        values = ["−4", "−2", "0", "2", "4"]
        assert list(found) == [*values, *(f"{v}'" for v in values), "first", "second"]

    def test_from_above_they_stand_left_and_below(self) -> None:
        camera = OrbitCamera(distance=20.0)
        camera.top_view()
        found = self.texts(camera)
        assert found["−4"].x < found["0"].x < found["4"].x
        assert found["−4'"].y > found["0'"].y > found["4'"].y
        assert all(found[f"{v}'"].right < found["−4"].x for v in ("−4", "0", "4"))
        assert all(found[v].y > found["−4'"].y for v in ("−4", "0", "4"))

    @pytest.mark.parametrize("height", [0.0, 2.0, 6.0])
    @pytest.mark.parametrize(
        "size", [(1280, 720), (640, 360), (1920, 1080), (1400, 400), (500, 700), (800, 600)]
    )
    def test_from_above_all_are_there_clear_of_the_keys(
        self, size: tuple[int, int], height: float
    ) -> None:
        scene = Scene(size=size, height_scale=height)
        scene.camera.frame((-5.0, -5.0, 5.0, 5.0, height), np.zeros((1, 3)))
        hud = prepared(made(), scene)
        scene.camera.top_view(size[0] / size[1], hud.foot() / size[1])
        prepared(hud, scene)
        assert "keys" in hud.placed
        corner = scene.camera.view_projection(size[0] / size[1]) @ [-5.0, -5.0, height, 1.0]
        left = (0.5 + 0.5 * corner[0] / corner[3]) * size[0]
        below = [rect for rect in hud._marks if rect.x > left and rect.y > 0.5 * size[1]]
        assert len(below) >= 6, "x at -4, -2, 0, 2, 4, and its name"

    @pytest.mark.parametrize("degrees", [30, 120, 210, 300])
    def test_they_stand_before_the_surface(self, degrees: float) -> None:
        """Each below the plane's middle: on the two edges that are nearest to the viewer."""
        found = self.texts(OrbitCamera(azimuth=math.radians(degrees + 0.1)))
        middle = sum(rect.y for rect in found.values()) / len(found)
        assert middle > 360

    def test_ticks_are_on_the_drawn_surface(self) -> None:
        """A tick begins where the matrix and the height put its point."""
        scene = Scene()
        hud = Hud([], Axes(("first", "second")))
        hud.prepare(scene, LEVELS)
        begins = hud.canvas.shapes.texels.reshape(-1, 4)[: 3 * hud.canvas.shapes.count : 3, :2]
        for x in (-4.0, 0.0, 4.0):
            height = BOWL.heights([(x, -5.0)])[0] / RANGE[1] * scene.height_scale
            clip = scene.camera.view_projection(1280 / 720) @ [x, -5.0, height, 1.0]
            pixel = (0.5 + 0.5 * clip[:2] / clip[3] * (1, -1)) * scene.size
            assert np.abs(begins - pixel).max(axis=1).min() < 0.01

    @pytest.mark.parametrize("thin", [0, 1])
    @pytest.mark.parametrize("length", [10.0, 30.0, 1000.0])
    def test_a_thin_plane_has_fewer_ticks_on_its_short_axis(self, thin: int, length: float) -> None:
        """Down to two; where not even those are apart, it still has its name."""
        hi = (1.0, length) if thin == 0 else (length, 1.0)
        view = View("thin", lo=(0.0, 0.0), hi=hi, aspect="equal")
        found = self.seen(Scene(frame=Frame.of(view)), Heightfield(BOWL.values, view.lo, view.hi))
        assert {"first", "second"} <= set(found)
        expected = {"0", "1"} if length == 10.0 else set()
        assert expected <= {text.rstrip("'") for text in found}

    def test_an_edge_seen_end_on_is_left_out(self) -> None:
        camera = OrbitCamera(azimuth=math.radians(-90), elevation=0.05)
        assert "second" not in self.texts(camera)
