"""Moments of a recording, as options give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording


def moment(recording: Recording, name: str, text: str | None) -> int | None:
    """The step of a moment that a setting of that name gives: `200`, or `12.5s` after the
    beginning; None if not given. Raises UserError."""
    from calf_viz.viewer.film import read_moment

    return None if text is None else read_moment(name, text, recording.view)
