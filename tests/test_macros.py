"""How long macros make a text: found without expanding it, and never too low."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.glsl import macros
from calf_viz.glsl.library import ShaderLibrary, read_define
from calf_viz.glsl.macros import excess
from calf_viz.glsl.problems import ShaderError

CHAIN = ["#define B0 x", *(f"#define B{i} B{i - 1}-1+B{i - 1}" for i in range(1, 17))]
PASTED = [
    "#define CAT(a, b) a##b", "#define X0 y",
    *(f"#define X{i} CAT(X,{i - 1})-1+CAT(X,{i - 1})" for i in range(1, 17)),
]  # fmt: skip
APPLIED = "y"
for _ in range(20):
    APPLIED = f"APPLY(TWICE, {APPLIED})"


def nested(call: str, depth: int) -> str:
    return f"{call}(" * depth + "y" + ")" * depth + ";"


@pytest.mark.parametrize(
    ("lines", "line", "named"),
    [
        ([*CHAIN, "float a = B16;"], 18, "B16 is some"),
        (["#if 0", "#define B0 1", "#endif", *CHAIN, "#if B16", "#endif"], 21, "B16 is some"),
        (["#define F(a) a*a", nested("F", 20)], 2, "F repeats"),
        (["#define F(a) a*a", "", *nested("F\n", 20).split("\n")], 23, "F repeats"),
        (["#define F(a, b) b*a", "#define G(a) F(a,a)", nested("G", 20)], 3, "G repeats"),
        (["#define F(a) a*a", "#define G F", nested("G", 20)], 3, "G is"),
        (["#define NONE(a)", *CHAIN, "NONE(B16)"], 19, "B16 is some"),
        (["#define TWICE(x) x+x", "#define APPLY(f, x) f(x)", APPLIED], 3, "TWICE repeats"),
        ([*PASTED, "float a = X16;"], 19, "X16 is more than fits anywhere"),
        (["#define A B B", "#define B A A", "A;"], 3, "A is more than fits anywhere"),
        (["#define F(a) a", nested("F", 100)], 2, "F is called in arguments of calls, more"),
        (["#define A x", "#undef A", *CHAIN, "#define A B16", "A;"], 21, "A is some"),
    ],
    ids=[
        "chain", "in a condition", "nested", "over lines", "through another", "by another name",
        "left out", "passed on", "pasted", "in a circle", "deep", "defined anew",
    ],
)  # fmt: skip
def test_what_would_grow_is_reported_with_the_macro(
    lines: list[str], line: int, named: str
) -> None:
    found = excess(tuple(lines))
    assert found is not None and found.line == line - 1, found
    assert named in found.text and "at most 32,768 fit" in found.text


@pytest.mark.parametrize(
    "lines",
    [
        [*CHAIN, "float a = B8;"],
        [*CHAIN, "float a;"],
        ["#define texture texture", "#define f(x) f((x)*2.0)", "f(f(f(texture)))"],
        ["#define A B", "#define B A", "float x;"],
        ["#define F(a) a*a", nested("F", 8)],
        ["#define CAT(a, b) a##b", "#define X0 y", "float CAT(he, ight) = 1.0, CAT(X, 0);"],
        [
            "#define LIST(X) X(sin) X(cos)", "#define SUM(n) n(p) +", "#define MUL(n) n(p) *",
            "#define GET(n) float get_##n() { return 1.0; }",
            "LIST(GET) float s = LIST(SUM) 0.0, m = LIST(MUL) 1.0;",
        ],
        ["#define", "#define 3", "#define F(", "#define F(a", "#define (a) b", "F(a", "F)", ")(("],
        [],
    ],
)  # fmt: skip
def test_what_people_write_is_let_through(lines: list[str]) -> None:
    assert excess(tuple(lines)) is None


def test_what_many_lines_come_to_is_reported() -> None:
    lines = [*CHAIN, *(f"float a{i} = B10;" for i in range(200))]
    found = excess(tuple(lines))
    assert found is not None and "at most 524,288 fit" in found.text and "B10 is" in found.text


@pytest.mark.parametrize("name", ["circle", "calls"])
def test_ten_thousand_macros_are_no_trouble(name: str) -> None:
    if name == "circle":
        lines = [f"#define B{i} B{i + 1}" for i in range(10_000)] + ["#define B10000 B0", "B0;"]
    else:
        lines = [f"#define B{i}(x) B{i + 1}(x)+x+x+x" for i in range(10_000)] + ["B0(y);"]
    found = excess(tuple(lines))
    assert found is not None and found.line == len(lines) - 1


def work(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Tokens that are looked at."""
    seen = []
    lengths = macros._lengths

    def counted(tokens, *rest):
        seen.append(len(tokens))
        return lengths(tokens, *rest)

    monkeypatch.setattr(macros, "_lengths", counted)
    excess.__wrapped__(tuple(lines))
    monkeypatch.setattr(macros, "_lengths", lengths)
    return sum(seen)


