"""README and docs are true: their Python runs, their command lines are ones that there are.

The Python of a page runs in one process, block after block, as a reader would type it; and the
command lines that only look on, with a small picture and a few frames. Both in an empty folder.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from calf_viz.children import python_child
from calf_viz.cli.main import calf_viz
from calf_viz.systems import registry
from calf_viz.viewer.app_config import AppConfig

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES.append(ROOT / "attach" / "README.md")
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
LONGEST = 300  # s, for a machine that does much else

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^ {4,}((?:calf-viz|make|python tools/)(?: .*)?)$", re.MULTILINE)
_INLINE = re.compile(r"`((?:calf-viz|make|python tools/)[^`]*)`")
_BEHIND = (">", "|", ";", "&&", "&")
"""Words of a shell behind which a command ends."""


def blocks(page: str, language: str) -> list[str]:
    return [text for name, text in _BLOCK.findall(TEXTS[page]) if name == language]


def words(line: str) -> list[str]:
    """A command's words, without what follows it in a shell, or, two blanks behind it, explains
    it."""
    typed = re.sub(r"\[options\]|[\[\]]", "", re.split(r"(?<=\S)  +", line)[0])
    found = shlex.split(typed.replace("$r", "gpu"), comments=True)
    ends = (i for i, word in enumerate(found) if word in _BEHIND)
    return found[: next(ends, len(found))]


def whole(line: str) -> bool:
    """Whether it may be typed as it stands: without [a choice] or a name in capitals to fill in."""
    return not re.search(r"\[|…|\|| [A-Z]{1,9}(?=[ /,]|$)", line)


COMMANDS = [
    (page, line)
    for page, text in TEXTS.items()
    for line in dict.fromkeys(_COMMAND.findall(text) + _INLINE.findall(text.replace("\n", " ")))
]
TYPED = [(page, line) for page, text in TEXTS.items() for line in _COMMAND.findall(text)]


# Python


SKIPPED = "left out: "
"""Begins the outcome of a page of which blocks need what others read our files with."""
RUN = f"""
SKIPPED = {SKIPPED!r}
"""
RUN += """
import json, os, sys, time, traceback
time.sleep = lambda seconds: None  # of loops that run long enough to look at them
pages, outcomes = json.load(sys.stdin), {}
readers = "pandas", "polars", "duckdb"
for page, texts in pages.items():
    os.makedirs(page), os.chdir(page)
    names = {"__name__": "__main__"}
    try:
        for number, text in enumerate(texts, 1):
            try:
                exec(compile(text, f"{page}, block {number}", "exec"), names)
            except ModuleNotFoundError as error:
                if error.name not in readers:
                    raise
                outcomes[page] = f"{SKIPPED}{error.name} is not installed"
    except BaseException:
        outcomes[page] = traceback.format_exc()
    os.chdir(os.path.join(*[".."] * len(page.split("/"))))
