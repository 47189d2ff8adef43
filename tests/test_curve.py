"""The parabola that a trail's segment is drawn as, from the numbers the vertex shader hands over.

    newer sample, m = 0 *
                         `.   across(m) = bend * m * (span - m), px, to the left of the way
      middle sample       *   m / span = u + 4 * uneven * u * (1 - u), u along the chord
                        .'
    older, m = span    *      lean = bend * span / chord's length

It passes through the middle sample's pixel, on the surface, whatever the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from render_probe import FlatCamera, Probe, sides
from test_ribbon import EDGE, LEVEL, PLANE, SIZE, project, to_pixels

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene

pytestmark = pytest.mark.rendering

STEPS = 70
NODES = plane_nodes(*PLANE, 40, 33)
WAVES = Heightfield((np.sin(NODES[:, 0]) * np.cos(0.7 * NODES[:, 1])).reshape(40, 33), *PLANE)


@dataclass
class Segment:
    """What a fragment of a trail's segment is told."""

    back: int
    span: int
    uneven: float
    modes: list[int]
    bend: float
    lean: float
    reach: tuple[float, float]  # of the newer pair to the left and to the right, px
    half_width: float

    @property
    def middle(self) -> int:
        return self.back + self.span // 2

    def share(self) -> float:
        """Where on the chord, from 0 at its newer end, the middle sample is drawn."""
        u = np.linspace(0, 1, 20001)
        m = u + 4 * self.uneven * u * (1 - u)
        return float(u[np.argmin(np.abs(m - (self.middle - self.back) / self.span))])


