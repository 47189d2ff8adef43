"""What the HUD says: right numbers, at their intervals, and the critic asked no more often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scene_folder import POINT_MASS

from calf_viz.heightfield import Heightfield
from calf_viz.hud.hud import Hud
from calf_viz.samples import Samples
from calf_viz.viewer.playback import Playback
from calf_viz.viewer.readings import Readings
from calf_viz.viewer.stats_cache import StatsCache

TEXT_EVERY, VALUE_EVERY, FPS_EVERY = 5, 10, 30

# Height x + 100, from 95 to 105.
RAMP = Heightfield(np.array([[95.0, 105.0], [95.0, 105.0]]), (-5.0, -5.0), (5.0, 5.0))


def samples(x: float, modes: list[int]) -> Samples:
    positions = np.full((len(modes), 2), x, np.float32)
    return Samples(positions, np.array(modes, np.uint8), np.zeros(len(modes), bool), None)


def cache(enabled: bool = True) -> StatsCache:
    intervals = {"texts": TEXT_EVERY, "value": VALUE_EVERY, "fps": FPS_EVERY}
    return StatsCache(intervals, enabled=enabled)


class Critic:
    """Says 100 + x for agents at x, and how often it was asked."""

    def __init__(self) -> None:
        self.x, self.asked = 0.0, 0

    def __call__(self, samples: Samples) -> float:
        self.asked += 1
        return 100.0 + self.x


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestReadings:
    @pytest.fixture
    def hud(self) -> Hud:
        return Hud([])

    def test_what_it_says(self, hud: Hud) -> None:
        critic = Critic()
        critic.x = 2.0
        readings = Readings(hud, cache(), POINT_MASS, critic)
        readings.see(samples(2.0, [0, 0, 2, 1, 0]))
        readings.frame(RAMP)
        assert hud.values == {
            "step": "1", "time": "0.01 s", "agents": "5", "mean_value": "102.0",
            "mode_0": "3", "mode_1": "1", "mode_2": "1",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("dt", "said"),
        [(0.01, "0.30 s"), (0.05, "1.50 s"), (2.0, "60 s"), (1e-9, "3.0e−8 s"), (None, None)],
    )
    def test_time_is_simulated_and_resolves_a_step(
        self, hud: Hud, dt: float | None, said: str | None
    ) -> None:
        readings = Readings(hud, cache(), replace(POINT_MASS, dt=dt), Critic())
        for _ in range(30):
            readings.see(samples(0.0, [0]))
        readings.refresh(RAMP)
        assert hud.values.get("time") == said

    def test_episodes_are_those_of_all_agents_but_the_one_in_training(self, hud: Hud) -> None:
        readings = Readings(hud, cache(), replace(POINT_MASS, trainee=1), Critic())
        readings.trainee_apart = True
        readings.see(Samples.of(np.zeros((3, 2)), [0, 0, 0]))
        readings.refresh(RAMP)
        assert "episodes" not in hud.values, "a source without any"
        for first in ([True, True, True], [False, True, True], [False, False, False]):
            readings.see(Samples.of(np.zeros((3, 2)), [0, 0, 0], first=first))
        readings.refresh(RAMP)
        assert hud.values["episodes"] == "3"

    def test_the_agent_in_training_counts_unless_it_has_a_panel(self, hud: Hud) -> None:
        readings = Readings(hud, cache(), replace(POINT_MASS, trainee=1), Critic())
        for apart, agents in ((False, "3"), (True, "2")):
            readings.trainee_apart = apart
            readings.see(samples(2.0, [0, 2, 1]))
            readings.refresh(RAMP)
            assert hud.values["agents"] == agents

    def test_texts_and_values_at_their_intervals(self, hud: Hud) -> None:
        critic = Critic()
        readings = Readings(hud, cache(), POINT_MASS, critic)
        steps, values = [], []
        for frame in range(2 * VALUE_EVERY):
            critic.x = 0.1 * frame
            readings.see(samples(0.1 * frame, [0]))
            readings.frame(RAMP)
            steps.append(hud.values["step"])
            values.append(hud.values["mean_value"])
        changes = [i for i in range(1, len(steps)) if steps[i] != steps[i - 1]]
        assert changes == list(range(TEXT_EVERY, len(steps), TEXT_EVERY))
        assert [i for i in range(1, len(values)) if values[i] != values[i - 1]] == [VALUE_EVERY]
        assert steps[VALUE_EVERY] == str(VALUE_EVERY + 1)
        assert critic.asked == 2

    def test_without_the_cache_all_is_new_in_every_frame(self, hud: Hud) -> None:
        critic = Critic()
        readings = Readings(hud, cache(enabled=False), POINT_MASS, critic)
        for step in range(1, 5):
            critic.x = float(step)
            readings.see(samples(float(step), [0]))
            readings.frame(RAMP)
            assert hud.values["step"] == str(step)
            assert hud.values["mean_value"] == f"{100.0 + step:.1f}"

    def test_stale_until_refreshed(self, hud: Hud) -> None:
        readings = Readings(hud, cache(), POINT_MASS, Critic())
        readings.refresh(RAMP)
        assert hud.values == {}, "nothing was seen"
        for step in range(3):
            readings.see(samples(0.0, [0]))
            readings.frame(RAMP)
            assert readings.stale == (step > 0)
        readings.refresh(RAMP)
        assert not readings.stale and hud.values["step"] == "3"

    def test_frame_rate_only_where_asked_for(self, hud: Hud) -> None:
        Readings(hud, cache(), POINT_MASS, Critic()).frame(RAMP)
        assert "fps" not in hud.values
        clock = Clock()
        readings = Readings(hud, cache(), POINT_MASS, Critic(), timed=True, clock=clock)
        for _ in range(FPS_EVERY):
            readings.frame(RAMP)
            assert hud.values["fps"] == "–"
            clock.now += 0.02
        readings.frame(RAMP)
        assert hud.values["fps"] == "50"


class TestPlayback:
    def test_runs_at_start(self) -> None:
        assert all(Playback().take() for _ in range(3))

    def test_pause_and_go_on(self) -> None:
        playback = Playback()
        playback.toggle()
        assert playback.paused and not playback.take()
        playback.toggle()
        assert playback.take() and playback.take()

    def test_single_steps(self) -> None:
        playback = Playback()
        playback.single_step(), playback.single_step()
        assert playback.paused
        assert [playback.take() for _ in range(4)] == [True, True, False, False]

    def test_going_on_forgets_single_steps(self) -> None:
        playback = Playback()
        playback.single_step()
        playback.toggle(), playback.toggle()
        assert not playback.take()