with open("outcomes.json", "w") as file:
    json.dump(outcomes, file)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was raised, by page."""
    folder = tmp_path_factory.mktemp("docs")
    pages = {page: found for page in TEXTS if (found := blocks(page, "python"))}
    _, environment = python_child("calf_viz")
    environment.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN], cwd=folder, env=environment, input=json.dumps(pages),
        capture_output=True, text=True, timeout=LONGEST,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, str] = json.loads((folder / "outcomes.json").read_text())
    return result


@pytest.mark.rendering
@pytest.mark.parametrize("page", [page for page in TEXTS if blocks(page, "python")])
def test_the_python_of_a_page_runs(page: str, outcomes: dict[str, str]) -> None:
    outcome = outcomes.get(page, "")
    if outcome.startswith(SKIPPED):
        pytest.skip(outcome)
    assert not outcome, outcome


def test_what_people_ask_for_first_is_among_it() -> None:
    everything = "\n".join(text for page in TEXTS for text in blocks(page, "python"))
    for line in ("config.use_batched_trails = False", "CALFApplication(config=config)",
                 "profiler = PerformanceProfiler()", 'with profiler.section("visuals")',
                 "{stats['fps_avg']:.1f}"):  # fmt: skip
        assert line in everything


def test_toml_is_toml_and_settings_are_settings(tmp_path: Path) -> None:
    for page in TEXTS:
        for text in blocks(page, "toml"):
            tomllib.loads(text)
    (text,) = blocks("docs/configuration.md", "toml")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert AppConfig.load(tmp_path / "mine.toml").training.episodes == 50


# Command lines


@cache
def options(command: click.Command) -> set[str]:
    """Spellings of all options."""
    names = [name for p in command.params for name in (*p.opts, *p.secondary_opts)]
    return {name.replace("_", "-") for name in names} | {"--help"}


def check_calf_viz(arguments: list[str], is_whole: bool) -> None:
    """Its command and options are there; whole, click takes the values as well."""
    command: Any = calf_viz
    context = None
    if arguments and not arguments[0].startswith("-") and re.fullmatch(r"[a-z]+", arguments[0]):
        while arguments and isinstance(command, click.Group) and arguments[0] in command.commands:
            command = command.commands[arguments.pop(0)]
        assert command is not calf_viz, f"no command {arguments[0]}"
    for word in arguments:
        name = word.partition("=")[0]
        if name.startswith("--"):
            assert name.replace("_", "-") in options(command), f"no option {name}"
    if is_whole:
        context = command.make_context("calf-viz", list(arguments))
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        assert not rest, f"no command {rest[0]}"


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_line_is_one_that_there_is(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *arguments = words(line)
    if name == "calf-viz":
        # A system of a file is loaded as the command line is read.
        monkeypatch.setattr(registry, "_given", {})
        monkeypatch.chdir(tmp_path)
        (example,) = blocks("docs/systems.md", "python")
        Path("van_der_pol.py").write_text(example, encoding="utf-8")
        Path("examples").symlink_to(ROOT / "examples")
        check_calf_viz(arguments, whole(line) and (page, line) in TYPED)
    elif name == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert not arguments or arguments[0] in targets
    else:
        tool = ROOT / arguments[0]
        assert tool.is_file()
        text = tool.read_text(encoding="utf-8")
        if "import fuzzing" in text:  # which has the options of all of them
            text += (tool.parent / "fuzzing.py").read_text(encoding="utf-8")
        for option in (word for word in arguments if word.startswith("--")):
            assert f'"{option}"' in text or f"/{option}" in text, f"no option {option}"


SMALL = ["--headless", "--frames", "3", "--size", "64x64", "--n-agents", "2"]
LOOKS_ON = [
    line
    for _, line in TYPED
    if whole(line)
    and re.match(r"calf-viz(?: --(?!train)|$| #| +$)", line)
    and not re.search(r"my_look|van_der_pol|mine\.toml|\.zip|examples/", line)
]


@pytest.mark.rendering
def test_command_lines_that_look_on_do(tmp_path: Path) -> None:
    assert len(LOOKS_ON) >= 8
    script = "\n".join(
        [
            "import json, sys",
            "from click.testing import CliRunner",
            "from calf_viz.cli.main import calf_viz",
            "for arguments in json.load(sys.stdin):",
            "    done = CliRunner().invoke(calf_viz, arguments)",
            "    print(done.exit_code, arguments, done.output, done.exception or '')",
            "    assert done.exit_code == 0",
        ]
    )
    _, environment = python_child("calf_viz")
    environment = {key: value for key, value in environment.items() if key != "DISPLAY"}
    lines = [[*words(line)[1:], *SMALL] for line in dict.fromkeys(LOOKS_ON)]
    for line in lines:  # some say themselves how many
        if "--screenshot" in line:
            del line[(at := line.index("--frames")) : at + 2]
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, env=environment,
        input=json.dumps(lines), capture_output=True, text=True, timeout=LONGEST,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert any(os.scandir(tmp_path))
