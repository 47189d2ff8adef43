"""Pictures for pages that load fast."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from calf_viz.errors import UserError
from calf_viz.files import write_aside

MOST = 400_000
"""Bytes."""
QUALITIES = (92, 88, 84, 80, 75, 70, 65, 60, 50, 40, 30, 20, 10)


def write_webp(picture: Image.Image, path: Path, most: int = MOST) -> None:
    """Write it at the best quality that takes no more than this number of bytes. Raises UserError
    if none does, or if it cannot be written."""
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, format="WEBP", quality=quality, method=6)
        if file.tell() <= most:
            with write_aside(path) as part:
                part.write_bytes(file.getvalue())
            return
    raise UserError(f"{path.name}: {file.tell()} bytes at the lowest quality: make it smaller")
