"""Shaders rebuilt while the program draws: what was good stays, what is wrong is told, and files
may be saved in any of the ways in which editors do it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import watchfiles
from applications import running
from opened_hosts import opened
from scene_folder import HOSTS, Agents, SceneFolder
from waiting import PATIENCE, soon
from written_looks import BROKEN, GREEN, RED, covers, picture, surface

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.hosts.base import Host
from calf_viz.hud.problem_notice import ProblemNotice
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import AppliedLook
from calf_viz.workbench.watch import Watcher

SCENE = SceneFolder("live", size=(160, 90), trail=60, steps=40, agents=[Agents(5, seed=1)])


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, look: Path) -> Iterator[Host]:
    with opened(request.param, SCENE, library=ShaderLibrary(look)) as made:
        SCENE.play(made)
        yield made


@pytest.mark.rendering
class TestReload:
    """A host's own part, under Panda3D and moderngl alike."""

    def test_the_last_good_picture_stays_and_the_first_comes_back(
        self, host: Host, look: Path
    ) -> None:
        file, first = look / "surface_colour.glsl", picture(host)
        assert host.reload() is False, "nothing changed"
        file.write_text(RED)
        assert host.reload() is True
        red = picture(host)
        assert covers(red, [255, 0, 0])
        for broken in (BROKEN, "", "vec3 surface_colour(", surface("colour", "uniform int u_x;\n")):
            file.write_text(broken)
            with pytest.raises(ShaderError):
                host.reload()
            assert np.array_equal(picture(host), red)
        file.unlink()
        assert host.reload() is True
        assert np.array_equal(picture(host), first)

    def test_an_included_file_takes_part(self, host: Host, look: Path) -> None:
        (look / "lib").mkdir()
        text = (shader_folder() / "lib" / "ring.glsl").read_text()
        (look / "lib" / "ring.glsl").write_text(text + "broken\n")
        with pytest.raises(ShaderError) as error:
            host.reload()
        (problem,) = error.value.problems
        assert (problem.path, problem.code) == (look / "lib" / "ring.glsl", "broken")
        assert problem.line == len(text.splitlines()) + 1

    def test_all_or_nothing(self, host: Host, look: Path) -> None:
        """A good scene does not come with a broken HUD: both are one state of the files."""
        words = SceneFolder.read("hud").hud
        assert words is not None
        host.set_hud(words.hud())
        first = picture(host)
        (look / "surface_colour.glsl").write_text(RED)
        (look / "hud.frag").write_text("#version 330\nbroken")
        with pytest.raises(ShaderError, match=r"hud\.frag:2"):
            host.reload()
        assert np.array_equal(picture(host), first)
        (look / "hud.frag").unlink()
        host.reload()
        assert covers(picture(host), [255, 0, 0])

    def test_back_to_what_was_before(self, host: Host, look: Path) -> None:
        first = picture(host)
        (look / "surface_colour.glsl").write_text(RED)
        host.reload()
        host.revert()
        assert np.array_equal(picture(host), first)

    def test_a_folder_that_is_gone(self, host: Host, look: Path) -> None:
        (look / "surface_colour.glsl").write_text(RED)
        host.reload()
        shutil.rmtree(look)
        with pytest.raises(ShaderError, match="it is gone"):
            host.reload()
        assert covers(picture(host), [255, 0, 0])
        look.mkdir()
        assert host.reload() is True


def soon_after(watcher: Watcher) -> bool:
    time.sleep(0.3)
    return watcher.take()


def quiet_again(watcher: Watcher) -> None:
    while soon_after(watcher):
        pass


def quiet(watcher: Watcher) -> None:
    """Wait until what is told at the beginning is heard."""
    assert soon(watcher.take)
    quiet_again(watcher)


