"""Several steps a frame: as many as were asked for, in one upload and one draw into the ring."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield

VIEW = View("line")


class Walk:
    """Three agents, each step a little further; its steps are numbered, so that none is lost."""

    view = VIEW

    def __init__(self, most: int = 10**9) -> None:
        self.asked, self.most = 0, most
        self.told: list[str] = []

    def step(self) -> Samples | None:
        if self.asked == self.most:
            return None
        self.asked += 1
        at = -4.0 + 0.01 * self.asked
        return Samples.of([[at, 0.0], [at, 1.0], [0.0, at]], step=self.asked)

    def surface(self) -> Heightfield | None:
        return None

    def pause(self, paused: bool) -> None:
        pass

    def single_step(self) -> None:
        self.told.append("single")

    def close(self) -> None:
        pass


def showing(source: Any, **changes: Any) -> CALFApplication:
    asked = {"size": (320, 180), "trail_length": 60, "headless": True, "hud": False}
    return CALFApplication(VisualizationConfig(**{**asked, **changes}), source=source)


@pytest.mark.rendering
class TestSpeed:
    @pytest.mark.parametrize("speed", [1, 2, 7, 64])
    def test_a_frame_is_one_upload_and_one_draw_into_the_ring(self, speed: int) -> None:
        source, counted = Walk(), []
        with showing(source, speed=speed) as app:
            app.profiler.count_all = counted.append
            for frame in range(1, app.host.layout.slots // speed):
                app.step()
                counts = counted[-1]
                assert source.asked == frame * speed == app.host.packer.step + 1
                if frame > 1:
                    assert counts["ring_draws"] == counts["draw_calls"] == 1
                    steps = 1 << (speed - 1).bit_length()  # whole textures, of powers of two
                    assert counts["upload_bytes"] == steps * app.host.layout.row_bytes
            assert app.failure is None

    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_the_picture_is_that_of_as_many_single_steps(self, renderer: str) -> None:
        pictures = []
        for speed, frames in ((1, 72), (8, 9)):
            with showing(Walk(), renderer=renderer, speed=speed) as app:
                for _ in range(frames):
                    app.step()
                pictures.append(app.screenshot())
        assert np.array_equal(*pictures)

    def test_fewer_are_taken_where_there_are_no_more(self) -> None:
        with showing(Walk(most=5), speed=3) as app:
            for _ in range(4):
                app.step()
            assert app.host.packer.step == 4 and app.failure is None

    def test_a_single_step_is_one(self) -> None:
        source = Walk()
        with showing(source, speed=16) as app:
            app.step()
            app.playback.single_step()
            app.step()
            assert source.asked == 17 and source.told == ["single"]

    def test_it_is_shown_and_may_be_assigned(self) -> None:
        source = Walk()
        with showing(source, hud=True) as app:
            app.step()
            assert "steps_a_frame" not in app.hud.values, "one is what everybody expects"
            app.config.speed = 4
            app.step()
            assert app.hud.values["steps_a_frame"] == "4" and source.asked == 5
            with pytest.raises(UserError, match="speed 65 is out of range: give 1 to 64"):
                app.config.speed = 65

    def test_steps_that_come_by_themselves_have_none(self) -> None:
        source = Walk()
        source.view = replace(VIEW, live=True)
        with pytest.raises(UserError, match="`speed`: the source's steps arrive by themselves"):
            showing(source, speed=2)
        source.most = 3
        with showing(source) as app:
            with pytest.raises(UserError, match=r"speed .*the source's steps arrive by themselves"):
                app.config.speed = 2
            app.step()
            assert app.host.packer.step == 2

    def test_a_simulation_takes_it_as_well(self) -> None:
        config = VisualizationConfig(size=(160, 90), headless=True, speed=5, n_agents=2)
        with CALFApplication(config) as app:
            app.step()
            app.advance()
            assert app.host.packer.step == 9
