"""The child that tries shaders: how it starts, ends and is bounded, and what it draws."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pretended_drivers import HEAD, TRAILS, Driver, candidate, examining, pretended
from waiting import soon
from written_looks import picture

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import LOOK, load_program
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.hosts.base import Host
from calf_viz.shader_trial import examiner as examiner_module
from calf_viz.shader_trial import trials as trials_module
from calf_viz.shader_trial import worker
from calf_viz.shader_trial.examiner import Examiner
from calf_viz.shader_trial.subject import PIXELS, VERTICES, open_host
from calf_viz.shader_trial.trials import Trials

driver = pytest.fixture(pretended)
examiner = pytest.fixture(examining)


class TestChild:
    def test_it_is_not_traced_with_the_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would write over the trace."""
        environment = {"TRACE_FILE": "f.trace", "LD_PRELOAD": "/lib/egltrace.so:/lib/vgl.so"}
        kept = examiner_module._untraced({**environment, "HOME": "/home"})
        assert kept == {"HOME": "/home", "LD_PRELOAD": "/lib/vgl.so"}
        assert examiner_module._untraced({"LD_PRELOAD": "/lib/egltrace.so"}) == {}

    def test_one_that_dies_at_its_start_is_unfit(
        self, examiner: Examiner, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PRETEND_DEAD", "1")
        with pytest.raises(UserError, match="the driver ends the child with signal 6"):
            examiner.start()

    def test_where_one_could_draw_before_nothing_is_drawn_untried(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Memory that ran out for a moment, say, is no reason to trust a driver."""
        file = look / "trail_colour.glsl"
        with closing(Trials(examiner)) as trials:
            file.write_text(TRAILS)
            trials([candidate(ShaderLibrary(look))])
            examiner.close()
            monkeypatch.setenv("PRETEND_DEAD", "1")
            file.write_text(f"// ABORT\n{TRAILS}")
            for _ in range(2):
                with pytest.raises(ShaderError, match="look: cannot be tried now"):
                    trials([candidate(ShaderLibrary(look))])
            monkeypatch.delenv("PRETEND_DEAD")
            file.write_text(f"// ABORT\n#define A_LINE\n{TRAILS}")
            with pytest.raises(ShaderError, match="signal 6"):
                trials([candidate(ShaderLibrary(look))])

    def test_after_a_crash_the_next_is_ready_before_it_is_asked(
        self, examiner: Examiner, look: Path, driver: Driver
    ) -> None:
        (look / "trail_colour.glsl").write_text(f"// ABORT\n{TRAILS}")
        with closing(Trials(examiner)) as trials:
            trials.keep()
            with pytest.raises(ShaderError, match="signal 6"):
                trials([candidate(ShaderLibrary(look))])
            asked, ended = len(driver.asked), _pid(driver)
            assert soon(lambda: _pid(driver) != ended and psutil.pid_exists(_pid(driver)))
            assert len(driver.asked) == asked

    def test_of_many_programs_in_a_row_none_pile_up_in_it(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(examiner_module, "RENEWED_AFTER", 3)
        (look / "trail_colour.glsl").write_text(TRAILS)
        for _ in range(7):
            assert not examiner.examine(candidate(ShaderLibrary(look))).problems
        assert soon(lambda: driver.starts == 3)
        assert len(driver.asked) == 7

    def test_closing_does_not_wait_for_one_that_hangs(self, look: Path, driver: Driver) -> None:
        (look / "trail_colour.glsl").write_text(f"// HANG\n{TRAILS}")
        trials = Trials(Examiner("gpu", patience=1e6))
        pending = trials.begin([candidate(ShaderLibrary(look))])
        assert soon(lambda: bool(driver.asked))
        trials.close()
        with pytest.raises(ShaderError):
            pending.wait()
        assert not [c for c in psutil.Process().children() if c.pid == _pid(driver)]

    def test_one_that_nobody_keeps_ends_by_itself_and_starts_again(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trials_module, "IDLE", 0.05)
        with closing(Trials(examiner)) as trials:
            for number in (1, 2):
                (look / "trail_colour.glsl").write_text(f"// {number}\n{TRAILS}")
                trials([candidate(ShaderLibrary(look))])
                assert driver.starts == number
                assert soon(lambda: not psutil.pid_exists(_pid(driver)))
            trials.keep()
            assert soon(lambda: driver.starts == 3)
            time.sleep(0.3)
            assert psutil.pid_exists(_pid(driver))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's prctl")
    @pytest.mark.rendering
    def test_it_ends_with_a_viewer_that_is_killed(self) -> None:
        program = (
            "from calf_viz.shader_trial.examiner import Examiner; t = Examiner('gpu'); t.start();"
            "print(t._child._process.pid, flush=True); input()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as viewer:
            assert viewer.stdout is not None
            child = psutil.Process(int(viewer.stdout.readline()))
            child.suspend()  # as in the midst of a compilation, it does not see its input's end
            viewer.send_signal(signal.SIGKILL)
            viewer.wait()
        assert soon(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_DATA")
    def test_its_memory_is_bounded_and_it_leaves_no_core(self) -> None:
        program = (
            "import resource\n"
            "from calf_viz.shader_trial import worker; worker._bound(software=True)\n"
            "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
            "try: bytearray(2 * worker.MEMORY)\n"
            "except MemoryError: print('bounded')"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.stdout == "bounded\n", done.stderr


def _pid(driver: Driver) -> int:
    """Of the newest."""
    return int([line for line in driver.lines if line.startswith("start")][-1].split()[2])


@pytest.mark.rendering
class TestSubject:
    """What the child draws."""

    DESIGNS = ("gpu", "batched", "per_agent", "moderngl")

    @pytest.fixture(scope="class", params=DESIGNS)
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Iterator[Host]:
        host = open_host(request.param)
        yield host
        host.close()

    def examine(self, subject: Host, name: str, look: Path, allowed: float = 1e6) -> dict[str, Any]:
        vertex, fragment = load_program(ShaderLibrary(look), name).texts
        request = {"name": name, "vertex": vertex, "fragment": fragment, "draw": True}
        return worker.examine(subject, request, allowed)

    def test_a_usual_picture_takes_longer_by_its_pixels_and_vertices(
        self, subject: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nothing is seen, vertices alone take time."""
        centre = subject.scene.camera.target

        def frame(host: Host) -> float:
            return 5.0 if host.scene.camera.target == centre else 2.0

        monkeypatch.setattr(worker, "_frame", frame)
        assert worker.usual_frame(subject) == 2.0 * VERTICES + 3.0 * PIXELS
        assert subject.scene.camera.target == centre

    def test_each_of_its_programs_is_drawn_and_the_shipped_one_put_back(
        self, subject: Host, look: Path
    ) -> None:
        first = picture(subject)
        assert subject.programs.sources.keys() - {"ring_copy"} <= set(LOOK)
        for hook in ("surface_colour", "trail_colour"):
            (look / f"{hook}.glsl").write_text(
                "// mine\n" + (shader_folder() / f"{hook}.glsl").read_text()
            )
        (look / "hud.frag").write_text((shader_folder() / "hud.frag").read_text() + "// mine")
        for name in set(LOOK) & set(subject.programs.sources):
            answer = self.examine(subject, name, look, allowed=0.0)
            assert answer.keys() == {"slow"}, name
            assert np.array_equal(picture(subject), first)

    def test_what_does_not_compile_is_answered_with_the_log(
        self, subject: Host, look: Path
    ) -> None:
        (look / "trail_colour.glsl").write_text("broken")
        for name in ("field", "mesh_trail"):
            answer = self.examine(subject, name, look)
            assert answer.keys() == {"log"} and "syntax error" in str(answer["log"])

    def test_controls_are_drawn_at_both_of_their_ends(
        self, subject: Host, look: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (look / "trail_colour.glsl").write_text(
            "uniform float u_f; // @slider -2..3 = 1\nuniform int u_i; // @slider 2..5\n"
            "uniform bool u_b; // @toggle = on\nuniform int u_w; // @choice a|b|c\n"
            "uniform vec3 u_c; // @color = #ff0000\n"
            f"{HEAD} {{ return vec4(u_c * u_f, u_i + u_w + int(u_b)); }}\n"
        )
        values: list[dict[str, object]] = []

        def frame(host: Host) -> float:
            values.append(dict(host.controls.values))
            host.draw()
            return 0.0

        monkeypatch.setattr(worker, "_frame", frame)
        for name in {"field", "mesh_trail"} & set(subject.programs.sources):
            del values[:]
            assert self.examine(subject, name, look) == {}
            assert values[0] == {"u_f": 1, "u_i": 2, "u_b": 1, "u_w": 0, "u_c": (1, 0, 0)}
            assert values[-2] == {"u_f": -2, "u_i": 2, "u_b": 0, "u_w": 0, "u_c": (0, 0, 0)}
            assert values[-1] == {"u_f": 3, "u_i": 5, "u_b": 1, "u_w": 2, "u_c": (1, 1, 1)}
        assert not subject.controls.values
