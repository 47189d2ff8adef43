"""Whatever gives samples and a surface is shown, beside a simulation of this program's own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bowls import BOWL, VIEW, Bowl, Crowd, Live, Paused, showing

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield


@pytest.mark.rendering
class TestShown:
    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_its_agents_move_on_its_surface(self, renderer: str) -> None:
        source = Bowl()
        with showing(source, renderer=renderer) as app:
            pictures = []
            for _ in range(3):
                for _ in range(9):
                    app.step()
                pictures.append(app.screenshot())
            assert app.n_agents == app.host.agents == 3 and app.host.heightfield is BOWL
            assert not np.array_equal(pictures[0], pictures[1])
            assert not source.closed
        assert source.closed == 1 and source.asked == 27

    def test_its_names_are_written(self) -> None:
        with showing(Bowl(), hud=True, size=(800, 450)) as app:
            app.step()
            app.screenshot()
            values = app.hud.values
            assert (values["mode_0"], values["mode_1"], "mode_2" in values) == ("2", "1", False)
            mean = BOWL.heights([[np.cos(t), 0.8 * np.sin(t)] for t in 0.1 + np.arange(3)]).mean()
            assert float(values["mean_value"]) == pytest.approx(mean, abs=0.1)

    @pytest.mark.parametrize("colour", ["BY_MODE", "BY_AGE", "BY_SPEED"])
    def test_no_critic_is_spoken_of_where_there_is_none(self, colour: str) -> None:
        source = Bowl()
        source.view = replace(VIEW, value="return [m]")
        asked = {"size": (1280, 720), "define": (f"TRAIL_COLOUR={colour}",)}
        with showing(source, hud=True, **asked) as app:
            words: list[str] = []
            label = app.hud.canvas.label
            app.hud.canvas.label = lambda text, *a, **k: (words.append(text), label(text, *a, **k))[
                1
            ]
            app.hud.redraw()
            app.step()
            app.screenshot()
        assert "return [m]" in words and "mean return [m]" in words
        assert not [word for word in words if "critic" in word or "Q" in word]

    def test_before_its_first_surface_it_is_flat(self) -> None:
        source = Bowl()
        source.new = None
        with showing(source) as app:
            for _ in range(5):
                app.step()
            flat = app.host.heightfield
            assert (flat.lo, flat.hi, flat.range) == (VIEW.lo, VIEW.hi, (0.0, 0.0))
            source.new = BOWL
            app.step()
            assert app.host.heightfield is BOWL and app.host.morph == 1.0, "nothing to morph from"
            source.new = Heightfield(np.eye(5), VIEW.lo, VIEW.hi)
            app.step()
            assert 0.0 < app.host.morph < 1.0

    def test_another_number_of_agents_in_each_step(self) -> None:
        with showing(Crowd(), hud=True) as app:
            for _ in range(50):
                app.step()
                assert app.n_agents == app.host.agents == 1 + 7 * app.source.asked % 40
            with pytest.raises(UserError, match="n_agents"):
                app.n_agents = 3

    def test_a_surface_of_another_size_each_time(self) -> None:
        source = Bowl()
        with showing(source) as app:
            for n in (2, 9, 3, 33, 5):
                source.new = Heightfield(np.arange(4.0 * n).reshape(n, 4), VIEW.lo, VIEW.hi)
                app.step()
                assert app.host.heightfield.shape == (n, 4)
            assert app.failure is None

    def test_what_came_of_itself_is_taken_at_once(self) -> None:
        source = Live()
        with showing(source) as app:
            for ready in (0, 5, 1, 0, 100):
                source.ready, before = ready, source.asked
                app.host.frame_counts()
                app.step()
                assert source.asked - before == ready
            assert app.host.packer.step == 105

    def test_while_paused_a_single_step_of_what_came_is_taken(self) -> None:
        source = Live()
        with showing(source) as app:
            source.ready = 9
            app.playback.single_step()
            app.step()
            assert source.ready == 8
            app.playback.toggle()
            app.step()
            assert source.ready == 0

    def test_it_is_notified_of_a_pause(self) -> None:
        source = Paused()
        with showing(source) as app:
            assert {"pause", "single_step"} <= set(app.actions.by_name)
            app.step()
            app.playback.single_step()
            app.draw()
            app.step()
            assert source.told == [False, True, True, "single"]
        source = Paused()
        with showing(source) as app:
            app.step()
            app.playback.single_step()  # while it runs
            app.step()
            assert source.told == [False, True, "single"], "it waits before it takes one step"
        with showing(Bowl()) as app:
            app.step()
            app.actions.by_name["pause"]()  # it goes on, and the picture stays
            app.step()
            assert not app.playback.paused and app.playhead.held
            assert (app.playhead.at, app.playhead.newest) == (0, 1)

    @pytest.mark.parametrize(
        ("title", "name"),
        [("bowl", "bowl"), ("../a b/c?", "a_b_c"), ("Über 2.5", "Über_2.5"), ("//", "source"),
         ("长" * 300, "长" * 40)],
    )  # fmt: skip
    def test_its_profiles_are_named_after_its_title(
        self, title: str, name: str, tmp_path: Path
    ) -> None:
        class Titled(Bowl):
            view = replace(VIEW, title=title)

        with showing(Titled(), n_agents=9) as app:
            app.profiler.enabled = True
            app.step()
            described = app.profiler.describe().configuration
            assert (described["system"], described["n_agents"]) == (name, 3)
            assert not {"policy", "checkpoint", "slice"} & set(described)
            assert app.profile_stem().startswith(f"{name}_n3_gpu_")
            (tmp_path / f"{app.profile_stem()}.json").write_text("it is a file's name")
        assert app.profiler.describe().configuration["system"] == name

    def test_what_needs_more_than_it_has_is_refused(self) -> None:
        with pytest.raises(UserError, match="critic_on_gpu"), showing(Bowl(), critic_on_gpu=True):
            pass
        with pytest.raises(UserError, match="train"), showing(Bowl(), train=True):
            pass
        with showing(Bowl()) as app:
            for call in (app.start_training, app.restart):
                with pytest.raises(UserError, match="source"):
                    call()


@pytest.mark.rendering
def test_torch_is_not_imported() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from bowls import Bowl, showing\n"
        "with showing(Bowl(), hud=True) as app: app.step(); app.screenshot()\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'torch'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "[]\n", done.stderr