class TestWatcher:
    def test_saving_in_every_way(self, look: Path, tmp_path: Path) -> None:
        file, beside = look / "a.glsl", tmp_path / "a.glsl.new"
        file.write_text("1")
        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            file.write_text("2")
            assert soon(watcher.take), "in place"
            quiet_again(watcher)
            beside.write_text("3")
            os.replace(beside, file)
            assert soon(watcher.take), "renamed over"
            quiet_again(watcher)
            (look / "lib").mkdir()
            (look / "lib" / "b.glsl").write_text("4")
            assert soon(watcher.take), "a new file in a new folder"
            quiet_again(watcher)
            file.unlink()
            assert soon(watcher.take), "removed"

    def test_a_folder_that_vanishes_and_comes_back(self, look: Path, tmp_path: Path) -> None:
        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            look.rename(tmp_path / "away")
            assert soon(watcher.take)
            look.mkdir()
            assert soon(watcher.take)
            quiet_again(watcher)
            (look / "a.glsl").write_text("1")
            assert soon(watcher.take), "the new folder is the one that is watched"

    @pytest.mark.parametrize("recursive", [True, False])
    def test_a_folder_made_anew_is_followed(
        self, look: Path, tmp_path: Path, recursive: bool
    ) -> None:
        """However often: the system may give the new one the number of the old one."""
        file = look / "a.glsl"
        file.write_text("1")
        shutil.copytree(look, tmp_path / "backup")
        with closing(Watcher(look, recursive)) as watcher:
            for attempt in range(4):
                quiet(watcher) if attempt == 0 else quiet_again(watcher)
                shutil.rmtree(look)
                shutil.copytree(tmp_path / "backup", look)
                assert soon(watcher.take)
                quiet_again(watcher)
                file.write_text(f"{attempt}")
                assert soon_after(watcher), f"saved after it was made anew {attempt + 1} times"

    def test_what_links_point_to_is_followed(self, look: Path, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        shared.mkdir()
        for name in ("a.glsl", "b.glsl"):
            (shared / name).write_text("1")
        (look / "a.glsl").symlink_to(shared / "a.glsl")
        (look / "gone.glsl").symlink_to(shared / "gone.glsl")
        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            (shared / "a.glsl").write_text("22")
            assert soon(watcher.take)
            (look / "lib").symlink_to(shared)
            (look / "circle").symlink_to(look)
            quiet(watcher)
            (shared / "b.glsl").write_text("22")
            assert soon(watcher.take), "in a folder that is a link"

    def test_a_folder_that_is_out_of_reach_for_a_moment(
        self, look: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Said once, and later edits are seen: the thread that watches lives on."""

        def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
            def ask(path: Any, *rest: Any, **options: Any) -> Any:
                if str(path).startswith(str(look)):
                    raise PermissionError(13, "Permission denied")
                return function(path, *rest, **options)

            return ask

        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            with monkeypatch.context() as away:
                away.setattr(os, "access", lambda *given: False)
                for name in ("stat", "open", "scandir"):
                    away.setattr(os, name, refusing(getattr(os, name)))
                assert soon(watcher.take)
                quiet_again(watcher)
            assert soon(watcher.take), "it is back"
            quiet_again(watcher)
            (look / "a.glsl").write_text("1")
            assert soon(watcher.take)
        assert caplog.text.count("is not watched") <= 1

    def test_whatever_the_library_does_the_watching_goes_on(
        self, look: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Panic(BaseException):
            """As the library's language has it."""

        watch, calls = watchfiles.watch, []

        def failing(*given: Any, **options: Any) -> Any:
            calls.append(options["force_polling"])
            if len(calls) < 3:
                raise Panic("no space left on device")
            return watch(*given, **options)

        monkeypatch.setattr(watchfiles, "watch", failing)
        with closing(Watcher(look)) as watcher:
            assert soon(lambda: len(calls) > 2)
            quiet(watcher)
            (look / "a.glsl").write_text("1")
            assert soon(watcher.take)
        assert calls[:3] == [None, True, True], "the library decides, until it fails"
        assert caplog.text.count("no space left on device; polling") == 1

    def test_a_file_system_that_tells_nothing(
        self, look: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Over a network, say: others' changes are not told by the system."""

        def silent(*given: Any, stop_event: Any, **options: Any) -> Iterator[set]:
            while not stop_event.wait(0.05):
                yield set()

        monkeypatch.setattr(watchfiles, "watch", silent)
        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            (look / "a.glsl").write_text("1")
            assert soon(watcher.take)
            quiet_again(watcher)
            (look / "look.toml").write_text("")
            assert soon(watcher.take)

    def test_polling_by_the_librarys_variable(
        self, look: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
        with closing(Watcher(look)) as watcher:
            quiet(watcher)
            (look / "a.glsl").write_text("1")
            assert soon(watcher.take)

    def test_a_folder_that_never_was(self, tmp_path: Path) -> None:
        with closing(Watcher(tmp_path / "none")) as watcher:
            assert not soon_after(watcher)
            (tmp_path / "none").mkdir()
            assert soon(watcher.take)


@pytest.mark.rendering
class TestLive:
    """The program's part: files are saved while it runs."""

    def test_edit_save_look(self, look: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The program runs by itself; its user saves one thing after another and looks."""
        file, pictures = look / "surface_colour.glsl", {}
        with running(n_agents=3, hud=True, size=(640, 360), shaders=look, watch=True) as shown:
            live, hud = shown.live_shaders, shown.hud
            assert live is not None and hud is not None

            def seen(colour: list[int]) -> Callable[[], bool]:
                return lambda: covers(shown.host.screenshot(), colour)

            def told(words: str) -> Callable[[], bool]:
                return lambda: words in hud.values.get("problem", "")

            def save(text: str) -> Callable[[], None]:
                def replace() -> None:
                    part = look / "part"
                    part.write_text(text)
                    os.replace(part, file)

                return replace

            steps = [
                (save(RED), seen([255, 0, 0]), "red"),
                (save("\n" + BROKEN), told("surface_colour.glsl:3: "), "broken"),
                (save(GREEN), seen([0, 255, 0]), "green"),
                (file.unlink, lambda: not seen([0, 255, 0])(), "shipped"),
                (lambda: shutil.rmtree(look), told("it is gone"), "gone"),
            ]
            waiting = iter(steps)
            now: list = []
            end = time.monotonic() + PATIENCE

            def each_frame() -> None:
                if now and not now[0][1]():
                    assert time.monotonic() < end, f"never: {now[0][2]}"
                    return
                if now:
                    pictures[now[0][2]] = (shown.host.screenshot(), dict(hud.values), live.problem)
                now[:] = [step for step in [next(waiting, None)] if step is not None]
                if now:
                    now[0][0]()
                else:
                    raise StopIteration

            with caplog.at_level(logging.INFO, logger="calf_viz"), pytest.raises(StopIteration):
                shown.config.frames = 10**9
                shown.run(each_frame)
        assert list(pictures) == [name for _, _, name in steps]
        drawn, values, problem = pictures["broken"]
        assert covers(drawn, [255, 0, 0]), "the last good one stays"
        assert values["problem_code"] == "return no_such_thing;"
        assert problem is not None and problem.path == file and problem.line == 3
        assert f"{file}:3: " in caplog.text and "return no_such_thing;" in caplog.text
        assert "problem" not in pictures["green"][1] and pictures["green"][2] is None

    def test_what_compiles_but_cannot_be_drawn_with_is_given_up(self, look: Path) -> None:
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            SCENE.play(host)
            first = picture(host)
            with closing(LiveShaders(host, [AppliedLook(host)])) as live:
                (look / "surface_colour.glsl").write_text(RED)
                live.rebuild()
                draws = []

                def draw() -> None:
                    draws.append(1)
                    if len(draws) == 1:
                        raise RuntimeError("refused")
                    host.draw()

                live.draw(draw)
                assert np.array_equal(host.screenshot(), first)
                assert live.problem is not None and "refused" in live.problem.text
                live.draw(draw)
                with pytest.raises(ZeroDivisionError):
                    live.draw(lambda: 1 / 0)  # type: ignore[arg-type, return-value]

    @pytest.mark.parametrize("name", ["look.toml", "surface_colour.glsl"])
    def test_what_was_fixed_is_said_by_its_name(
        self, look: Path, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A look's file is not a shader."""
        fixed = "# nothing\n" if name == "look.toml" else RED
        with (
            opened("moderngl", SCENE, library=ShaderLibrary(look)) as host,
            closing(LiveShaders(host, [AppliedLook(host)])) as live,
            caplog.at_level(logging.INFO, logger="calf_viz"),
        ):
            for text in ("no such thing", fixed):
                caplog.clear()
                (look / name).write_text(text)
                live.rebuild()
        assert f"{look / name} is fixed" in caplog.messages

    def test_saved_values_are_said_once(self, look: Path, caplog: pytest.LogCaptureFixture) -> None:
        (look / "surface_colour.glsl").write_text("uniform float u_red; // @slider 0..1\n" + RED)
        with running(shaders=look) as shown:
            caplog.clear()
            with caplog.at_level(logging.INFO, logger="calf_viz"):
                shown.actions.by_name["save_look"]()
        assert [m for m in caplog.messages if "look.toml" in m] == [
            f"values written: {look / 'look.toml'}"
        ]

    def test_nothing_is_watched_without_a_window_unless_asked(self) -> None:
        with running() as shown:
            assert shown.live_shaders is None


class TestNotice:
    @pytest.mark.parametrize("size", [(1280, 720), (640, 360), (2560, 1440)])
    def test_fits_and_keeps_clear_of_the_rest(self, size: tuple[int, int]) -> None:
        from calf_viz.scene.scene import Scene

        scene = SceneFolder.read("hud")
        assert scene.hud is not None
        hud = scene.hud.hud()
        hud.add(ProblemNotice(), first=True)
        hud.update(problem="a/path/to/file.glsl:12: " + 40 * "long words ", problem_code="x = y;")
        hud.prepare(Scene(size=size), scene.surface.heightfield())
        placed = hud.placed["problem"]
        assert placed.within(size, 4)
        others = [rect for name, rect in hud.placed.items() if name != "problem"]
        assert others and not any(placed.overlaps(other) for other in others)
        hud.update(problem=None, problem_code=None)
        hud.prepare(Scene(size=size), scene.surface.heightfield())
        assert "problem" not in hud.placed
