"""What an application had is given back when it is closed, and where it is refused."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import opened
from panda3d.core import GraphicsEngine, RenderState

from calf_viz import PerformanceProfiler
from calf_viz.errors import UserError
from calf_viz.hosts.panda import offscreen
from calf_viz.hosts.panda.context import forget_states
from calf_viz.profiling.profile_file import load_profile
from calf_viz.samples import Samples
from calf_viz.viewer.surface import ShownSurface


@pytest.mark.rendering
class TestClosing:
    """What an application had is given back by close(), without the cycle collector."""

    @pytest.mark.parametrize(
        "changes", [{}, {"renderer": "batched"}, {"renderer": "per_agent"}, {"ab": "night"},
                    {"critic_on_gpu": True}, {"hud": False}, {"watch": True}],
    )  # fmt: skip
    def test_nothing_of_it_stays(self, changes: dict[str, Any]) -> None:
        with opened() as first:  # what is made once for the process
            first.step()
        engine = GraphicsEngine.get_global_ptr()
        windows = engine.get_num_windows()
        gc.collect()
        gc.disable()
        try:
            shown = opened(**changes)
            for _ in range(5):
                shown.step()
            shown.n_agents = 50
            shown.step()
            host = shown.host
            states, gsg = RenderState.get_num_states(), host.gsg
            parts = [shown, host, host.geometry, host.packer, host.context, host.palette, host.hud]
            alive = [weakref.ref(part) for part in parts if part is not None and _weak(part)]
            palette = host.palette
            shown.close()
            prepared = gsg.prepared_objects
            for kind in ("textures", "vertex_buffers", "index_buffers"):
                assert getattr(prepared, f"get_num_prepared_{kind}")() == 0
            assert prepared.get_num_prepared_shaders() <= 1, "Panda's own"
            assert engine.get_num_windows() == windows
            assert RenderState.get_num_states() < states
            del shown, host, parts
            assert [ref() for ref in alive if ref() is not None] == []
            forget_states()  # as the next that is closed does
            assert palette.get_ref_count() == 1
        finally:
            gc.enable()

    def test_what_its_profiler_measured_can_be_saved_afterwards(self, tmp_path: Path) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with opened(profiler) as shown:
            shown.step()
        profiler.save_json(tmp_path / "profile.json")
        assert load_profile(tmp_path / "profile.json").configuration["n_agents"] == 4

    def test_torch_has_as_many_threads_as_before(self) -> None:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(3)
        try:
            first, second = opened(), opened()
            assert torch.get_num_threads() == 1
            first.close()
            assert torch.get_num_threads() == 1, "the second is there"
            second.close()
            assert torch.get_num_threads() == 3
            with pytest.raises(UserError):
                opened(set=("nothing=1",))
            assert torch.get_num_threads() == 3
        finally:
            torch.set_num_threads(before)


def _weak(part: object) -> bool:
    return hasattr(type(part), "__weakref__")


@pytest.mark.rendering
class TestRefusals:
    """What is refused changes nothing."""

    @pytest.mark.parametrize(
        "changes", [{"set": ("nothing=1",)}, {"set": ("b:u_x=1",)}, {"colour_map": "nothing"},
                    {"shaders": Path("nothing")}, {"ab": Path("nothing")}],
    )  # fmt: skip
    def test_what_can_be_checked_is_before_anything_is_opened(
        self, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
    ) -> None:
        monkeypatch.setattr(offscreen, "open_context", lambda *_: pytest.fail("opened"))
        with pytest.raises(UserError):
            opened(**changes)

    def test_a_late_refusal_gives_back_what_was_opened(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        windows = GraphicsEngine.get_global_ptr().get_num_windows()
        for error in (UserError("late"), KeyboardInterrupt()):

            def late(*_: Any, error: BaseException = error) -> None:
                raise error

            with monkeypatch.context() as patch, pytest.raises(type(error)):
                patch.setattr(ShownSurface, "show", late)
                opened()
            assert GraphicsEngine.get_global_ptr().get_num_windows() == windows

    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_more_agents_than_fit_leave_as_many_as_before(self, renderer: str) -> None:
        with opened(renderer=renderer) as shown:
            shown.step()
            for n_agents in (0, -3, 9_999_999, 2.5, "many"):
                with pytest.raises(UserError):
                    shown.n_agents = n_agents  # type: ignore[assignment]
                assert shown.n_agents == shown.config.n_agents == 4
                shown.step()

    @pytest.mark.parametrize(
        "samples",
        [
            {"modes": np.array([4, 0])}, {"modes": np.array([0, -1])}, {"modes": np.array([3, 0])},
            {"modes": np.array([0.0, 1.0])}, {"modes": np.array([0])}, {"modes": [0, 0]},
            {"positions": np.zeros((2, 3))}, {"positions": np.zeros((2, 2), complex)},
            {"first": np.array([0, 1])}, {"headings": np.zeros((2, 1))},
        ],
    )  # fmt: skip
    def test_samples_that_are_none_are_refused_before_anything_is_written(
        self, samples: dict[str, Any]
    ) -> None:
        good = {
            "positions": np.zeros((2, 2)), "modes": np.zeros(2, int),
            "first": np.zeros(2, bool), "headings": np.zeros(2),
        }  # fmt: skip
        with opened(n_agents=2, hud=False) as shown:
            host = shown.host
            host.push(Samples(**good))
            texels, step = host.packer.texels.copy(), host.packer.step
            with pytest.raises(ValueError, match=next(iter(samples))):
                host.push(Samples(**{**good, **samples}))
            assert host.packer.step == step
            np.testing.assert_array_equal(host.packer.texels, texels)
            host.push(Samples(**good))

    def test_a_second_training_is_refused(self, tmp_path: Path) -> None:
        with opened(runs=tmp_path, train=True) as shown:
            run = shown.start_training()
            with pytest.raises(UserError, match="make another application"):
                shown.start_training()
            shown.step()
            assert shown.live is not None and shown.live.process.running
            assert [path.name for path in tmp_path.iterdir()] == [run.name]
