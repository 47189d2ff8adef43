"""The mouse in the window: a drag turns the camera, the wheel moves it, panels have their own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from calf_viz.hosts.panda.mouse import TURN, WHEEL, OrbitControls
from calf_viz.scene.scene import Scene


class Pointer:
    def __init__(self, x: float, y: float, inside: bool = True) -> None:
        self.x, self.y, self.inside = x, y, inside

    def get_x(self) -> float:
        return self.x

    def get_y(self) -> float:
        return self.y

    def get_in_window(self) -> bool:
        return self.inside


class Application:
    """What the controls ask of Ursina: a window's pointer, and events."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}
        self.win = self
        self.pointer = Pointer(0, 0)

    def accept(self, name: str, method: Any, arguments: Any = ()) -> None:
        self.events[name] = lambda: method(*arguments)

    def get_pointer(self, _: int) -> Pointer:
        return self.pointer


class TestControls:
    @pytest.fixture
    def app(self) -> Application:
        return Application()

    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()

    @pytest.fixture(autouse=True)
    def controls(self, app: Application, scene: Scene) -> OrbitControls:
        return OrbitControls(app, scene)

    def test_drag_turns_what_is_seen_with_the_mouse(
        self, app: Application, scene: Scene, controls: OrbitControls
    ) -> None:
        azimuth, elevation = scene.camera.azimuth, scene.camera.elevation
        app.pointer = Pointer(100, 100)
        app.events["mouse1"]()
        app.pointer = Pointer(130, 90)
        controls.update()
        controls.update()  # nothing more was dragged
        assert scene.camera.azimuth == pytest.approx((azimuth - 30 * TURN) % (2 * math.pi))
        assert scene.camera.elevation == pytest.approx(elevation - 10 * TURN)
        app.pointer = Pointer(999, 999, inside=False)
        app.events["mouse1-up"]()
        app.pointer = Pointer(500, 500)
        controls.update()  # released: the mouse only moves
        assert scene.camera.elevation == pytest.approx(elevation - 10 * TURN)

    def test_wheel(self, app: Application, scene: Scene) -> None:
        start = scene.camera.distance
        app.events["wheel_up"]()
        assert scene.camera.distance == pytest.approx(WHEEL * start)
        app.events["wheel_down"]()
        assert scene.camera.distance == pytest.approx(start)

    @pytest.mark.parametrize("button", ["mouse2", "mouse3", "shift-mouse1"])
    def test_pans_with_the_other_buttons_or_shift(
        self, app: Application, scene: Scene, controls: OrbitControls, button: str
    ) -> None:
        before = scene.camera.pose
        app.pointer = Pointer(100, 100)
        app.events[button]()
        app.pointer = Pointer(130, 90)
        controls.update()
        assert scene.camera.pose[1:] == before[1:] and scene.camera.target != before.target
        app.events[f"{button.removeprefix('shift-')}-up"]()
        after = scene.camera.pose
        app.pointer = Pointer(500, 500)
        controls.update()
        assert scene.camera.pose == after

    def test_of_two_buttons_the_last_one_counts(
        self, app: Application, scene: Scene, controls: OrbitControls
    ) -> None:
        app.pointer = Pointer(100, 100)
        app.events["mouse1"]()
        app.events["mouse3"]()
        app.events["mouse1-up"]()
        angles = scene.camera.azimuth, scene.camera.elevation
        app.pointer = Pointer(130, 90)
        controls.update()
        assert (scene.camera.azimuth, scene.camera.elevation) == angles
        assert scene.camera.target[:2] != (0.0, 0.0)

    def test_what_captures_the_mouse_keeps_the_camera_still(
        self, app: Application, scene: Scene
    ) -> None:
        controls = OrbitControls(app, scene, lambda x, y: x < 100)
        before = replace(scene.camera)
        app.pointer = Pointer(50, 50)
        for event in ("mouse3", "mouse1", "wheel_up", "wheel_down"):
            app.events[event]()
        app.pointer = Pointer(200, 90)  # dragged out of it: still the panel's
        controls.update()
        assert scene.camera == before
        app.events["mouse1-up"]()
        app.events["mouse1"]()
        app.pointer = Pointer(50, 90)  # and into it: still the camera's
        controls.update()
        assert scene.camera != before

    def test_what_captures_the_mouse_is_notified(self, app: Application, scene: Scene) -> None:
        heard: list[tuple[str, float, float]] = []

        class Listener:
            def hover(self, x: float, y: float) -> None: ...
            def leave(self) -> None: ...
            def click(self, x: float, y: float) -> None: ...

            def press(self, x: float, y: float) -> None:
                heard.append(("press", x, y))

            def drag(self, x: float, y: float) -> None:
                heard.append(("drag", x, y))

            def release(self) -> None:
                heard.append(("release", 0, 0))

        controls = OrbitControls(app, scene, lambda x, y: x < 100, Listener())
        app.pointer = Pointer(200, 90)
        app.events["mouse1"]()
        controls.update()
        app.events["mouse1-up"]()
        assert heard == [], "the camera's"
        app.pointer = Pointer(50, 90)
        app.events["mouse1"]()
        app.pointer = Pointer(300, 95)
        controls.update()
        app.events["mouse1-up"]()
        app.pointer = Pointer(50, 95)
        controls.update()
        assert heard == [("press", 50, 90), ("drag", 300, 95), ("drag", 300, 95), ("release", 0, 0)]

    def test_what_is_pointed_at_is_notified(self, app: Application, scene: Scene) -> None:
        """A mouse that moves hovers; one that is pressed and hardly moves clicks; one that drags,
        pans or is over a panel does neither."""
        heard: list[tuple[object, ...]] = []

        class Listener:
            def press(self, x: float, y: float) -> None: ...
            def drag(self, x: float, y: float) -> None: ...
            def release(self) -> None: ...

            def hover(self, x: float, y: float) -> None:
                heard.append(("hover", x, y))

            def leave(self) -> None:
                heard.append(("leave",))

            def click(self, x: float, y: float) -> None:
                heard.append(("click", x, y))

        controls = OrbitControls(app, scene, lambda x, y: x < 100, Listener())

        def at(x: float, y: float, inside: bool = True) -> list[tuple[object, ...]]:
            app.pointer = Pointer(x, y, inside)
            controls.update()
            found = heard[:]
            heard.clear()
            return found

        assert at(200, 90) == [("hover", 200, 90)]
        assert at(200, 90) == [], "it did not move"
        assert at(50, 90) == [("leave",)], "over a panel"
        assert at(60, 90) == []
        assert at(300, 90) == [("hover", 300, 90)]
        assert at(300, 90, inside=False) == [("leave",)]
        assert at(300, 90) == [("hover", 300, 90)]

        def press(button: str, *way: tuple[float, float]) -> list[tuple[object, ...]]:
            app.events[button]()
            found = [one for place in way for one in at(*place)]
            app.events[f"{button.rpartition('-')[2]}-up"]()
            found += heard
            heard.clear()
            return found

        before = scene.camera.pose
        assert press("mouse1", (301, 91)) == [("click", 300, 90)]
        assert at(301, 91) == [("hover", 301, 91)]
        assert press("mouse1", (340, 90), (301, 91)) == [], "dragged, and back"
        assert scene.camera.pose[:2] == before[:2]
        assert press("mouse3") == press("shift-mouse1") == press("mouse2") == []
        at(50, 90)
        assert press("mouse1") == [], "a panel's"
