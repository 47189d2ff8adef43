"""Files are whole or absent: `write_aside` keeps the old one until the new one is complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from calf_viz.errors import UserError
from calf_viz.files import write_aside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.txt"
    with write_aside(target) as part:
        part.write_text("whole")
        assert part.parent == target.parent, "a rename is atomic only within one folder"
        assert part.name == "a.txt.part"
        assert not target.exists()
    assert target.read_text() == "whole"
    assert names(target.parent) == ["a.txt"]


def test_permissions_are_a_new_files_or_the_old_ones(tmp_path: Path) -> None:
    """Whatever the library that writes the part gives it."""
    target, plain = tmp_path / "a.txt", tmp_path / "plain.txt"
    plain.touch()
    for expected in (plain.stat().st_mode & 0o777, 0o640):
        with write_aside(target) as part:
            part.touch(mode=0o600)
        assert target.stat().st_mode & 0o777 == expected
        target.chmod(0o640)


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_a_failing_block_leaves_the_old_file_and_no_part(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(type(error)), write_aside(target) as part:
        part.write_text("half of the n")
        raise error
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_the_users_to_mend(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with (
        pytest.raises(UserError, match=r"cannot write .*a\.txt: No space left"),
        write_aside(target) as part,
    ):
        part.write_text("half")
        raise OSError(28, "No space left on device")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    # Below a regular file nobody can write, root included.
    target = tmp_path / "file" / "below" / "a.txt"
    with pytest.raises(UserError, match="cannot write") as caught, write_aside(target) as part:
        part.write_text("never")
    assert str(target) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["folder", ".", "folder/.."])
def test_a_folder_is_no_file(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot write"), write_aside(name) as part:
        part.write_text("never")
    assert names(tmp_path) == ["folder"] and names(tmp_path / "folder") == []


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """A device, say: renamed over, it would be no more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, said in ((pipe, "no regular file"), (tmp_path, "a folder")):
        with pytest.raises(UserError, match=said), write_aside(place):
            raise AssertionError("nothing is to be written")
    assert pipe.is_fifo() and [file.name for file in tmp_path.iterdir()] == ["pipe"]
