"""The timeline of a recording: modes, episodes, critics, marks, and ways along it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calf_viz.errors import FileDamaged
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.stub import StubHost
from calf_viz.recording import summary
from calf_viz.recording.contents import Contents
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.recording.summary import Summary
from calf_viz.samples import Samples
from calf_viz.sources.replay import Replay
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", lo=(-1.0, -1.0), hi=(1.0, 1.0), modes=("a", "b", "c"))
SMALL = VisualizationConfig(headless=True, size=(640, 400), trail_length=20)


def recorded(folder: Path, rows: int = 90, agents: int = 4, flush_every: int = 10) -> Recording:
    """Thirty rows a critic; modes by thirds; an episode every 25 rows of agent 1."""
    recorder = Recorder(folder, VIEW)
    for row in range(rows):
        if row % 30 == 0:
            heights = np.full((3, 3), float(row)) + np.eye(3)
            recorder.critic(Heightfield(heights, VIEW.lo, VIEW.hi))
        first = np.zeros(agents, bool)
        first[min(1, agents - 1)] = row % 25 == 0
        at = np.full((agents, 2), 0.5 * np.sin(0.1 * row))
        recorder.see(Samples.of(at, modes=min(3 * row // rows, 2), first=first, step=2 * row))
        if row % flush_every == 0:
            recorder.flush()
    recorder.close()
    return Recording(folder)


def read_all(found: Summary) -> None:
    while not found.complete:
        found.read()


def test_shares_of_modes_along_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "PIECE_BLOCKS", 1)
    recording = recorded(tmp_path / "a.calf")
    found = Summary(recording, 3)
    shares, _ = found.columns(9)
    assert np.isnan(shares).all(), "nothing was read yet"
    found.read()
    known = np.isfinite(found.columns(90)[0][:, 0])
    assert known[:1].all() and not known[-1:].any()
    read_all(found)
    shares, episodes = found.columns(9)
    np.testing.assert_allclose(shares, np.repeat(np.eye(3), 3, axis=0), atol=1e-9)
    np.testing.assert_allclose(episodes, [1, 0, 1, 0, 0, 1, 0, 1, 0], atol=1e-9)


@pytest.fixture(scope="module")
def many_blocks(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Some 2000 blocks, of a row each; an episode every 5 rows."""
    folder = tmp_path_factory.mktemp("timeline") / "a.calf"
    recorder = Recorder(folder, VIEW)
    for row in range(2000):
        first = np.array([row % 5 == 0])
        modes = min(3 * row // 2000, 2)
        recorder.see(Samples.of(np.zeros((1, 2)), modes=modes, first=first, step=row))
        recorder.flush()
    recorder.close()
    return Recording(folder)


def test_many_small_blocks_are_all_read_and_few_at_a_time(many_blocks: Recording) -> None:
    recording = many_blocks
    assert recording.blocks > 1500
    found, pieces = Summary(recording, 3), 0
    while not found.complete:
        found.read()
        pieces += 1
    assert found.state[0] == recording.blocks
    assert recording.blocks / 40 < pieces < recording.blocks / 20
    shares, episodes = found.columns(160)
    assert np.isfinite(shares).all()
    assert episodes.sum() == pytest.approx(400)
    np.testing.assert_allclose(found.columns(40)[1], np.full(40, 10.0))


def test_few_bins_count_the_same(many_blocks: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MOST_BINS", 64)
    found = Summary(many_blocks, 3)
    read_all(found)
    shares, episodes = found.columns(10)
    np.testing.assert_allclose(episodes, np.full(10, 40.0), atol=2.0)
    assert (shares.argmax(axis=1) == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]).all()


@pytest.mark.parametrize("bound", ["MOST_BLOCKS", "MOST_BYTES"])
def test_a_long_recording_is_read_in_part(
    many_blocks: Recording, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    there = {"MOST_BLOCKS": many_blocks.blocks, "MOST_BYTES": many_blocks.bytes}[bound]
    monkeypatch.setattr(summary, bound, there // 4 + 1)
    found = Summary(many_blocks, 3)
    read_all(found)
    assert found.state[0] == pytest.approx(many_blocks.blocks / 4, abs=1)
    shares, episodes = found.columns(20)
    assert np.isfinite(shares).all()
    assert (shares.argmax(axis=1)[[0, 10, -1]] == [0, 1, 2]).all()
    np.testing.assert_allclose(episodes, np.full(20, 20.0), atol=4.0, err_msg="as estimated")
    assert episodes.sum() == pytest.approx(400, rel=0.05)


def test_no_agents_have_no_shares(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(Samples.of(np.zeros((0, 2))))
    recorder.close()
    found = Summary(Recording(tmp_path / "a.calf"), 3)
    read_all(found)
    assert np.isnan(found.columns(3)[0]).all()


def test_it_follows_a_recording_that_grows(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(Samples.of(np.zeros((2, 2)), modes=0))
    recorder.flush()
    recording = Recording(tmp_path / "a.calf")
    found = Summary(recording, 3)
    read_all(found)
    recorder.see(Samples.of(np.zeros((2, 2)), modes=1))
    recorder.close()
    recording.refresh()
    assert not found.complete
    read_all(found)
    np.testing.assert_allclose(found.columns(2)[0], np.eye(3)[:2])


def test_marks_are_kept_beside_a_recording(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf")
    sealed = {file: file.read_bytes() for file in sorted((tmp_path / "a.calf").iterdir())}
    contents = Contents(recording)
    assert contents.toggle_mark(40) and contents.toggle_mark(7)
    assert contents.toggle_mark(50) and contents.toggle_mark(50) is False
    assert contents.marks() == [7, 40]
    assert Contents(Recording(tmp_path / "a.calf")).marks() == [7, 40]
    for file, data in sealed.items():
        assert file.read_bytes() == data, "nothing of the recording itself changes"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2, "steps": []}', '{"format": 1, "steps": 3}',
     '{"format": 1, "steps": [-1]}', '{"format": 1, "steps": [1.5]}',
     '{"format": 1, "steps": ["a"]}', '{"format": 1, "steps": [true]}',
     '{"format": 1, "steps": [1e400]}', "{" * 5000],
)  # fmt: skip
def test_marks_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    recording = recorded(tmp_path / "a.calf", rows=3)
    (recording.folder / "marks.json").write_text(text)
    with pytest.raises(FileDamaged, match=r"marks\.json"):
        Contents(recording)


def test_marks_are_looked_up_when_one_changes_alone(tmp_path: Path) -> None:
    contents = Contents(recorded(tmp_path / "a.calf"))
    contents.toggle_mark(40)
    marks = contents.marks()
    assert contents.marks() is marks == [40]
    contents.toggle_mark(30)
    assert contents.marks() == [30, 40] and marks == [40]


def test_a_mark_of_a_step_that_is_not_written_yet(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(Samples.of(np.zeros((2, 2)), step=0))
    recorder.flush()
    recording = Recording(tmp_path / "a.calf")
    contents = Contents(recording)
    contents._marks.add_recorded(5)  # events come before the rows that they belong to
    assert contents.marks() == [0], "the nearest there is"
    for step in range(1, 9):
        recorder.see(Samples.of(np.zeros((2, 2)), step=step))
    recorder.close()
    recording.refresh()
    assert contents.marks() == [5]


def test_marks_set_while_recording_are_in_it(tmp_path: Path) -> None:
    config = replace(SMALL, n_agents=2, record=tmp_path / "a.calf")
    with CALFApplication(config, host=StubHost) as app:
        actions = app.actions.by_name
        for step in range(20):
            app.step()
            if step == 5:
                actions["mark"]()
        actions["step_back"](), actions["step_back"]()
        actions["mark"]()
        assert app.marks.rows == [5, 17]
    recording = Recording(tmp_path / "a.calf")
    assert [event.step for event in recording.events() if event.kind == "mark"] == [5, 17]
    with CALFApplication(SMALL, source=Replay(recording), host=StubHost) as app:
        app.step()
        assert app.marks.rows == [5, 17]
        app.playhead.go(5)
        app.actions.by_name["mark"]()
        assert app.actions.notice == "that mark is in the recording itself"


def test_marks_that_cannot_be_written_hold_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Replay(recorded(tmp_path / "a.calf"))
    (tmp_path / "a.calf" / "marks.json").mkdir()  # of which nothing can be replaced
    with CALFApplication(SMALL, source=source, host=StubHost) as app:
        app.step()
        app.actions.by_name["mark"]()
        assert app.marks.rows == [0]
        assert "until the window is closed" in (app.actions.notice or "")


def test_ways_along_a_recording(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf"))
    config = replace(SMALL, chosen=1)
    with CALFApplication(config, source=source, host=StubHost) as app:
        app.step()
        actions, head = app.actions.by_name, app.playhead

        def after(*names: str) -> int:
            for name in names:
                actions[name]()
                app.draw()
            return head.at

        assert after("next_critic", "next_critic") == 60
        assert after("next_critic") == 60 and "no critic after" in (app.actions.notice or "")
        assert after("previous_critic") == 30
        assert after("previous_episode") == 25
        assert after("next_episode", "next_episode") == 75
        assert after("next_episode") == 75 and "agent 1" in (app.actions.notice or "")
        assert after("loop") == 75 and not app.playback.looping, "there are no marks"
        assert after("mark", "previous_episode", "mark") == 50
        assert after("next_mark") == 75
        assert after("previous_mark", "single_step") == 51
        after("loop", "pause")
        assert app.playback.text == "loop"
        seen = []
        for _ in range(60):
            app._step(app.playback.take())
            seen.append(head.at)
        assert set(seen) == set(range(50, 76)) and seen[24] == 50
        after("backwards")
        seen = []
        for _ in range(30):
            app._step(app.playback.take())
            seen.append(head.at)
        assert set(seen) == set(range(50, 76)) and np.all(np.diff(seen)[np.diff(seen) < 20] == -1)
        after("loop")
        for _ in range(40):
            app._step(app.playback.take())
        assert head.at < 50


def test_every_step_on_the_newest_critic(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf"))
    with CALFApplication(SMALL, source=source) as app:
        app.seek(35)
        app.draw()
        app.actions.by_name["todays_critic"]()
        app.draw()
        assert app.playhead.at == 35, "the trail stays where it is"
        assert app.host.heightfield.range[0] == 60.0
        assert app.hud is not None and "critic 3 of 3, the newest" in app.hud.values["timeline"]
        app.actions.by_name["todays_critic"]()
        app.draw()
        assert app.host.heightfield.range[0] == 30.0
        assert "critic 2 of 3" in app.hud.values["timeline"]


class Learner:
    """A live source with a new surface every ten steps."""

    view = View("walk", lo=(-1.0, -1.0), hi=(1.0, 1.0))

    def __init__(self) -> None:
        self.taken = 0

    def step(self) -> Samples:
        self.taken += 1
        return Samples.of(np.full((2, 2), 0.01 * self.taken))

    def surface(self) -> Heightfield | None:
        if self.taken % 10:
            return None
        return Heightfield(np.full((3, 3), float(self.taken)) + np.eye(3), (-1, -1), (1, 1))

    def close(self) -> None:
        pass


def test_looking_back_at_a_live_source_shows_the_critic_of_then() -> None:
    with CALFApplication(SMALL, source=Learner(), host=StubHost) as app:
        for _ in range(45):
            app.step()
        assert app.host.heightfield.range[0] == 40.0
        app.playhead.hold(), app.playhead.go(25)
        app.draw()
        assert app.host.heightfield.range[0] == 20.0 and app.host.morph < 1.0, "it morphs"
        app.step()  # the source goes on
        assert app.playhead.at == 25 and app.host.heightfield.range[0] == 20.0
        app.actions.by_name["previous_critic"]()
        app.draw()
        assert app.playhead.at == 19 and app.host.heightfield.range[0] == 20.0
        app.actions.by_name["step_back"]()
        app.draw()
        assert app.host.heightfield.range[0] == 10.0
        app.actions.by_name["todays_critic"]()
        app.draw()
        assert app.playhead.at == 18 and app.host.heightfield.range[0] == 40.0
        app.actions.by_name["todays_critic"]()
        app.actions.by_name["last_step"]()
        for _ in range(6):
            app.step()
        assert app.host.heightfield.range[0] == 50.0


def test_small_windows_have_a_small_timeline_or_none(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf")
    for size, expected in (((1280, 720), True), ((480, 300), True), ((240, 150), False)):
        source = Replay(Recording(recording.folder))
        with CALFApplication(replace(SMALL, size=size), source=source) as app:
            for _ in range(3):
                app.step()
            assert app.hud is not None
            assert ("timeline" in app.hud.placed) == expected
            rects = app.hud.rectangles()
            assert all(rect.within(size) for rect in rects)
            placed = list(app.hud.placed.values())
            assert not any(a.overlaps(b) for i, a in enumerate(placed) for b in placed[i + 1 :])


@pytest.mark.parametrize("agents", [1, 4])
def test_one_row(tmp_path: Path, agents: int) -> None:
    source = Replay(recorded(tmp_path / "a.calf", rows=1, agents=agents))
    with CALFApplication(SMALL, source=source) as app:
        for name in ("step_back", "last_step", "first_step", "mark", "loop", "next_episode",
                     "next_critic", "backwards", "single_step"):  # fmt: skip
            app.step()
            app.actions.by_name[name]()
            app.draw()
            assert app.playhead.at == 0 and app.failure is None
    assert json.loads((tmp_path / "a.calf" / "marks.json").read_text())["steps"] == [0]


def test_episodes_are_seen_below_the_modes(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf"))
    with CALFApplication(replace(SMALL, size=(1280, 720)), source=source) as app:
        for _ in range(3):
            app.step()
        picture = app.screenshot().astype(int)
        assert app.hud is not None
        rect = app.hud.placed["timeline"]
    row = picture[rect.y + 38, rect.x + 13 : rect.right - 13].max(axis=1)
    light = row > 120
    assert light.any() and not light.all()
    begun = np.flatnonzero(np.diff(light.astype(int)) == 1) / len(row)
    np.testing.assert_allclose(begun[-3:], [25 / 90, 50 / 90, 75 / 90], atol=0.02)


def test_space_at_the_end_begins_again(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf"))
    with CALFApplication(SMALL, source=source, host=StubHost) as app:
        app.step()
        actions = app.actions.by_name
        actions["last_step"](), actions["pause"]()
        assert app.playhead.at == 0 and not app.playback.paused
        assert app.actions.notice == "from the beginning"
        actions["backwards"](), actions["pause"]()
        assert app.playhead.at == 89 and not app.playback.paused
        app._step(app.playback.take())
        assert app.playhead.at == 88
        actions["pause"]()
        assert app.playhead.at == 88 and app.playback.paused


def test_a_recording_that_may_grow_says_so(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(Samples.of(np.zeros((2, 2)), step=0))
    recorder.see(Samples.of(np.zeros((2, 2)), step=1))
    recorder.flush()
    source = Replay(Recording(tmp_path / "a.calf"))
    with CALFApplication(SMALL, source=source, host=StubHost) as app:
        app.step()
        app.draw()
        assert app.hud is not None
        assert app.hud.values["timeline"].endswith("row 1 of 2 so far (live or crashed)")
        assert source.notice == "no critic was recorded: the plane is flat"
        app.step(), app.step()
        assert "the end so far" in (source.notice or "")
        app.actions.by_name["pause"]()
        assert app.playhead.at == 1 and app.playback.paused, "it waits for more"
    recorder.close()
