"""Windows in child processes, under a display of their own."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def under_display(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        pytest.skip("xvfb-run is missing: `make test` installs it on Debian and Ubuntu")
    return subprocess.run(
        [xvfb, "-a", "-s", "-screen 0 1280x720x24", *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def needs_xdotool() -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is missing: `make test` installs it on Debian and Ubuntu")
