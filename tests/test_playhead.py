"""Looking back: the picture of then, without anything uploaded, whatever the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield
from calf_viz.hosts.stub import StubHost
from calf_viz.samples import Samples
from calf_viz.sources.base import Source
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig
from calf_viz.viewer.kept_critics import KeptCritics
from calf_viz.viewer.playback import Playback

TRAIL = 40


def config(**changes: object) -> VisualizationConfig:
    settings = dict(
        n_agents=5, headless=True, hud=False, size=(200, 120), trail_length=TRAIL, grid=16,
        camera="plane",
    )  # fmt: skip
    return VisualizationConfig(**settings | changes)


@pytest.mark.rendering
@pytest.mark.parametrize("system", ["point_mass", "differential_drive", "pendulum"])
def test_a_step_back_has_the_picture_of_then(system: str) -> None:
    """To the last bit, and by one uniform: whatever happened since, and however often the ring was
    written over."""
    with CALFApplication(config(system=system)) as app:
        live = []
        for step in range(4 * TRAIL + 70):
            if step == 150:
                app.n_agents = 8
            if step == 190:
                app.n_agents = 3
            app.step()
            live.append(app.screenshot())
        head = app.playhead
        assert head.at == head.newest == len(live) - 1
        assert head.first == len(live) - 1 - (4 * TRAIL - 1 - TRAIL)
        app.host.frame_counts()
        for row in (head.newest - 1, 200, 170, 149, head.first, 191, head.newest):
            head.go(row)
            app.draw()
            assert head.at == row
            np.testing.assert_array_equal(app.screenshot(), live[row], err_msg=f"row {row}")
            counts = app.host.frame_counts()
            assert counts["upload_bytes"] == counts["ring_draws"] == 0
            assert counts["draw_calls"] == 1
        head.go(0)
        assert head.at == head.first, "as far back as there are whole trails"


@pytest.mark.rendering
def test_one_goes_on_from_where_one_looked() -> None:
    with CALFApplication(config()) as app:
        for _ in range(30):
            app.step()
        newest = app.screenshot()
        actions = app.actions.by_name
        actions["step_back"](), actions["step_back"]()
        app.draw()
        assert app.playback.paused and app.playhead.at == 27
        actions["single_step"]()
        assert app.playhead.at == 28 and app.playback.take() == 0
        actions["pause"]()
        app.step()
        assert app.playhead.at == 29 and not app.playback.paused
        np.testing.assert_array_equal(app.screenshot(), newest)
        app.step()
        assert app.playhead.at == app.playhead.newest == 30
        actions["first_step"]()
        assert app.playhead.at == 0 and app.playback.paused
        actions["last_step"]()
        assert app.playhead.at == 30 and not app.playback.paused
        actions["pause"](), actions["step_back"](), actions["last_step"]()
        assert app.playback.paused, "who paused by hand goes on by hand"
        actions["single_step"]()
        app._step(app.playback.take())
        assert app.playhead.at == app.playhead.newest == 31


class Walk:
    """A live source: `waiting` steps have arrived since it was asked."""

    view = View("walk", lo=(-1.0, -1.0), hi=(1.0, 1.0), live=True)

    def __init__(self) -> None:
        self.waiting, self.taken = 0, 0

    def step(self) -> Samples | None:
        if not self.waiting:
            return None
        self.waiting -= 1
        self.taken += 1
        turn = 0.1 * self.taken + np.arange(3.0)
        return Samples.of(0.5 * np.stack([np.cos(turn), np.sin(turn)], axis=1))

    def surface(self) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def walk() -> Iterator[tuple[Walk, CALFApplication]]:
    source = Walk()
    shown: Source = source
    with CALFApplication(config(), source=shown, host=StubHost) as app:
        yield source, app


def arrive(walk: tuple[Walk, CALFApplication], steps: int) -> None:
    """A frame with new steps."""
    walk[0].waiting = steps
    walk[1]._step(walk[1].playback.take())


def test_a_live_source_goes_on_while_one_looks_back(walk: tuple[Walk, CALFApplication]) -> None:
    _, app = walk
    head, actions = app.playhead, app.actions.by_name
    for _ in range(10):
        arrive(walk, 3)
    assert head.at == head.newest == 29
    actions["step_back"]()
    for _ in range(4):
        arrive(walk, 5)
    assert (head.at, head.newest) == (28, 49) and head.behind and not app.playback.paused
    arrive(walk, 0)
    assert head.at == 28
    # Held for longer than the ring has whole trails, it shows the oldest of these.
    for _ in range(20):
        arrive(walk, 10)
    assert (head.newest, head.at) == (249, 249 - (4 * TRAIL - 1 - TRAIL))
    actions["last_step"]()
    arrive(walk, 2)
    assert head.at == head.newest == 251 and not head.behind


def test_who_is_behind_a_live_source_stays_so_or_catches_up(
    walk: tuple[Walk, CALFApplication],
) -> None:
    _, app = walk
    head, actions = app.playhead, app.actions.by_name
    for _ in range(10):
        arrive(walk, 10)
    head.hold(), head.go(50)
    actions["pause"]()  # go on from there
    assert not app.playback.paused
    arrive(walk, 10)
    assert (head.at, head.newest) == (60, 109)
    actions["faster"]()
    arrive(walk, 10)
    assert (head.at, head.newest) == (80, 119)
    arrive(walk, 0)
    assert (head.at, head.newest) == (82, 119), "and goes on when nothing arrives"
    for _ in range(3):
        arrive(walk, 20)
    assert head.at == head.newest == 179
    for _ in range(5):
        actions["slower"]()
    for _ in range(9):
        arrive(walk, 1)
    assert head.newest == 188 and head.at == 180, "an eighth as fast"
    actions["backwards"]()
    for _ in range(8):
        arrive(walk, 1)
    assert head.newest == 196 and head.at == 179


def test_where_nothing_is_kept_no_key_goes_back() -> None:
    with CALFApplication(config(renderer="batched")) as app:
        for _ in range(5):
            app.step()
        assert app.playhead.first == app.playhead.newest
        assert not {"step_back", "first_step", "faster"} & set(app.actions.by_name)


def test_before_the_first_step_there_is_nowhere_to_go(walk: tuple[Walk, CALFApplication]) -> None:
    _, app = walk
    for name in ("step_back", "first_step", "last_step", "backwards"):
        app.actions.by_name[name]()
        app.draw()
    assert app.playhead.at == -1


def test_a_source_that_starts_over_is_not_looked_back_into() -> None:
    with CALFApplication(config(), host=StubHost) as app:
        for _ in range(5):
            app.step()
        app.playhead.go(2)
        app.restart()
        assert app.playhead.at == -1
        app.step()
        assert app.playhead.at == 0 and not app.playhead.behind


def test_a_source_that_starts_over_has_no_marks_of_before() -> None:
    with CALFApplication(config(), host=StubHost) as app:
        actions = app.actions.by_name
        for step in range(9):
            app.step()
            if step in (3, 6):
                actions["mark"]()
        actions["previous_mark"](), actions["loop"]()
        assert app.marks.rows == [3, 6] and app.playback.looping
        app.restart()
        assert not app.marks.rows
        assert app.playhead.loop is None and not app.playback.looping
        for _ in range(4):
            app._step(1)
        actions["mark"]()
        assert app.actions.notice == "marked" and app.marks.rows == [app.playhead.at]


def test_marks_and_loops_that_the_ring_has_no_more_are_gone(
    walk: tuple[Walk, CALFApplication],
) -> None:
    _, app = walk
    head, actions = app.playhead, app.actions.by_name
    for _ in range(2):
        arrive(walk, 5)
        actions["mark"]()
    actions["step_back"](), actions["loop"](), actions["pause"]()
    assert app.marks.rows == [4, 9] and head.loop == (4, 9) and app.playback.looping
    for _ in range(14):
        arrive(walk, 10)
    assert head.first > 9
    assert not app.marks.rows and head.loop is None and not app.playback.looping
    actions["previous_mark"]()
    assert "no mark before" in (app.actions.notice or "")


def test_surfaces_of_then_are_those_that_began_before_a_row() -> None:
    kept = KeptCritics()
    fields = [Heightfield(np.full((3, 3), float(n)), (-1, -1), (1, 1)) for n in range(9)]
    for number, field in enumerate(fields):
        kept.see(field, 10 * number, first=25)
    assert list(kept.rows) == [20, 30, 40, 50, 60, 70, 80]
    assert kept.take(45) is fields[4] and kept.take(49) is None
    assert kept.take(50) is fields[5] and kept.take(3) is fields[2]
    kept.of_today = True
    assert kept.take(3) is fields[8]


def test_rates() -> None:
    playback = Playback()
    assert playback.text is None
    playback.change_rate(2)
    assert playback.take() == 4 and playback.text == "▶ 4x"
    playback.change_rate(9)
    assert playback.take() == 64
    playback.change_rate(-99)
    assert sum(playback.take() for _ in range(16)) == 2 and playback.text == "▶ 1/8x"
    playback.change_rate(3)
    playback.backwards = True
    assert playback.take() == -1 and playback.text == "◀"
    playback.toggle()
    assert playback.take() == 0 and playback.text == "paused ◀"


def test_texts_are_those_of_then(tmp_path: Path) -> None:
    texts = []
    with CALFApplication(config(hud=True, size=(640, 400))) as app:
        for _ in range(60):
            app.step()
            app.screenshot()
            assert app.hud is not None
            texts.append({k: v for k, v in app.hud.values.items() if k != "timeline"})
        for row in (40, 20, 59, 30):
            app.playhead.go(row)
            app.draw()
            app.screenshot()
            then = {k: v for k, v in app.hud.values.items() if k != "timeline"}
            assert then == texts[row]
            assert ("timeline" in app.hud.values) == (row != 59)


def test_only_a_recording_is_forked_and_the_key_says_so() -> None:
    with CALFApplication(config(), host=StubHost) as app:
        app.step()
        app.actions.by_name["fork"]()
        assert app.actions.notice == "fork: only of a recording, as `record` writes one"
        assert app.actions.refused == {"fork"}, "the line of keys leaves it out"
