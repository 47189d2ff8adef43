"""Files that are either whole or absent: written aside, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from calf_viz.errors import UserError


def make_folder(path: str | Path) -> None:
    """Make a folder where it is missing, so that a bad one is known before there is work to lose.

    Raises:
        UserError: it cannot be made, or not written.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise UserError(
            f"cannot write to {path}: {error.strerror}; choose another place"
        ) from error


@contextmanager
def write_aside(path: str | Path) -> Iterator[Path]:
    """Give a `.part` path in the same folder; rename it to `path` when the block ends well.

    The folder is made where it is missing. When the block raises, the part is removed and an
    older `path` stays as it was.

    Raises:
        UserError: the folder or the file cannot be written, or the path is something else.
    """
    path = Path(path)
    # Not with_name, which raises where there is no name (".", "/"): renaming then tells.
    part = Path(f"{path}.part")
    if path.exists() and not path.is_file():
        # Renamed over, a device or a pipe would be no more.
        kind = "a folder" if path.is_dir() else "no regular file"
        raise UserError(f"cannot write {path}: it is {kind}; choose another place")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.chmod(_mode(path))
        # A rename within one folder is atomic: readers see the old file or the new one.
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write {path}: {reason}; make room or choose another place"
        ) from error
    finally:
        # After a rename there is none; in a folder that cannot be read there is none either.
        with suppress(OSError):
            part.unlink()


def _mode(path: Path) -> int:
    """Permissions as the file has them, or as a new file gets: some libraries write for their
    user alone."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