@pytest.mark.parametrize("line", ["#define B{0} B{1}-1+B{1}", "#define B{0}(x) B{1}(x)*x B{1}"])
def test_four_times_the_macros_are_four_times_the_work(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = (
        work([*(line.format(i + 1, i) for i in range(n)), f"B{n};"], monkeypatch)
        for n in (500, 2000)
    )
    assert small > 500 and large < 4.5 * small


def expand(text: str, known: dict[str, tuple[list[str] | None, str]], within: tuple = ()) -> str:
    """As the preprocessor of C does, for macros that are not passed on by their names."""
    out, at = "", 0
    while match := re.compile(r"[A-Z]\d*").search(text, at):
        out += text[at : match.start()]
        at, name = match.end(), match[0]
        parameters, body = known.get(name, (None, ""))
        called = text[at : at + 1] == "("
        if name not in known or name in within or (parameters is not None and not called):
            out += name
            continue
        if parameters is not None:
            given, at = arguments(text, at)
            values = {p: expand(g, known, within) for p, g in zip(parameters, given, strict=True)}
            body = re.sub("[pq]", partial(replaced, values), body)
        out += expand(body, known, (*within, name))
    return out + text[at:]


def replaced(values: dict[str, str], name: re.Match[str]) -> str:
    return values.get(name[0], name[0])


def arguments(text: str, at: int) -> tuple[list[str], int]:
    """What stands in the brackets that open here, and where they are closed."""
    given, depth, begin = [], 0, at + 1
    while True:
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 or (text[at] == "," and depth == 1):
            given.append(text[begin:at])
            begin = at + 1
        at += 1
        if depth == 0:
            return given, at


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[str], dict[str, tuple[list[str] | None, str]], str]:
    """Definitions, the same for `expand`, and a line that uses them."""
    shapes = draw(st.lists(st.sampled_from([None, ["p"], ["p", "q"]]), min_size=1, max_size=4))

    def text(names: list[str], depth: int = 2) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 2))):
            which = draw(st.integers(-1, len(shapes) - 1))
            if which < 0:
                parts.append(draw(st.sampled_from(["x", "1.5", "*", *names])))
            elif shapes[which] is None:
                parts.append(f"B{which}")
            elif depth > 0:
                arguments = (text(names, depth - 1) for _ in shapes[which])
                parts.append(f"B{which}({','.join(arguments)})")
        return " ".join(parts)

    known, lines = {}, []
    for number, parameters in enumerate(shapes):
        body = text(parameters or [])
        known[f"B{number}"] = parameters, body
        brackets = f"({','.join(parameters)})" if parameters else ""
        lines.append(f"#define B{number}{brackets} {body}")
    return lines, known, text([])


@given(programs())
def test_the_estimate_is_never_too_low(program) -> None:
    lines, known, text = program
    macros_, tokens = macros._read([*lines, text])
    passed = macros._measure(macros_, tokens)
    flat = [token for _, line in tokens for token in line]
    estimate = len(text) + sum(length for _, _, length in macros._lengths(flat, macros_, passed))
    assert len("".join(expand(text, known).split())) <= estimate


def test_includes_and_defines_count_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.glsl").write_text("\n".join(CHAIN[:10]))
    (tmp_path / "b.glsl").write_text("\n".join(CHAIN[10:]) + "\n")
    (tmp_path / "main.vert").write_text('#include "a.glsl"\n#include "b.glsl"\n\nfloat f = B16;\n')
    with pytest.raises(ShaderError, match=r"main\.vert:4: macros make some .* B16 is"):
        ShaderLibrary(tmp_path).load("main.vert")
    (tmp_path / "main.vert").write_text('#include "a.glsl"\n#include "b.glsl"\nfloat f = MINE;\n')
    library = ShaderLibrary(tmp_path, dict([read_define("MINE=B16")]))
    with pytest.raises(ShaderError, match=r"main\.vert:3: macros make some .*MINE is"):
        library.load("main.vert")
    (tmp_path / "main.vert").write_text('#include "a.glsl"\n#include "b.glsl"\nfloat f = B4;\n')
    assert library.load("main.vert").text.endswith("B4;\n")
