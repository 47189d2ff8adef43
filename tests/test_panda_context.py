"""A picture under Panda3D is of its frame, or it is an error: whatever Panda, which tells nobody,
leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from opened_hosts import opened, play
from panda3d.core import Texture
from scene_folder import Agents, SceneFolder

from calf_viz.errors import UserError
from calf_viz.hosts import current_context
from calf_viz.hosts.base import Host
from calf_viz.hosts.panda import context as panda_context

SCENE = SceneFolder("frames", size=(160, 90), trail=40, steps=30, agents=[Agents(4, seed=1)])

pytestmark = pytest.mark.rendering


class Engine:
    """Panda's, of which some frames or readings go wrong."""

    def __init__(
        self,
        engine: Any,
        frame: Callable[[int], bool] = lambda _: True,
        reading: Callable[[int], bool | None] = lambda _: True,
    ) -> None:
        """frame: whether one is rendered, by its number. reading: whether one is done; None for
        one that is claimed to be."""
        self._engine, self._frame, self._reading = engine, frame, reading
        self.frames = self.readings = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def render_frame(self) -> None:
        self.frames += 1
        if self._frame(self.frames):
            self._engine.render_frame()

    def extract_texture_data(self, texture: Texture, gsg: Any) -> bool:
        self.readings += 1
        done = self._reading(self.readings)
        return bool(self._engine.extract_texture_data(texture, gsg)) if done else done is None


@pytest.fixture
def host() -> Iterator[Any]:
    with opened("panda", SCENE) as made:
        SCENE.play(made)
        yield made


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panda_context, "PATIENCE", 0.05)


def go_on(host: Host, step: int = 0) -> np.ndarray:
    """The picture after one more step."""
    host.push(SCENE.samples(step))
    host.draw()
    return host.screenshot()


class TestFrames:
    def test_those_that_are_left_out_are_drawn_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = play("panda", SCENE)
        with opened("panda", SCENE) as host:
            engine = Engine(host.context.engine, frame=lambda number: number % 3 == 0)
            monkeypatch.setattr(host.context, "engine", engine)
            assert np.array_equal(SCENE.play(host), expected)
            assert engine.frames >= 3 * SCENE.steps

    def test_where_none_is_drawn_any_more_it_is_an_error(
        self, host: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(host.context, "engine", Engine(host.context.engine, lambda _: False))
            with pytest.raises(UserError, match="draws no frame any more: start again"):
                go_on(host)
        host.draw()
        host.screenshot()  # whatever it was is over

    def test_one_in_no_context_is_none(self, host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A driver that refuses its context: Panda writes a line, and draws into nothing."""
        if not current_context.determinable():
            pytest.skip("there is nobody to ask here")

        class Refused(Engine):
            def render_frame(self) -> None:
                super().render_frame()
                if self.frames < 4:
                    current_context.release()

        engine = Refused(host.context.engine)
        monkeypatch.setattr(host.context, "engine", engine)
        host.push(SCENE.samples(0))
        host.draw()
        assert engine.frames == 4


class TestFramesOfAWindow:
    """It leaves one out now and then, while it is moved: the next takes its place."""

    class Refused(Engine):
        """Frames in no context, as the driver refuses it."""

        def render_frame(self) -> None:
            super().render_frame()
            if not self._frame(self.frames):
                current_context.release()

    @pytest.fixture
    def window(self, host: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        if not current_context.determinable():
            pytest.skip("there is nobody to ask here")
        monkeypatch.setattr(host.context, "steady", False)
        return host.context

    def render(self, window: Any) -> None:
        window.render(window._buffer)

    def test_now_and_then_is_no_trouble(self, window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        engine = self.Refused(window.engine, lambda number: number % 3 == 0)
        monkeypatch.setattr(window, "engine", engine)
        monkeypatch.setattr(panda_context, "PATIENCE", 600.0)
        for _ in range(9):
            self.render(window)
        assert engine.frames == 9, "none is drawn again"

    def test_one_that_is_drawn_no_more_is_an_error(
        self, window: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(window, "engine", self.Refused(window.engine, lambda _: False))
            patch.setattr(panda_context, "PATIENCE", 0.0)
            self.render(window)
            with pytest.raises(UserError, match="draws no frame any more: start again"):
                self.render(window)
        self.render(window)  # whatever it was is over

    def test_one_that_is_minimised_is_waited_for(
        self, window: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Panda draws none then, and says so."""

        class Minimised:
            this = 0

            def set_active(self, _: bool) -> None:
                pass

            def is_active(self) -> bool:
                return False

        monkeypatch.setattr(window, "engine", self.Refused(window.engine, lambda _: False))
        monkeypatch.setattr(panda_context, "PATIENCE", 0.0)
        for _ in range(3):
            window.render(Minimised())


class TestReading:
    @pytest.mark.parametrize("claimed", [False, None], ids=["refused", "claimed"])
    def test_an_old_picture_is_not_handed_out(
        self, host: Any, monkeypatch: pytest.MonkeyPatch, claimed: bool | None
    ) -> None:
        old = host.screenshot()
        with monkeypatch.context() as patch:
            engine = Engine(host.context.engine, reading=lambda _: claimed)
            patch.setattr(host.context, "engine", engine)
            for _ in range(2):
                with pytest.raises(UserError, match="gives nothing of the picture: start again"):
                    go_on(host)
            assert engine.readings == 2 * panda_context.READINGS
        assert (go_on(host) != old).any()

    def test_it_is_read_again(self, host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = host.screenshot()
        engine = Engine(host.context.engine, reading=lambda number: number == 2)
        monkeypatch.setattr(host.context, "engine", engine)
        assert np.array_equal(host.screenshot(), expected)
        assert engine.readings == 2

    def test_as_often_as_wanted(self, host: Any) -> None:
        """What was read before is not taken for an image to be uploaded."""
        first = host.screenshot()
        assert np.array_equal(host.screenshot(), first)
        host.draw()
        assert np.array_equal(host.screenshot(), first)
