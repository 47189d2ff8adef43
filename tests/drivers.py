"""The drivers under which pictures are compared, each with its bounds; Mesa's in software can be
chosen as well, by their environment.

llvmpipe draws what the expected pictures show. softpipe shares none of its code for shaders and
pixels, and zink compiles them by way of SPIR-V for Vulkan (here lavapipe's, without a GPU), so that
what only one of the compilers lets pass shows up in another.

    python tests/drivers.py     the name of the renderer that the environment gives
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

VULKAN_FOLDERS = ("/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d")
MESA_EGL = Path("/usr/share/glvnd/egl_vendor.d/50_mesa.json")


@dataclass(frozen=True)
class Driver:
    """A driver, by Mesa's name for it if it is Mesa's.

    Attributes:
        begins: prefix of the renderer's name, unique to this driver.
        level, fraction: an expected picture is met if no more than that fraction of its pixels
            differs by more than that level of 255. A scene.toml may have its own bounds instead.
        left_out: tests that do not run under it, with the reason.
    """

    name: str
    begins: str
    level: int = 3
    fraction: float = 0.001
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def bounds(self) -> str:
        return f"at most {100 * self.fraction:g} % of pixels beyond level {self.level} of 255"

    def environment(self) -> dict[str, str]:
        """The variables that make Mesa take this driver, whatever GPU there is."""
        chosen = {"GALLIUM_DRIVER": self.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
        if MESA_EGL.is_file():
            chosen["__EGL_VENDOR_LIBRARY_FILENAMES"] = str(MESA_EGL)
        if self.name == "zink" and (lavapipe := next(_lavapipe(), None)):
            chosen["VK_ICD_FILENAMES"] = chosen["VK_DRIVER_FILES"] = str(lavapipe)
        return chosen

    def missing(self) -> str | None:
        """Why it is unavailable on this machine; None if it must be available."""
        if not sys.platform.startswith("linux"):
            return "Mesa's drivers are chosen by name on Linux alone"
        if self.name == "zink" and not any(_lavapipe()):
            return "no lavapipe: install Debian's mesa-vulkan-drivers"
        if not MESA_EGL.is_file():
            return f"no Mesa: {MESA_EGL} is missing"
        return None

    def draws(self, renderer: str) -> bool:
        """Whether a renderer of that name is this driver."""
        return renderer.lower().startswith(self.begins)


# Bounds: llvmpipe itself rounds by up to 3 levels otherwise on another maker's CPU. Measured on an
# AMD EPYC: zink differs by at most 1 of 255, softpipe in at most 0.02 % of a scene's pixels by more
# than 3 (edges that fall on a pixel's centre).
DRIVERS = {
    driver.name: driver
    for driver in (
        Driver("llvmpipe", "llvmpipe"),
        Driver("zink", "zink (llvmpipe"),
        Driver(
            "softpipe",
            "softpipe",
            left_out={
                "test_level_of_detail_does_not_show": "compares a driver with itself",
                "test_agents_beyond_one_row_of_the_texture": "thousands of vertices, one by one",
            },
        ),
    )
}

# A GPU's: recognised where it draws, never chosen. Measured once, 2026-11-27, on an H200 (driver
# 580.159.04) with whole pictures of the program, against llvmpipe's of the same grid: 2 to 7 % of
# the pixels differ by one level, and by more than 3 at most 0.0002 % in the plain picture and
# 0.005 % in the shipped looks (docs/performance.md). The scenes of these tests have not been
# compared on such a card yet: the next run on one shows whether they keep to llvmpipe's bounds.
NVIDIA = Driver("nvidia", "nvidia")


def driver_of(renderer: str) -> Driver | None:
    """The driver behind a renderer's name; None for those without bounds here."""
    known = (*DRIVERS.values(), NVIDIA)
    return next((driver for driver in known if driver.draws(renderer)), None)


def renderer_here() -> str:
    """The renderer's name in this process."""
    from calf_viz.hosts.moderngl.host import create_context

    context = create_context()
    try:
        return str(context.info["GL_RENDERER"])
    finally:
        context.release()


@cache
def renderer_under(name: str) -> str:
    """The renderer's name in a child that should use that driver, or how the child failed."""
    child = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, **DRIVERS[name].environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return child.stdout.strip() or child.stderr.strip()[-200:] or f"exit {child.returncode}"


def _lavapipe() -> Iterator[Path]:
    for folder in VULKAN_FOLDERS:
        yield from sorted(Path(folder).glob("lvp_icd*.json"))


if __name__ == "__main__":
    print(renderer_here())
