"""The panel of controls: where it is, what the mouse does in it, and what it draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from control_samples import BODY, EVERY, controlled
from opened_hosts import opened
from scene_folder import HOSTS, POINT_MASS, SceneFolder
from written_looks import covers, picture

from calf_viz.glsl.controls import ControlValues, read_annotation
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import help_line
from calf_viz.hud.overview import overview
from calf_viz.scene.scene import Scene

look = pytest.fixture(controlled)


class TestPanel:
    size = (1280, 720)

    @pytest.fixture
    def panel(self) -> ControlPanel:
        controls = ControlValues()
        controls.adopt({control.name: control for control in EVERY})
        return ControlPanel(controls)

    @pytest.fixture
    def shown(self, panel: ControlPanel) -> Callable[[], Hud]:
        scene = SceneFolder.read("hud")
        assert scene.hud is not None
        hud = scene.hud.hud()
        hud.add(panel)

        def prepare() -> Hud:
            hud.redraw()
            hud.prepare(Scene(size=self.size), scene.surface.heightfield())
            return hud

        return prepare

    def middle(self, panel: ControlPanel, name: str, component: int = 0) -> tuple[float, float]:
        part = next(p for p in panel.parts if (p.name, p.component) == (name, component))
        return part.rect.x + 0.5 * part.rect.width, part.rect.y + 0.5 * part.rect.height

    def test_every_control_takes_the_mouse_within_the_panel(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        placed = shown().placed["controls"]
        assert {part.name for part in panel.parts} == {control.name for control in EVERY}
        for part in panel.parts:
            assert placed.holds(part.rect.x, part.rect.y)
            assert placed.holds(part.rect.right - 1, part.rect.bottom - 1)
        for i, part in enumerate(panel.parts):
            assert not any(part.rect.overlaps(other.rect) for other in panel.parts[:i])

    def test_press_and_drag(self, panel: ControlPanel, shown: Callable[[], Hud]) -> None:
        hud, values = shown(), panel.controls.values
        hud.press(*self.middle(panel, "u_f"))
        assert values["u_f"] == pytest.approx(0.5, abs=0.05)
        hud.drag(1e4, -50.0)
        assert values["u_f"] == 3.0, "dragged beyond the end, and off the panel"
        hud.drag(-1e4, 0.0)
        assert values["u_f"] == -2.0
        hud.release()
        hud.drag(1e4, 0.0)
        assert values["u_f"] == -2.0, "released"
        hud.press(*self.middle(panel, "u_i"))
        assert values["u_i"] == 0 and isinstance(values["u_i"], int)
        hud.press(*self.middle(panel, "u_b"))
        assert values["u_b"] == 0
        hud.drag(*self.middle(panel, "u_b"))
        assert values["u_b"] == 0, "a press switches once"
        for component, expected in ((1, 2), (1, 0), (-1, 2), (-1, 1)):
            hud.press(*self.middle(panel, "u_c", component))
            assert values["u_c"] == expected
        before = values["u_v"]
        hud.press(*self.middle(panel, "u_v", 1))
        red, green, blue = values["u_v"]
        assert (red, blue) == (before[0], before[2]) and green == pytest.approx(0.5, abs=0.1)

    @pytest.mark.rendering
    @pytest.mark.parametrize("kind", HOSTS)
    @pytest.mark.parametrize(
        ("type_", "ends"),
        [("float", ("-3.4e38", "3.4e38")), ("int", ("-2147483647", "2147483647"))],
    )
    def test_the_widest_sliders_are_drawn_from_end_to_end(
        self, look: Path, kind: str, type_: str, ends: tuple[str, str]
    ) -> None:
        text = f"uniform {type_} u_wide; // @slider {'..'.join(ends)}\n"
        text += BODY.partition("{")[0] + "{ return u_wide > 0 ? vec3(1, 0, 0) : colour; }\n"
        (look / "surface_colour.glsl").write_text(text)
        scene = SceneFolder.read("hud")
        with opened(kind, scene, library=ShaderLibrary(look)) as host:
            assert host.hud is not None
            panel = ControlPanel(host.controls)
            host.hud.add(panel)
            for end in ends:
                host.controls.set_text("u_wide", end)
                picture(host)
            host.hud.press(*self.middle(panel, "u_wide"))
            host.hud.drag(1e4, 0.0)
            assert covers(picture(host), [255, 0, 0])

    def test_elsewhere_is_not_its_own(self, panel: ControlPanel, shown: Callable[[], Hud]) -> None:
        hud, before = shown(), dict(panel.controls.values)
        for x, y in ((640, 360), (30, 30), (-5, -5)):
            hud.press(x, y)
            hud.drag(x + 500, y)
            hud.release()
        assert panel.controls.values == before

    def test_a_control_that_a_reload_takes_away_under_the_mouse(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        hud = shown()
        hud.press(*self.middle(panel, "u_f"))
        panel.controls.adopt({})
        hud.drag(0.0, 0.0)
        assert panel.controls.values == {}
        assert "controls" not in shown().placed, "no panel without controls"

    def test_more_than_there_is_room_for(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        many = {f"u_{i}": read_annotation("float", f"u_{i}", "// @slider 0..1") for i in range(50)}
        panel.controls.adopt(many)
        placed = shown().placed["controls"]
        assert placed.within(self.size)
        assert 5 < len({part.name for part in panel.parts}) < 50

    def test_is_there_while_its_look_is_shown(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        panel.look = "B"
        hud = shown()
        for looks, there in (("AB", True), ("A", False), ("B", True)):
            hud.update(looks=looks)
            hud.prepare(Scene(size=self.size), SceneFolder.read("hud").surface.heightfield())
            assert ("controls" in hud.placed) == there

    def test_comes_before_the_line_of_keys_where_there_is_room_for_one(
        self, panel: ControlPanel
    ) -> None:
        hud = overview(POINT_MASS, help_line({"pause", "quit"}))
        hud.add(panel, before="keys")
        surface = SceneFolder.read("hud").surface.heightfield()
        for size, there in (((400, 240), {"controls"}), ((1280, 720), {"controls", "keys"})):
            hud.prepare(Scene(size=size), surface)
            assert {"controls", "keys"} & set(hud.placed) == there

    @pytest.mark.rendering
    def test_a_changed_value_moves_the_knob(self, look: Path) -> None:
        scene = SceneFolder.read("hud")
        with opened("moderngl", scene, library=ShaderLibrary(look)) as host:
            assert host.hud is not None
            host.hud.add(ControlPanel(host.controls))
            first = picture(host)
            host.controls.set_text("u_red", "0.5")
            x, y, width, height = host.hud.placed["controls"]
            there = np.s_[y : y + height, x : x + width]
            assert (first[there] != picture(host)[there]).any()
