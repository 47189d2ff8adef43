"""How a command ends: its exit code, and what it says, also where nothing can be said any more."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from calf_viz.console import as_options, plain, say, tables
from calf_viz.errors import UserError
from calf_viz.run_command import run_command

CONFIG = [sys.executable, "-m", "calf_viz", "config"]
full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def ended(body: Callable[[], object]) -> int:
    """The exit code of a command that does that."""
    command = click.Command("try", callback=body)
    with pytest.raises(SystemExit) as end, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["try"])
        run_command(command, "try", "try: ")
    assert isinstance(end.value.code, int)
    return end.value.code


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("a.toml is odd: fix it"), 2, "try: a.toml is odd: fix it\n"),
        (click.UsageError("a\x1b[31m\nb"), 2, "try: a\\x1b[31m b\n"),
        (click.UsageError("x" * 10**6), 2, None),
        (KeyboardInterrupt(), 130, "\n"),  # after the terminal's ^C
        (MemoryError(), 2, "try: not enough memory for that: give smaller numbers\n"),
        (OSError(24, "Too many open files", "a\nb"), 1, "try: a b: Too many open files\n"),
        (OSError("odd"), 1, "try: odd\n"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
        (SystemExit(3), 3, ""),
        (SystemExit("that was all"), 1, "try: that was all\n"),
    ],
)
def test_an_end_is_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str | None
) -> None:
    assert ended(raising(error)) == code
    err = capsys.readouterr().err
    assert err == said if said is not None else len(err) < 1100


@full_disk
@pytest.mark.parametrize("arguments", [["config"], ["--help"], ["evaluate", "--help"], ["shaders"]])
def test_a_full_disk_is_reported_in_one_line(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "calf_viz", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.stderr == "calf-viz: cannot write the output: No space left on device\n"
    assert done.returncode == 1


@full_disk
def test_errors_that_cannot_be_reported_still_have_their_code() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*CONFIG, "--seed=-1"], stdout=full, stderr=full, timeout=60)
        assert done.returncode == 2
        assert subprocess.run(CONFIG, stdout=full, stderr=full, timeout=60).returncode == 1


def test_a_reader_who_has_gone_is_told_nothing() -> None:
    """As `| head -1` is."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = subprocess.run(CONFIG, stdout=gone, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"")


def closed(streams: str, *arguments: str) -> tuple[int, str]:
    """How a command ends whose streams are closed, as a shell does it; what it says of that."""
    command = [sys.executable, "-m", "calf_viz", *arguments]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {streams}', "sh", *command], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [["config"], ["--version"], ["shaders", "list"], ["--help"]])
def test_a_closed_output_is_reported_as_a_full_disk_is(arguments: list[str]) -> None:
    said = "calf-viz: cannot write the output: it is closed\n"
    assert closed(">&-", *arguments) == (1, said)
    assert closed(">&- 2>&- <&-", *arguments) == (1, "")


def test_closed_streams_that_are_not_needed_are_no_trouble(tmp_path: Path) -> None:
    for streams in ("2>&-", "<&-", "<&- 2>&-"):
        assert closed(streams, "config") == (0, ""), streams


def test_nothing_that_is_printed_gets_into_a_file_that_took_the_place_of_a_stream(
    tmp_path: Path,
) -> None:
    made, beside = tmp_path / "made", tmp_path / "beside"
    assert closed("", "shaders", "new", str(beside)) == (0, "")
    assert closed(">&- 2>&- <&-", "shaders", "new", str(made))[0] == 1
    contents = [{p.name: p.read_bytes() for p in f.iterdir()} for f in (made, beside)]
    assert contents[0] == contents[1] != {}


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_a_name_is_printed_as_the_bytes_that_it_is(tmp_path: Path, encoding: str) -> None:
    code = (
        "import sys, click; from calf_viz.console import say; "
        "from calf_viz.run_command import run_command; "
        "run_command(click.Command('x', callback=lambda: say(sys.argv.pop())), 'x')"
    )
    name = b"\xff[b]\xc3\xa4" if encoding == "utf-8" else b"\xff[b]"
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    run = f"import sys; sys.argv[1:], last = [], sys.argv[-1]; sys.argv.append(last); {code}"
    run = run.replace("sys.argv.pop()", "last")
    run = run.replace("sys.argv.append(last); ", "")
    done = subprocess.run(
        [sys.executable, "-c", run, name], capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == name + b"\n"


NAMES = ["exp[lr=0.1]", "w[/b]", "[bold red]x", ":smile:", "\x1b[31mred", "a\u202eb", "a b  c"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A line that other programs read holds it as it is, a table and a terminal obey nothing."""
    from rich.table import Table

    say(name)
    assert capsys.readouterr().out == f"{name}\n"
    table = Table(title=f"of {name}" if name.isprintable() else "")
    table.add_column(plain(name))
    table.add_row(plain(name))
    tables(100).print(table)
    seen = name.encode("unicode_escape").decode() if not name.isprintable() else name
    out = capsys.readouterr().out
    assert out.count(seen) == (3 if name.isprintable() else 2)
    assert out.replace("\n", "").isprintable()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    say(name)
    assert capsys.readouterr().out == f"{seen}\n"


# Settings, which the library's messages name, as options


@click.group()
@click.option("--critic-on-gpu", is_flag=True)
@click.option("--hud/--no-hud", default=True)
def drawing(critic_on_gpu: bool, hud: bool) -> None:
    pass


@drawing.command()
@click.option("--renderer", "design")
def failing(design: str | None) -> None:
    raise UserError(
        "leave `critic_on_gpu` out, or take `renderer=gpu`, `hud=False`, `hud=True`; "
        "not `size=3`, `critic on gpu` or `Hud`"
    )


def test_settings_in_messages_are_options_at_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["drawing", "failing"])
    with pytest.raises(SystemExit) as end:
        run_command(drawing, "drawing")
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "leave --critic-on-gpu out, or take --renderer gpu, --no-hud, --hud; "
        "not `size=3`, `critic on gpu` or `Hud`\n"
    )
    # Called from Python, as afterwards, no command runs.
    assert as_options("leave `critic_on_gpu` out") == "leave `critic_on_gpu` out"


ROOT = Path(__file__).resolve().parents[1] / "calf_viz"
AT_THE_COMMAND_LINE = {"cli/*", "workbench/tables.py"}
DOCUMENTATION = {"workbench/document.py", "glsl/variants.py"}
OPTION = re.compile(r"--[a-z]")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every text in a file but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        for part in (
            node.values if isinstance(node, ast.JoinedStr)
            else [node.value] if isinstance(node, ast.Expr)
            else []
        )
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, ast.unparse(node)
        elif isinstance(getattr(node, "value", None), str) and id(node) not in inner:
            yield node.lineno, node.value


def test_the_library_names_settings_and_no_options() -> None:
    """Whoever calls it from Python has none. Command lines to be typed, whole, have theirs."""
    theirs = {p: set(ROOT.glob(p)) for p in AT_THE_COMMAND_LINE | DOCUMENTATION}
    assert all(theirs.values()), "named here, and gone"
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted(set(ROOT.rglob("*.py")).difference(*theirs.values()))
        for line, text in texts(path)
        if OPTION.search(text) and "calf-viz " not in text
    ]
    assert not found, "name settings in backquotes; console.as_options makes options of them"