def segments(probe: Probe) -> list[Segment]:
    """Of the only agent's trail, newest first."""
    ids, surface = probe.ids()
    values, _ = probe.vertices()
    bits = probe.scene.mode_bits.each
    trail = slice(0, (ids.shape[1] - 5) // 2 * 2, 2)
    found = []
    for (packed, modes, *curve), left, right in zip(
        ids[surface, trail], values[surface, trail], values[surface, 1:][trail], strict=True
    ):
        bend, lean = np.array(curve, np.int32).view(np.float32).astype(float)
        span, back = packed >> 2 & 15, packed >> 6 & 0xFFFF
        if not sides(np.array([[left[6], right[6]]])) or back + span > probe.packer.step:
            continue  # a joint; a tail, which is no segment's newer end
        found.append(
            Segment(
                back, span, ((packed >> 22 & 255) - 128) / 512,
                [modes >> bits * k & (1 << bits) - 1 for k in range(span)],
                bend, lean, (left[6], -right[6]), left[7],
            )
        )  # fmt: skip
    return found[::-1]


def spiral(turn: float, slower: float = 0.0) -> np.ndarray:
    """(STEPS, 2): `turn` radians a step, slowing down."""
    angle = turn * np.arange(STEPS) / (1.0 + slower * np.arange(STEPS))
    return (0.5 + 0.05 * angle[:, None]) * 4 * np.stack([np.cos(angle), np.sin(angle)], axis=1) / 3


def pushed(path, stride, field=WAVES, camera=None, modes=None, known=3) -> Probe:
    camera = camera or OrbitCamera()
    scene = Scene(size=SIZE, camera=camera, trail=STEPS, stride=stride, modes=known)
    probe = Probe(scene, field, RingLayout.fit(1, STEPS + 1))
    for step, position in enumerate(path):
        mode = None if modes is None else np.array([modes[step]])
        probe.push(position[None], modes=mode)
    return probe


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5, 8, 15])
@pytest.mark.parametrize("slower", [0.0, 0.02])
def test_the_curve_passes_through_the_middle_sample(stride, slower):
    path, camera = spiral(0.06, slower), OrbitCamera(azimuth=0.4, elevation=0.6)
    pixels = to_pixels(project(WAVES, camera, path, Scene().height_scale))[::-1]  # newest first
    found = segments(pushed(path, stride, camera=camera))
    assert [s.back for s in found][1:] == [s.back + s.span for s in found][:-1], "no gap"
    assert found[-1].back + found[-1].span == STEPS - 1, "to the oldest sample"
    for s in found:
        here, older = pixels[s.back], pixels[s.back + s.span]
        way = here - older
        left = np.array([-way[1], way[0]]) / np.linalg.norm(way)
        m = s.middle - s.back
        drawn = here - s.share() * way + s.bend * m * (s.span - m) * left
        apart = drawn - pixels[s.middle]
        # `uneven` is told in 512ths of the chord, up to a quarter of it
        unevenest = abs(abs(s.uneven) * 512 - 127) < 1
        assert np.linalg.norm(apart) < 0.02 + np.linalg.norm(way) / 250 or unevenest
        assert abs(np.dot(apart, left)) < 0.02, "across, where it shows, to a pixel's 50th"
        assert s.lean == pytest.approx(s.bend * s.span / np.linalg.norm(way), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("slowing", [0.5, 0.8, 1.25, 2.0])
def test_steps_never_run_backwards_along_a_segment(slowing):
    """However hard an agent brakes or speeds up: a mode would show twice."""
    way = np.cumsum(slowing ** np.arange(STEPS, dtype=float) % 1e3)
    path = np.stack([8 * way / way[-1] - 4, np.zeros(STEPS)], axis=1)
    for s in segments(pushed(path, 12, LEVEL, FlatCamera())):
        assert abs(s.uneven) < 0.25


def test_a_segment_of_one_step_is_straight():
    for s in segments(pushed(spiral(0.3), 1)):
        assert (s.span, s.bend, s.lean, s.uneven) == (1, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("known", [1, 3, 4, 5, 8, 20])
def test_its_fragments_learn_every_steps_mode(known):
    """As long as steps are some pixels long: see test_chatter.py."""
    modes = np.random.default_rng(5).integers(0, known, STEPS)
    told = np.minimum(modes, 7)[::-1].tolist()  # newest first
    probe = pushed(spiral(0.05), 1, LEVEL, FlatCamera(0.5), modes=modes, known=known)
    for stride in range(1, ModeBits.of(known).longest_stride + 1):
        probe.scene.stride = stride
        found = segments(probe)
        assert max(s.span for s in found) == stride
        for s in found:
            assert s.modes == told[s.back : s.back + s.span]


@pytest.mark.parametrize("turn", [0.05, -0.05])
def test_the_ribbon_is_wider_on_the_side_to_which_it_bulges(turn):
    """And wide enough all along, even if its neighbour is straight."""
    probe = pushed(spiral(turn), 12, LEVEL, FlatCamera())
    values, surface = probe.vertices()
    trail = values[surface, : (values.shape[1] - 5) // 2 * 2].reshape(-1, 2, 8)
    tail = trail[sides(trail[..., 6])][0]  # oldest first
    assert (tail[0, 6] > -tail[1, 6]) == (turn < 0), "wider on the side of the curve that ends here"
    for s in segments(probe):
        if s.span < 12:
            continue
        bulge = s.bend * s.span**2 / 4
        assert np.sign(bulge) == -np.sign(turn) and abs(bulge) > 0.5, "away from the centre"
        least = s.half_width + EDGE
        bulging, other = s.reach if bulge > 0 else s.reach[::-1]
        assert other == pytest.approx(least, abs=1e-3)
        assert bulging == pytest.approx(least + 3 * abs(bulge), abs=1e-3)
        u = np.linspace(0, 1, 101)  # between this reach and none more than the least
        excess = 4 * abs(bulge) * u * (1 - u) - 3 * abs(bulge) * (1 - u)
        assert excess.max() < 0.07 * abs(bulge)


def test_a_curve_that_turns_back_within_a_segment_stays_within_bounds():
    angle = np.pi * np.arange(STEPS) / 3
    to_and_fro = np.stack([2 * np.sin(angle), 0.3 * np.cos(2 * angle)], axis=1)
    probe = pushed(to_and_fro, 6, LEVEL, FlatCamera())
    values, _ = probe.vertices()
    assert np.isfinite(values).all()
    for s in segments(probe):
        assert abs(s.lean) * s.span <= 1.5 + 1e-3
