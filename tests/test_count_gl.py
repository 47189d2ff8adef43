"""OpenGL's part of a frame, counted from traces of the real program; and that the counter counts.

Two passes a frame: one draw that puts the new samples into the ring, one that draws the scene; and
one draw more for the HUD, whatever it shows: three in all.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

import count_gl
import pytest
from click.testing import CliRunner

from calf_viz.errors import UserError
from calf_viz.scene.ring import RingLayout
from calf_viz.viewer.config import VisualizationConfig

FRAMES = 8
STAGING, HEIGHTFIELD = "u_source", "u_heightfield"

# What `apitrace dump` said of this program, with 5 agents and a 9 x 9 heightfield, shortened.
SET_UP = """
1 glGetUniformLocation(program = 1, name = "u_ring") = 0
2 glGetActiveUniform(program = 1, index = 0, bufSize = 64, length = NULL, size = &1, \
type = &GL_SAMPLER_2D, name = "u_ring")
3 glGetUniformLocation(program = 1, name = "u_heightfield") = 1
4 glGetActiveUniform(program = 1, index = 1, bufSize = 64, length = NULL, size = &1, \
type = &GL_SAMPLER_2D, name = "u_heightfield")
5 glShaderSource(shader = 2, count = 1, string = &"#version 330
6 lines of shaders; glDrawArrays(mode = GL_POINTS) in them is no call
", length = NULL)
7 glUseProgram(program = 1)
8 glUniform1i(location = 0, v0 = 0)
9 glUniform1i(location = 1, v0 = 1)
10 glGetActiveUniform(program = 4, index = 0, bufSize = 64, length = NULL, size = &1, \
type = &GL_SAMPLER_2D, name = "u_source")
11 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 2)
12 glBindTexture(target = GL_TEXTURE_2D, texture = 2)
13 glTexImage2D(target = GL_TEXTURE_2D, level = 0, internalformat = GL_RGBA32F, width = 5, \
height = 2400, border = 0, format = GL_BGRA, type = GL_FLOAT, pixels = NULL)
14 glFramebufferTexture2D(target = GL_FRAMEBUFFER, attachment = GL_COLOR_ATTACHMENT0, \
textarget = GL_TEXTURE_2D, texture = 2, level = 0)
15 glClearBufferfv(buffer = GL_COLOR, drawbuffer = 0, value = {0, 0, 0, 0})
16 glUseProgram(program = 4)
17 glBindTexture(target = GL_TEXTURE_2D, texture = 4)
18 glTexImage2D(target = GL_TEXTURE_2D, level = 0, internalformat = GL_RGBA32F, width = 5, \
height = 1, border = 0, format = GL_BGRA, type = GL_FLOAT, pixels = blob(80))
19 glDrawArrays(mode = GL_TRIANGLES, first = 0, count = 3)
20 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 0)
21 glBindTexture(target = GL_TEXTURE_2D, texture = 8)
22 glTexImage2D(target = GL_TEXTURE_2D, level = 0, internalformat = GL_RG32F, width = 9, \
height = 9, border = 0, format = GL_RG, type = GL_FLOAT, pixels = blob(648))
"""
RING_PASS = """
30 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 2)
31 glClearBufferiv(buffer = GL_STENCIL, drawbuffer = 0, value = &0)
32 glUseProgram(program = 4)
33 glUniform3iv(location = 1, count = 1, value = {5, 1, 5})
34 glActiveTexture(texture = GL_TEXTURE0)
35 glBindTexture(target = GL_TEXTURE_2D, texture = 4)
36 glTexSubImage2D(target = GL_TEXTURE_2D, level = 0, xoffset = 0, yoffset = 0, width = 5, \
height = 1, format = GL_BGRA, type = GL_FLOAT, pixels = blob(80))
37 glDrawArrays(mode = GL_TRIANGLES, first = 0, count = 3)
38 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 0)
39 glUseProgram(program = 0)
"""
SCENE_BEGINS = """
40 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 1)
41 glDrawBuffers(n = 1, bufs = &GL_COLOR_ATTACHMENT0)
42 glClearBufferfv(buffer = GL_COLOR, drawbuffer = 0, value = {0.055, 0.065, 0.085, 1})
43 glClearBufferfi(buffer = GL_DEPTH_STENCIL, drawbuffer = 0, depth = 1, stencil = 0)
44 glUseProgram(program = 1)
45 glUniformMatrix4fv(location = 2, count = 1, transpose = GL_FALSE, value = {1, 0, 0, 0, 0})
46 glUniform4fv(location = 22, count = 4, value = {0.3, 0.7, 1, 1})
47 glBindTextures(first = 0, count = 3, textures = {2, 8, 10})
48 glDrawArraysInstanced(mode = GL_TRIANGLE_STRIP, first = 0, count = 1225, instancecount = 12)
"""
SCENE_ENDS = """
50 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 0)
51 glBindTextures(first = 0, count = 3, textures = NULL)
52 glUseProgram(program = 0)
"""
FRAME = RING_PASS + SCENE_BEGINS + SCENE_ENDS
HUD = """
90 glGetActiveUniform(program = 9, index = 0, bufSize = 64, length = NULL, size = &1, \
type = &GL_SAMPLER_2D, name = "u_hud_text")
91 glUseProgram(program = 9)
92 glDrawArrays(mode = GL_TRIANGLES, first = 0, count = 600)
"""
READBACK = """
60 glGetTexImage(target = GL_TEXTURE_2D, level = 0, format = GL_BGRA, type = GL_UNSIGNED_BYTE, \
pixels = 0x7fb69807b010)
"""
NEW_HEIGHTFIELD = """
70 glBindTexture(target = GL_TEXTURE_2D, texture = 8)
71 glTexSubImage2D(target = GL_TEXTURE_2D, level = 0, xoffset = 0, yoffset = 0, width = 9, \
height = 9, format = GL_RG, type = GL_FLOAT, pixels = blob(648))
"""


def counted(dump: str) -> count_gl.Report:
    return count_gl.report(dump.splitlines())


def test_frames_are_told_apart() -> None:
    counts = counted(SET_UP + 5 * FRAME + READBACK)
    assert len(counts.frames) == 5
    usual = count_gl.Counts(
        scene_draws=1, ring_draws=1, programs=2,
        uploads={"u_source 5x1 RGBA32F": 80, "uniforms": 12 + 64 + 64},
    )  # fmt: skip
    assert counts.frames[1:] == [usual] * 4
    assert counts.steady == usual
    first = counts.frames[0]
    assert (first.scene_draws, first.ring_draws) == (1, 2)
    assert first.uploads["u_heightfield 9x9 RG32F"] == 648
    assert counts.afterwards == count_gl.Counts(readbacks=1)


def test_frames_with_swaps_end_there() -> None:
    swap = "99 eglSwapBuffers(dpy = 0x1, surface = 0x2) = EGL_TRUE\n"
    counts = counted(SET_UP + 4 * (FRAME + swap))
    assert len(counts.frames) == 4
    assert counts.steady == counted(SET_UP + 4 * FRAME).steady
    assert counts.afterwards == count_gl.Counts()


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ("80 glDrawElements(mode = GL_TRIANGLES, count = 6, indices = NULL)\n", "scene_draws"),
        ("80 glMultiDrawArrays(mode = GL_LINES, drawcount = 2)\n", "scene_draws"),
        ("80 glDispatchCompute(num_groups_x = 1, num_groups_y = 1)\n", "dispatches"),
        ("80 glBlitFramebuffer(srcX0 = 0, srcY0 = 0, srcX1 = 8, srcY1 = 8)\n", "copies"),
        ("80 glUseProgram(program = 7)\n", "programs"),
        ("80 glReadPixels(x = 0, y = 0, width = 8, height = 8, pixels = 0x7f)\n", "readbacks"),
        ("80 glFinish()\n", "waits"),
    ],
)
def test_one_call_more_in_one_frame_is_noticed(extra: str, kind: str) -> None:
    usual = counted(SET_UP + 6 * FRAME).steady
    odd = RING_PASS + SCENE_BEGINS + extra + SCENE_ENDS
    counts = counted(SET_UP + 4 * FRAME + odd + FRAME)
    assert getattr(counts.frames[4], kind) == getattr(usual, kind) + 1
    assert getattr(counts.steady, kind) == getattr(usual, kind) + 1
    assert counts.frames[3] == counts.frames[5] == usual


def test_the_huds_draw_is_told_apart_by_its_samplers() -> None:
    usual = counted(SET_UP + 4 * FRAME).steady
    counts = counted(SET_UP + 4 * (RING_PASS + SCENE_BEGINS + HUD + SCENE_ENDS)).steady
    assert (counts.scene_draws, counts.hud_draws) == (usual.scene_draws, 1)
    assert counts.programs == usual.programs + 1


def test_a_draw_into_another_framebuffer_is_the_scenes() -> None:
    other = (
        "80 glBindFramebuffer(target = GL_FRAMEBUFFER, framebuffer = 9)\n"
        "81 glClear(mask = GL_DEPTH_BUFFER_BIT | GL_COLOR_BUFFER_BIT)\n"
        "82 glDrawArrays(mode = GL_TRIANGLES, first = 0, count = 3)\n"
    )
    counts = counted(SET_UP + 4 * (other + FRAME))
    assert len(counts.frames) == 4
    assert counts.steady.scene_draws == 2


def test_uploads_are_noticed_by_target() -> None:
    assert "u_heightfield 9x9 RG32F" not in counted(SET_UP + 4 * FRAME).steady.uploads
    counts = counted(SET_UP + 3 * FRAME + NEW_HEIGHTFIELD + FRAME)
    assert counts.steady.uploads["u_heightfield 9x9 RG32F"] == 648
    assert counts.steady.upload_bytes == 80 + 648
    buffer = "80 glBufferData(target = GL_ARRAY_BUFFER, size = 36, data = blob(36), usage = 1)\n"
    mapped = "81 memcpy(dest = 0x7f, src = blob(12), n = 12)\n"
    counts = counted(SET_UP + 3 * FRAME + buffer + mapped + FRAME)
    assert counts.steady.uploads["GL_ARRAY_BUFFER"] == 36
    assert counts.steady.uploads["memcpy"] == 12


def test_a_texture_number_used_again_is_another_texture() -> None:
    again = "80 glDeleteTextures(n = 1, textures = &8)\n" + NEW_HEIGHTFIELD
    counts = counted(SET_UP + 4 * FRAME + again)
    assert counts.afterwards.uploads == {"texture 8": 648}


def test_a_trace_without_frames_says_so() -> None:
    with pytest.raises(UserError, match="no frame"):
        counted(SCENE_BEGINS.split("48 gl")[0] + SCENE_ENDS)
    with pytest.raises(UserError, match="too few"):
        _ = counted(SET_UP + 2 * FRAME).steady


def test_missing_apitrace_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = CliRunner().invoke(count_gl.main, [])
    assert isinstance(result.exception, UserError)
    assert "install the package apitrace" in str(result.exception)


# The program itself


@cache
def traced(
    n_agents: int, trail: int, hud: bool = False, size: str = "64x64", frames: int = FRAMES
) -> count_gl.Report:
    if shutil.which("apitrace") is None:
        pytest.skip("apitrace is missing: `make test` installs it (Debian, Ubuntu)")
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "frames": frames, "size": size, "grid": 8, "output": folder,
            "n_agents": n_agents, "trail_length": trail,
        }  # fmt: skip
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        arguments.append("--hud" if hud else "--no-hud")
        return count_gl.trace([sys.executable, "-m", "calf_viz", "--headless", *arguments])


SCENES = pytest.mark.parametrize(
    ("n_agents", "trail"), [(20, 600), (20, 60), (300, 100), (300, 1000), (16_385, 2)]
)


@pytest.mark.rendering
@SCENES
def test_one_scene_draw_and_one_ring_draw(n_agents: int, trail: int) -> None:
    counts = traced(n_agents, trail)
    assert len(counts.frames) == FRAMES
    for frame in counts.frames:
        assert frame.scene_draws == 1
    for frame in counts.frames[1:]:
        assert frame.ring_draws == 1
        assert (frame.dispatches, frame.copies, frame.readbacks) == (0, 0, 0)
        assert frame.programs == 2  # a pass each
        assert frame.hud_draws == frame.hud_bytes == 0


@pytest.mark.rendering
@SCENES
def test_sixteen_bytes_per_agent_and_step(n_agents: int, trail: int) -> None:
    layout = RingLayout.fit(n_agents, 4 * trail)
    padding = 16 * (layout.columns * layout.rows - n_agents)
    assert padding < 16 * layout.rows  # less than a texel a row
    for frame in traced(n_agents, trail).frames[1:]:
        targets = [name for name in frame.uploads if name != "uniforms"]
        assert [name.split()[0] for name in targets] == [STAGING]
        assert frame.upload_bytes == 16 * n_agents + padding


@pytest.mark.rendering
def test_a_heightfield_is_uploaded_once() -> None:
    frames = traced(20, 600).frames
    sizes = [sum(n for t, n in f.uploads.items() if t.startswith(HEIGHTFIELD)) for f in frames]
    assert sizes == [9 * 9 * 8] + [0] * (FRAMES - 1)


@pytest.mark.rendering
def test_ten_times_the_trail_costs_the_same() -> None:
    assert traced(20, 600).steady == traced(20, 60).steady
    assert traced(300, 1000).steady == traced(300, 100).steady


TEXT_EVERY = VisualizationConfig().stats_text_update_freq


@pytest.mark.rendering
@pytest.mark.parametrize("n_agents", [20, 300])
def test_the_hud_is_one_draw_more_and_uploads_only_what_changed(n_agents: int) -> None:
    frames = traced(n_agents, 60, hud=True, size="1280x720", frames=2 * TEXT_EVERY + 1).frames
    assert len(frames) == 2 * TEXT_EVERY + 1
    for frame in frames:
        assert (frame.scene_draws, frame.hud_draws) == (1, 1)
    for number, frame in enumerate(frames[1:], start=1):
        assert frame.ring_draws == 1
        assert frame.programs == 3  # ring, scene, HUD
        hud = {name.split()[0]: size for name, size in frame.uploads.items() if "u_hud" in name}
        if number % TEXT_EVERY:
            assert hud == {}
        else:  # the step; whole texture, as Panda3D does, and no other
            assert list(hud) == ["u_hud_text"]
            assert 0 < hud["u_hud_text"] <= 6144


@pytest.mark.rendering
def test_a_hud_without_room_draws_nothing() -> None:
    for frame in traced(20, 60, hud=True).frames:
        assert (frame.scene_draws, frame.hud_draws) == (1, 0)


# A program that counts for itself, as the profiler does, and shows one new surface half-way.
PROFILED = """
import json, sys
from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig

n_agents, frames = map(int, sys.argv[1:3])
config = VisualizationConfig(
    n_agents=n_agents, size=(64, 64), grid=8, trail_length=60, headless=True, hud=False
)
profiler = PerformanceProfiler(warm_up=0)
app = CALFApplication(config, profiler)
for frame in range(frames):
    if frame == frames // 2:
        app.show_critic()
    app.step()
counters = profiler.run().counters
with open(sys.argv[3], "w") as file:
    json.dump({name: column.tolist() for name, column in counters.items()}, file)
app.close()
"""


@pytest.mark.rendering
@pytest.mark.parametrize("n_agents", [20, 16_385])
def test_the_profiler_counts_what_the_trace_shows(n_agents: int, tmp_path: Path) -> None:
    if shutil.which("apitrace") is None:
        pytest.skip("apitrace is missing: `make test` installs it (Debian, Ubuntu)")
    file = tmp_path / "counts.json"
    arguments = [str(n_agents), str(FRAMES), str(file)]
    frames = count_gl.trace([sys.executable, "-c", PROFILED, *arguments]).frames
    counted = json.loads(file.read_text())
    assert len(frames) == FRAMES
    # The first frame holds what sets up, which is nobody's frame.
    for key, shown in (
        ("draw_calls", [frame.scene_draws for frame in frames[1:]]),
        ("ring_draws", [frame.ring_draws for frame in frames[1:]]),
        ("upload_bytes", [frame.upload_bytes for frame in frames[1:]]),
    ):
        assert counted[key][1:] == shown, key
    assert max(counted["upload_bytes"][1:]) == min(counted["upload_bytes"][1:]) + 9 * 9 * 8


# The number of the frame in which the agent at a pixel is asked for.
PICKING = """
import sys
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.hosts.picking import Asked

config = VisualizationConfig(headless=True, size=(1280, 720), n_agents=20, grid=8, trail_length=60)
with CALFApplication(config) as app:
    for frame in range(16):
        if frame == int(sys.argv[1]):
            app.host.picks.ask(Asked(640, 360, click=True))
        app.step()
"""


@pytest.mark.rendering
def test_a_picked_frame_is_one_draw_more_and_waits_for_nothing() -> None:
    if shutil.which("apitrace") is None:
        pytest.skip("apitrace is missing: `make test` installs it (Debian, Ubuntu)")
    frames = count_gl.trace([sys.executable, "-c", PICKING, "12"]).frames
    draws = [f.scene_draws + f.ring_draws + f.hud_draws for f in frames[1:]]
    assert sorted(draws) == [3] * 14 + [4]
    picked = 1 + draws.index(4)
    # Panda reads nothing back, and waits for nothing (apitrace does not see PyOpenGL's calls).
    assert {(f.readbacks, f.waits) for f in frames[1:]} == {(0, 0)}
    assert frames[picked].scene_draws == 2
    assert frames[-1] == frames[picked - 2]
