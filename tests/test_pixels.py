"""Every scene folder's picture against its expected.png, within the scene's tolerance.

`pytest --update-pixels` rewrites the expected pictures; nothing else does, and a missing one is a
failure. Bounds are the driver's (tests/drivers.py), or the scene's where it has its own; a driver
without any is skipped, by name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compare_screenshots import Comparison, Folders, read_picture, write_report
from drivers import driver_of
from PIL import Image
from scene_folder import NAMES, SCENES, Agents, SceneFolder, rendered

from calf_viz.glsl.library import ShaderLibrary

FAILURES = Path(__file__).parent / "failures"


def check(
    name: str,
    actual: np.ndarray,
    bounds: tuple[int, float],
    renderer: str,
    scenes: Path,
    failures: Path,
) -> None:
    """Fails, in words and with a report, if the picture is not the one in `scenes`."""
    path = scenes / name / "expected.png"
    if not path.is_file():
        pytest.fail(f"{path} is missing: look at the scene, then run pytest --update-pixels")
    pair = Comparison(name, read_picture(path), actual, *bounds)
    said = f"{name} on {renderer}: {pair.verdict}"
    print(said)
    if not pair.passes:
        report = failures / f"{name}.html"
        sides = "expected", f"drawn by {renderer}"
        write_report(report, Folders([pair], sides=sides), f"{name}: expected, and from {renderer}")
        picture = failures / f"{name}.actual.png"
        Image.fromarray(actual).save(picture)
        pytest.fail(f"{said}; see {report} and {picture}")


@pytest.mark.rendering
@pytest.mark.parametrize("name", NAMES)
def test_scene(name: str, request: pytest.FixtureRequest) -> None:
    drawn = rendered("panda")
    assert name not in drawn.errors, drawn.errors[name]
    driver = driver_of(drawn.renderer)
    if driver is None:
        pytest.skip(f"no bounds in tests/drivers.py for this renderer, {drawn.renderer}")
    actual = drawn.pictures[name]
    if request.config.getoption("--update-pixels"):
        assert driver.name == "llvmpipe", (
            f"expected pictures are llvmpipe's, not {drawn.renderer}'s"
        )
        Image.fromarray(actual).save(SCENES / name / "expected.png", optimize=True)
        return
    bounds = SceneFolder.read(name).bounds(driver)
    check(name, actual, bounds, drawn.renderer, SCENES, FAILURES)


INVISIBLE = 16  # levels of 255: an edge moved by 1/16 px, as half of the curves may be


@pytest.mark.rendering
@pytest.mark.parametrize("name", NAMES)
def test_level_of_detail_does_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture with trails through every sample is the same, to the eye, on any renderer."""
    scene = SceneFolder.read(name)
    pictures = []
    for detail in (True, False):
        host = scene.open("moderngl")
        if not detail:
            monkeypatch.setattr(host.detail, "stride", lambda *_: 1)
        with host.context:
            pictures.append(scene.play(host))
    pair = Comparison(name, *pictures, INVISIBLE, scene.detail_fraction)
    assert pair.passes, pair.verdict


@pytest.mark.rendering
@pytest.mark.parametrize("kind", ["panda", "moderngl"])
def test_colours_are_clamped(kind: str, tmp_path: Path) -> None:
    """What a hook gives beyond 1 counts as 1, before it is multiplied by its opacity."""
    scene = SceneFolder("bright", size=(160, 90), trail=60, steps=40, agents=[Agents(3, seed=2)])
    pictures = []
    for colour in ("4.0, 4.0, 4.0, 0.25", "1.0, 1.0, 1.0, 0.25"):
        head = "vec4 trail_colour(vec3 colour, int mode, float age, float edge)"
        (tmp_path / "trail_colour.glsl").write_text(f"{head} {{ return vec4({colour}); }}\n")
        host = scene.open(kind, library=ShaderLibrary(tmp_path))
        pictures.append(scene.play(host))
        host.close()
    assert np.array_equal(*pictures)


def test_every_folder_is_a_scene() -> None:
    folders = sorted(path.name for path in SCENES.iterdir() if path.is_dir())
    assert folders == NAMES


class TestCheck:
    """The comparison itself, on pictures made here."""

    bounds = (3, 0.01)

    def picture(self, over: int = 0, by: int = 0) -> np.ndarray:
        picture = np.full((10, 100, 3), 100, np.uint8)
        picture.reshape(-1, 3)[:over, 1] += np.uint8(by)
        return picture

    def run(self, folder: Path, actual: np.ndarray) -> None:
        (folder / "grey").mkdir(exist_ok=True)
        Image.fromarray(self.picture()).save(folder / "grey" / "expected.png")
        check("grey", actual, self.bounds, "some renderer", folder, folder / "failures")

    @pytest.mark.parametrize(("over", "by"), [(0, 0), (1000, 3), (10, 100)])
    def test_passes_within(self, tmp_path: Path, over: int, by: int) -> None:
        self.run(tmp_path, self.picture(over, by))
        assert not (tmp_path / "failures").exists()

    def test_tells_what_was_over_and_writes_it(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.fail.Exception) as failed:
            self.run(tmp_path, self.picture(11, 4))
        said = str(failed.value)
        for part in ("grey", "some renderer", "1.100 %", "1.000 %", "level 3", "difference 4"):
            assert part in said
        picture, report = (tmp_path / "failures" / f"grey{end}" for end in (".actual.png", ".html"))
        assert str(picture) in said and str(report) in said
        assert np.array_equal(read_picture(picture), self.picture(11, 4))
        assert "1.100 % of pixels" in report.read_text(encoding="utf-8")

    def test_missing_picture_fails_and_stays_missing(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.fail.Exception, match=r"missing.*--update-pixels"):
            check("grey", self.picture(), self.bounds, "r", tmp_path, tmp_path / "failures")
        assert list(tmp_path.iterdir()) == []

    def test_other_size_fails(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.fail.Exception, match="sizes differ: 100x10 and 100x9"):
            self.run(tmp_path, self.picture()[1:])
