"""Pictures compared: pairs, numbers, exit codes, and a report that holds the pictures."""

from __future__ import annotations

import base64
import io
import os
import struct
import sys
import zlib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import compare_screenshots as tool
import numpy as np
import pytest
from PIL import Image


def picture(over: int = 0, by: int = 0, size: tuple[int, int] = (20, 50)) -> np.ndarray:
    """Random, the same each time, with some pixels changed."""
    drawn = np.random.default_rng(1).integers(0, 200, (*size, 3)).astype(np.uint8)
    drawn.reshape(-1, 3)[:over, 1] += np.uint8(by)
    return drawn


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "a", tmp_path / "b"
    a.mkdir(), b.mkdir()
    for folder, name, drawn in (
        (a, "same", picture()), (b, "same", picture()),
        (a, "near", picture()), (b, "near", picture(1000, 3)),
        (a, "far & wide", picture()), (b, "far & wide", picture(100, 40)),
        (b, "extra", picture()),
    ):  # fmt: skip
        Image.fromarray(drawn).save(folder / f"{name}.png")
    return a, b


@dataclass
class Ended:
    exit_code: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Ended:
    """The tool, as the command line runs it."""
    argv = ["compare_screenshots", *map(str, arguments)]
    with (
        patch.object(sys, "argv", argv),
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        pytest.raises(SystemExit) as end,
    ):
        tool.main()
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, out.getvalue(), err.getvalue())


