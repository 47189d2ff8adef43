"""Every scene folder's picture against its expected.png, within the scene's tolerance.

`pytest --update-pixels` rewrites the expected pictures; nothing else does, and a missing one is a
failure. Other renderers than llvmpipe round otherwise, so they are skipped, by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scene_folder import NAMES, SCENES, SceneFolder, rendered

FAILURES = Path(__file__).parent / "failures"
AMPLIFIED = 20


@dataclass
class Difference:
    """Two pictures of one size, apart from each other."""

    actual: np.ndarray
    expected: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        """Largest difference of a pixel's components, (height, width) int."""
        return np.abs(self.actual.astype(int) - self.expected.astype(int)).max(axis=2)

    def share_over(self, level: int) -> float:
        return float((self.levels > level).mean())

    def write(self, name: str, folder: Path) -> list[Path]:
        """Writes the actual picture and, where sizes agree, the amplified difference."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.actual.png", folder / f"{name}.difference.png"]
        Image.fromarray(self.actual).save(paths[0])
        apart = np.abs(self.actual.astype(int) - self.expected.astype(int)) * AMPLIFIED
        Image.fromarray(apart.clip(0, 255).astype(np.uint8)).save(paths[1])
        return paths


def check(
    name: str, actual: np.ndarray, scene: SceneFolder, renderer: str, scenes: Path, failures: Path
) -> None:
    """Fails, in words, if the picture is not the one in `scenes`."""
    path = scenes / name / "expected.png"
    if not path.is_file():
        pytest.fail(f"{path} is missing: look at the scene, then run pytest --update-pixels")
    expected = np.asarray(Image.open(path).convert("RGB"))
    if actual.shape != expected.shape:
        pytest.fail(f"{name} is {actual.shape}, its expected.png {expected.shape}")
    difference = Difference(actual, expected)
    share = difference.share_over(scene.level)
    said = (
        f"{name} on {renderer}: {100 * share:.3f} % of pixels differ by more than level "
        f"{scene.level} (allowed: {100 * scene.fraction:.3f} %), "
        f"largest difference {difference.levels.max()}"
    )
    print(said)
    if share > scene.fraction:
        written = " and ".join(map(str, difference.write(name, failures)))
        pytest.fail(f"{said}; see {written} (difference x {AMPLIFIED})")


@pytest.mark.rendering
@pytest.mark.parametrize("name", NAMES)
def test_scene(name: str, request: pytest.FixtureRequest) -> None:
    drawn = rendered("panda")
    assert name not in drawn.errors, drawn.errors[name]
    if not drawn.is_llvmpipe:
        pytest.skip(f"expected pictures are llvmpipe's, this renderer is {drawn.renderer}")
    actual = drawn.pictures[name]
    if request.config.getoption("--update-pixels"):
        Image.fromarray(actual).save(SCENES / name / "expected.png", optimize=True)
        return
    check(name, actual, SceneFolder.read(name), drawn.renderer, SCENES, FAILURES)


INVISIBLE = 8  # levels of 255


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
    share = Difference(*pictures).share_over(INVISIBLE)
    said = f"{100 * share:.3f} % of pixels differ by more than {INVISIBLE}"
    assert share <= scene.detail_fraction, said


def test_every_folder_is_a_scene() -> None:
    folders = sorted(path.name for path in SCENES.iterdir() if path.is_dir())
    assert folders == NAMES


class TestCheck:
    """The comparison itself, on pictures made here."""

    scene = SceneFolder("grey", level=3, fraction=0.01)

    def picture(self, over: int = 0, by: int = 0) -> np.ndarray:
        picture = np.full((10, 100, 3), 100, np.uint8)
        picture.reshape(-1, 3)[:over, 1] += np.uint8(by)
        return picture

    def run(self, folder: Path, actual: np.ndarray) -> None:
        (folder / "grey").mkdir(exist_ok=True)
        Image.fromarray(self.picture()).save(folder / "grey" / "expected.png")
        check("grey", actual, self.scene, "some renderer", folder, folder / "failures")

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
        for end in ("actual", "difference"):
            path = tmp_path / "failures" / f"grey.{end}.png"
            assert str(path) in said
            written = np.asarray(Image.open(path))
            assert written[0, 0, 1] == {"actual": 104, "difference": 4 * AMPLIFIED}[end]

    def test_missing_picture_fails_and_stays_missing(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.fail.Exception, match=r"missing.*--update-pixels"):
            check("grey", self.picture(), self.scene, "r", tmp_path, tmp_path / "failures")
        assert list(tmp_path.iterdir()) == []

    def test_other_size_fails(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.fail.Exception, match=r"\(9, 100, 3\).*\(10, 100, 3\)"):
            self.run(tmp_path, self.picture()[1:])
