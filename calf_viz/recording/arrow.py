"""Arrow, which recordings are written in, and which only they need."""

from __future__ import annotations

from typing import Any

from calf_viz.errors import UserError


def arrow() -> Any:
    """The module pyarrow. Raises UserError if it is not installed."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise UserError(
            "recordings are Arrow files: install calf_viz[record], which brings pyarrow"
        ) from error
    return pyarrow
