"""Files are whole or absent: `write_aside` keeps the old one until the new one is complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.errors import MOST_SHOWN, FileDamaged, FileError, FileTrouble, UserError, shown
from calf_viz.files import (
    exists,
    hold,
    is_file,
    is_folder,
    make_folder,
    not_over,
    parsing,
    read_bytes,
    read_text,
    write_aside,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.txt"
    with write_aside(target) as part:
        part.write_text("whole")
        assert part.parent == target.parent, "a rename is atomic only within one folder"
        assert part.name.endswith(".part") and part.name != "a.txt.part", "that may be a user's"
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
    for place, said in ((pipe, "not a regular file"), (tmp_path, "a folder")):
        with pytest.raises(UserError, match=said), write_aside(place):
            raise AssertionError("nothing is to be written")
    assert pipe.is_fifo() and [file.name for file in tmp_path.iterdir()] == ["pipe"]


def test_a_part_of_the_users_own_stays(tmp_path: Path) -> None:
    mine = tmp_path / "a.txt.part"
    mine.write_text("mine")
    with write_aside(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert mine.read_text() == "mine"
    assert names(tmp_path) == ["a.txt", "a.txt.part"]


def test_two_that_write_one_file_at_once_both_write_it_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with write_aside(target) as one, write_aside(target) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one", "the one that ended last"
    assert names(tmp_path) == ["a.txt"]


def test_what_a_link_points_to_is_written(tmp_path: Path) -> None:
    """Settings are often links into a folder that is kept under version control."""
    kept, link = tmp_path / "kept" / "look.toml", tmp_path / "look.toml"
    kept.parent.mkdir()
    for old in ("old", None):  # an older file, and none yet
        if old:
            kept.write_text(old)
        else:
            kept.unlink()
        link.unlink(missing_ok=True)
        link.symlink_to(kept)
        with write_aside(link) as part:
            assert part.parent == kept.parent, "the rename is within one folder"
            part.write_text("new")
        assert link.is_symlink() and kept.read_text() == "new"


def test_a_link_in_a_circle_stays(tmp_path: Path) -> None:
    link = tmp_path / "a"
    link.symlink_to(link)
    with pytest.raises(UserError, match="link"), write_aside(link):
        raise AssertionError("nothing is to be written")
    assert link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs chown")
def test_another_users_link_in_a_shared_folder_chooses_nothing(tmp_path: Path) -> None:
    shared, mine = tmp_path / "shared", tmp_path / "mine.txt"
    shared.mkdir()
    shared.chmod(0o1777)
    mine.write_text("mine")
    link = shared / "a.txt"
    link.symlink_to(mine)
    os.lchown(link, 65534, 65534)
    with pytest.raises(UserError, match="another user"), write_aside(link):
        raise AssertionError("nothing is to be written")
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", "no/" * 2000 + "x", "\udcff\ud800"])
def test_a_name_that_no_file_can_have_is_one_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(f"{tmp_path}/{name}")
    assert not exists(path) and not is_file(path) and not is_folder(path)
    for use in (lambda: read_bytes(path, 10), lambda: make_folder(path)):
        with pytest.raises(UserError) as caught:
            use()
        assert str(caught.value).isprintable() and len(str(caught.value)) < 600
    with pytest.raises(UserError, match="cannot write"), write_aside(path):
        raise AssertionError("known before there is work to lose")


def test_a_long_name_that_a_file_can_have_is_written(tmp_path: Path) -> None:
    target = tmp_path / ("ä" * 127)  # 254 bytes, of 255
    with write_aside(target) as part:
        part.write_text("whole")
    assert target.read_text() == "whole"


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    """Nor waited for: nobody writes to the pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path, said in (
        (pipe, "a pipe"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device"),
        (tmp_path / "zero", "a device"), (tmp_path / "none", "No such file"),
    ):  # fmt: skip
        with pytest.raises(FileTrouble, match=said) as caught:
            read_bytes(path, 100)
        assert str(path) in str(caught.value)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing
    with pytest.raises(FileTrouble, match=r"1,099,511,627,776 bytes, at most 100"):
        read_bytes(large, 100)
    with pytest.raises(FileTrouble, match="more than 10 bytes"):
        read_bytes("/proc/self/status", 10)  # which says that it is empty
    large.write_bytes(b"x" * 100)
    assert read_bytes(large, 100) == b"x" * 100


def test_an_editors_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xef\xbb\xbfseed = 3\n")
    assert read_text(file, 100) == "seed = 3\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("seed = 3\n".encode("utf-16"), "UTF-16"),
        ("seed = 3\n".encode("utf-16-le"), "UTF-16"),
        ("seed = 3\n".encode("utf-32"), "UTF-32"),
        ("a = 1\nname = 'ü'\n".encode("latin-1"), r":2: not UTF-8 \(byte 14\)"),
    ],
)
def test_a_text_in_another_encoding_is_reported(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(data)
    with pytest.raises(FileDamaged, match=f"{said}.*; save it as UTF-8"):
        read_text(file, 100)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ValueError("x" * 5000), FileDamaged, "not TOML: x{90,}…x{90,};"),
        (KeyError("name"), FileDamaged, "not TOML: name is missing"),
        (RecursionError(), FileDamaged, "nested too deep"),
        (TypeError(), FileDamaged, "not TOML: TypeError"),
        (MemoryError(), FileTrouble, "not enough memory"),
        (OSError(5, "Input/output error"), FileTrouble, "Input/output error"),
    ],
)
def test_whatever_a_parser_raises_is_one_line(
    error: Exception, kind: type[FileError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught, parsing("a.toml", "TOML"):
        raise error
    assert str(caught.value).startswith("a.toml: ") and len(str(caught.value)) < 300
    assert caught.value.path == Path("a.toml")


def test_nothing_is_written_over_what_it_is_made_of(tmp_path: Path) -> None:
    one, other, link = (tmp_path / name for name in ("one", "other", "link"))
    one.touch()
    other.touch()
    link.symlink_to(one)
    not_over(tmp_path / "new", [one, other])
    for output in (one, link, tmp_path / "." / "one"):
        with pytest.raises(UserError, match="would be replaced"):
            not_over(output, [other, one])


def test_one_at_a_time_writes_what_is_held(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a.safetensors", tmp_path / ("n" * 250)):
        lock = hold(path)
        with pytest.raises(UserError, match="another process"):
            hold(path)
        lock.release()
        hold(path).release()


@given(st.text(max_size=3000) | st.binary(max_size=300) | st.integers() | st.lists(st.text()))
def test_a_value_in_a_message_is_short_and_in_one_line(value: object) -> None:
    assert len(shown(value)) <= 10 * MOST_SHOWN and shown(value).isprintable()


def test_what_a_message_quotes_stands_as_it_is_where_it_can() -> None:
    assert shown("a  b [bold]") == "a  b [bold]" and shown(Path("x/y")) == "x/y"
    assert shown("\x1b[31mred\x07") == r"\x1b[31mred\x07"
    assert shown(3.5) == "3.5" and shown(["a"]) == "['a']"
    assert shown(10**5000) == "int too large to be shown"
    assert len(shown("x" * 10**6)) == MOST_SHOWN