class Page(HTMLParser):
    """Headings, pictures and choices of a report, section by section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: list[dict] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        self.links += [v for k, v in found.items() if k in ("src", "href")]
        if tag == "section":
            section = {"class": found["class"], "pictures": {}, "modes": [], "captions": []}
            self.sections.append(section)
        elif tag == "img":
            data = base64.b64decode(found["src"].removeprefix("data:image/png;base64,"))
            drawn = np.asarray(Image.open(io.BytesIO(data)))
            self.sections[-1]["pictures"][found["class"]] = drawn
        elif found.get("type") == "radio":
            self.sections[-1]["modes"].append(found["value"])

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.get_starttag_text() == "<figcaption>":
            self.sections[-1]["captions"].append(data)


class TestNumbers:
    def test_share_and_largest(self) -> None:
        pair = tool.Comparison("x", picture(), picture(10, 4))
        assert (pair.share, pair.largest) == (0.01, 4)
        assert tool.Comparison("x", picture(), picture(10, 4), level=4).share == 0.0

    def test_either_side_may_be_brighter(self) -> None:
        assert tool.Comparison("x", picture(10, 4), picture()).largest == 4

    def test_flip_is_0_for_the_same_and_grows_with_what_is_seen(self) -> None:
        errors = [tool.Comparison("x", picture(), picture(500, by)).flip for by in (0, 10, 50)]
        assert errors[0] == 0.0 and 0.0 < errors[1] < errors[2] <= 1.0

    def test_other_sizes_never_pass(self) -> None:
        pair = tool.Comparison("x", picture(), picture(size=(20, 49)), fraction=1.0)
        assert not pair.passes and pair.verdict == "sizes differ: 50x20 and 49x20"


class TestCommand:
    def test_exit_codes(self, folders: tuple[Path, Path]) -> None:
        done = run(*folders)
        assert done.exit_code == 1
        assert run(*folders, "--level", 40).exit_code == 0
        assert run(*folders, "--fraction", 0.1).exit_code == 0
        assert run(*folders, "--fraction", 0.0999).exit_code == 1
        assert run(*folders[::-1], "--level", 40).exit_code == 1, "extra.png is missing now"

    def test_says_each_pictures_numbers(self, folders: tuple[Path, Path]) -> None:
        rows = [row.split("│") for row in run(*folders).stdout.splitlines() if "│" in row]
        said = {row[1].strip(): [cell.strip() for cell in row[2:6]] for row in rows}
        assert next(iter(said)) == "far & wide.png", "the worst first"
        assert said["far & wide.png"][:2] == ["10.000 %", "40"]
        assert said["far & wide.png"][3] == "over"
        assert said["near.png"][:2] == ["0.000 %", "3"] and said["near.png"][3] == "ok"
        assert said["same.png"] == ["0.000 %", "0", "0.0000", "ok"]
        assert said["extra.png"][3] == "extra"

    def test_bad_input_ends_with_2(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        assert run(tmp_path / "none", folders[1]).exit_code == 2
        (tmp_path / "empty").mkdir()
        assert run(tmp_path / "empty", tmp_path / "empty").exit_code == 2
        for bad in (("--fraction", "nan"), ("--fraction", 2), ("--level", 256), ("--no-such",)):
            done = run(*folders, *bad)
            assert done.exit_code == 2 and not done.stdout
            assert done.stderr.startswith("compare_screenshots: ")
            assert done.stderr.count("\n") == 1, "one line"

    def test_the_report_replaces_no_picture_that_is_compared(
        self, folders: tuple[Path, Path]
    ) -> None:
        for folder in folders:
            picture = folder / "same.png"
            before = picture.read_bytes()
            done = run(*folders, "--html", picture)
            assert done.exit_code == 2 and "is read, and would be replaced" in done.stderr
            assert picture.read_bytes() == before and not done.stdout

    @pytest.mark.parametrize(
        ("kind", "why"),
        [
            ("no picture", "not a picture: of no kind that is known"),
            ("cut short", "not a picture: image file is truncated"),
            ("a folder", "it is a folder, not a regular file"),
            ("a pipe", "it is a pipe, not a regular file"),
            ("a large file", "it holds 1,099,511,627,776 bytes"),
            ("many pixels", "not a picture: Image size (400000000 pixels)"),
        ],
    )
    def test_what_cannot_be_read_does_not_hide_the_rest(
        self, folders: tuple[Path, Path], tmp_path: Path, kind: str, why: str
    ) -> None:
        file = folders[1] / "same.png"
        data = file.read_bytes()
        file.unlink()
        if kind == "a folder":
            file.mkdir()
        elif kind == "a pipe":
            os.mkfifo(file)
        elif kind == "a large file":
            with file.open("wb") as large:
                large.truncate(2**40)
        elif kind == "many pixels":  # 50 MB of one bit each, and 1.2 GB as they are compared
            header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
            chunk = b"IHDR" + header
            crc = struct.pack(">I", zlib.crc32(chunk))
            file.write_bytes(data[:8] + struct.pack(">I", len(header)) + chunk + crc + data[33:])
        else:
            file.write_bytes(b"no picture" if kind == "no picture" else data[: len(data) // 2])
        page = tmp_path / "report.html"
        done = run(*folders, "--html", page)
        assert done.exit_code == 2 and f"{file}: {why}" in done.stderr
        assert done.stderr.count("\n") == 1 and "far & wide.png" in done.stdout
        assert "2 pairs, 1 over" in page.read_text() and "unreadable: same.png" in page.read_text()

    def test_names_are_no_markup_and_their_endings_may_be_large(
        self, folders: tuple[Path, Path]
    ) -> None:
        a, b = folders
        (a / "same.png").rename(a / "[red]same.PNG")
        (b / "same.png").rename(b / "[red]same.png")
        done = run(*folders, "--level", 40)
        assert done.exit_code == 0 and "[red]same.png" in done.stdout

    def test_a_terminal_obeys_no_name(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        name = "red\x1b[31m\x1b]0;title\x07"
        for folder in folders:
            Image.fromarray(picture()).save(folder / f"{name}.png")
        Image.fromarray(picture()).save(folders[1] / f"extra{name}.png")
        (folders[0] / f"broken{name}.png").write_bytes(b"none")
        (folders[1] / f"broken{name}.png").write_bytes(b"none")
        page = tmp_path / "page.html"
        ended = run(*folders, "--html", page)
        assert ended.exit_code == 2
        for text in (ended.stdout, ended.stderr, page.read_text(encoding="utf-8")):
            assert "\x1b" not in text and "\x07" not in text
            assert r"\x1b[31m" in text

    def test_pictures_of_16_bits(self, folders: tuple[Path, Path]) -> None:
        grey = picture()[..., 0]
        Image.fromarray(grey.astype(np.uint16) * 257).save(folders[0] / "same.png")
        Image.fromarray(grey).save(folders[1] / "same.png")
        rows = [row.split("│") for row in run(*folders).stdout.splitlines() if "│" in row]
        (row,) = (row for row in rows if row[1].strip() == "same.png")
        assert [cell.strip() for cell in row[2:6]] == ["0.000 %", "0", "0.0000", "ok"]


class TestReport:
    @pytest.fixture
    def page(self, folders: tuple[Path, Path], tmp_path: Path) -> Page:
        path = tmp_path / "out" / "report.html"
        done = run(*folders, "--html", path)
        assert done.exit_code == 1 and str(path) in done.stdout
        return Page(path.read_text(encoding="utf-8"))

    def test_holds_the_very_pictures(self, page: Page) -> None:
        assert [section["class"] for section in page.sections] == ["over", "ok", "ok"]
        worst = page.sections[0]["pictures"]
        assert set(worst) == {"a", "b", "heat"}
        assert np.array_equal(worst["a"], picture())
        assert np.array_equal(worst["b"], picture(100, 40))

    def test_heat_is_where_they_differ(self, page: Page) -> None:
        heat = page.sections[0]["pictures"]["heat"].astype(int).sum(axis=2)
        assert heat.shape == (20, 50)
        assert heat[:2].mean() > 5 * heat[10:].mean(), "the first 100 pixels are two rows"

    def test_offers_each_view_and_needs_no_other_file(self, page: Page) -> None:
        assert all(s["modes"] == ["side", "blink", "slider", "map"] for s in page.sections)
        assert all(link.startswith("data:image/png;base64,") for link in page.links)

    def test_names_the_two_sides_at_each_picture(
        self, page: Page, folders: tuple[Path, Path]
    ) -> None:
        a, b = (f"{letter}: {folder}" for letter, folder in zip("AB", folders, strict=True))
        for section in page.sections:
            assert section["captions"] == [a, b, f"FLIP error between {a} and {b}"]

    def test_says_names_and_numbers(self, page: Page) -> None:
        for words in ("far & wide.png", "10.000 % of pixels", "3 pairs, 1 over", "extra: extra"):
            assert words in page.text
        assert "mean FLIP error 0.0000" in page.text
