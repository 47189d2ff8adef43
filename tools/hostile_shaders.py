"""Texts known to break compilers and file readers, which `fuzz_shaders.py` saves in addition to
damaged ones. Each is a shipped shader with something added, or something else in its place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

RETURN = re.compile(rb"\breturn\b([^;{}]+);")


@dataclass(frozen=True)
class Hostile:
    """What is in a shader's place: its bytes, or something other than a file.

    Attributes:
        beside: additional files, by name.
        instead: `pipe`, `device`, `folder` or `gigabytes`; empty for a file.
    """

    data: bytes = b""
    beside: dict[str, bytes] = field(default_factory=dict)
    instead: str = ""


def _returned(
    random_: random.Random, data: bytes, term: str, before: str = "", above: str = ""
) -> bytes:
    """A function's result times a term, as compilers remove unused code."""
    returns = list(RETURN.finditer(data))
    if not returns:
        return data + f"\n{above}\nfloat hostile_() {{ {before} return {term}; }}\n".encode()
    at = random_.choice(returns)
    changed = f"{{ {before} return (".encode() + at[1] + f") * ({term}); }}".encode()
    data = data[: at.start()] + changed + data[at.end() :]
    version, newline, rest = data.partition(b"\n")
    if not version.startswith(b"#version"):
        return above.encode() + b"\n" + data
    return version + newline + above.encode() + b"\n" + rest


def _division(random_: random.Random, data: bytes) -> Hostile:
    """A division that overflows."""
    smallest = random_.choice(["-2147483648", "(-2147483647 - 1)", "int(0x80000000u)"])
    sign = random_.choice(["/", "%"])
    return Hostile(_returned(random_, data, f"float({smallest} {sign} -1)"))


def _no_number(random_: random.Random, data: bytes) -> Hostile:
    """Texture coordinates that are not numbers."""
    wrong = random_.choice(["0.0 / 0.0", "1.0 / 0.0", "sqrt(-1.0)", "1e38 * 1e38", "-1e30"])
    name = random_.choice(["u_palette", "u_ring", "u_heightfield", "u_hud_atlas"])
    read = random_.choice([
        f"texture({name}, vec2({wrong})).r",
        f"textureLod({name}, vec2({wrong}), {wrong}).r",
        f"texelFetch({name}, ivec2(vec2({wrong})), 0).r",
        f"texelFetch({name}, ivec2(-2147483647), 2147483647).r",
    ])  # fmt: skip
    return Hostile(_returned(random_, data, read))


def _macros(random_: random.Random, data: bytes) -> Hostile:
    """Macros that expand each other."""
    levels, form = random_.randint(8, 30), random_.choice(["{0} + {0}", "{0} - 1.0 + {0}"])
    lines = ["#define B0 1.0"]
    lines += [f"#define B{i} ({form.format(f'B{i - 1}')})" for i in range(1, levels)]
    if random_.random() < 0.3:
        lines = [f"#define B{i} B{i} - 1.0 + B{i}" for i in range(levels)]
    return Hostile(_returned(random_, data, f"B{levels - 1}", above="\n".join(lines)))


def _logical_line(random_: random.Random, data: bytes) -> Hostile:
    """A long line, continued over many."""
    end = random_.choice(["\\\n", "\\\r\n"])
    return Hostile(_returned(random_, data, f"1.0 {end}" + f" + 0.0 {end}" * _many(random_, 4)))


def _terms(random_: random.Random, data: bytes) -> Hostile:
    """An expression of many terms, or in many brackets."""
    many = _many(random_, 4)
    signs, negated = "\n+ 1.0" * many, "- \n" * (2 * many)
    term = random_.choice(["1.0" + signs, "(\n" * many + "1.0" + ")\n" * many, negated + "1.0"])
    return Hostile(_returned(random_, data, term))


def _nested(random_: random.Random, data: bytes) -> Hostile:
    """Statements within each other."""
    many = _many(random_, 3)
    opened = random_.choice(["{\n", "if (true) {\n", "for (int i = 0; i < 1; i++) {\n"])
    return Hostile(_returned(random_, data, "1.0", before=opened * many + "}\n" * many))


def _functions(random_: random.Random, data: bytes) -> Hostile:
    """Functions that call each other."""
    twice = random_.random() < 0.5
    many = random_.randint(10, 30) if twice else _many(random_, 3)
    calls = "f{0}(x) + f{0}(x * 0.5)" if twice else "f{0}(x) + 1.0"
    lines = ["float f0(float x) { return x; }"]
    lines += [f"float f{i}(float x) {{ return {calls.format(i - 1)}; }}" for i in range(1, many)]
    return Hostile(_returned(random_, data, f"f{many - 1}(1.0)", above="\n".join(lines)))


def _recursion(random_: random.Random, data: bytes) -> Hostile:
    """A function that calls itself, or by way of another."""
    above = random_.choice([
        "float f(float x) { return x > 1e9 ? x : f(x + 1.0); }",
        "float f(float x); float g(float x) { return f(x); } float f(float x) { return g(x); }",
    ])  # fmt: skip
    return Hostile(_returned(random_, data, "f(1.0)", above=above))


def _endless(random_: random.Random, data: bytes) -> Hostile:
    """An endless or very long loop."""
    loop = random_.choice([
        "while (true) {{ {0} if (l > 1e20) break; }}", "for (;;) {{ {0} }}", "for (;;) {{}}",
        "for (int i = 0; i < 1000000000; i++) {{ {0} }}", "do {{ {0} }} while (l < 1e20);",
        "for (float t = 0.0; t < 1.0; t += 1e-9) {{ {0} }}",
    ]).format("l = sin(l) + 1.5;")  # fmt: skip
    return Hostile(_returned(random_, data, "l", before=f"float l = 0.5; {loop}"))


def _array(random_: random.Random, data: bytes) -> Hostile:
    """An array of megabytes, or of gigabytes."""
    size = 10 ** random_.randint(5, 9)
    before = f"float a[{size}]; for (int i = 0; i < 9; i++) a[i * {size // 10}] = float(i);"
    return Hostile(_returned(random_, data, f"a[int(u_trail) % {size}]", before=before))


def _carriage(random_: random.Random, data: bytes) -> Hostile:
    """Line ends of other systems, or a mixture."""
    ends = random_.choice([[b"\r"], [b"\r\n"], [b"\r", b"\n", b"\r\n", b"\n\r"]])
    return Hostile(b"".join(line + random_.choice(ends) for line in data.split(b"\n")))


def _chain(random_: random.Random, data: bytes) -> Hostile:
    """A chain of includes."""
    many = _many(random_, 2.5)
    files = {f"chain/{i}.glsl": f'#include "chain/{i + 1}.glsl"\n'.encode() for i in range(many)}
    files[f"chain/{many}.glsl"] = random_.choice([b"", b'#include "chain/0.glsl"\n', b"broken"])
    return Hostile(data + b'\n#include "chain/0.glsl"\n', files)


def _many_lines(random_: random.Random, data: bytes) -> Hostile:
    """A line over and over."""
    line = random_.choice([b"uniform a\n", b"uniform float u_x;\n", b"int\n", b"#if 1\n", b"\n"])
    return Hostile(data + line * _many(random_, 3.5))


def _other_stage(random_: random.Random, data: bytes) -> Hostile:
    """Another stage's shader."""
    from calf_viz.glsl.shipped_shaders import shader_folder

    name = random_.choice(["field.vert", "field.frag", "hud.vert", "hud.frag", "height.glsl"])
    return Hostile((shader_folder() / name).read_bytes())


def _no_file(random_: random.Random, data: bytes) -> Hostile:
    """Not a file: a pipe, a device, a folder, gigabytes of zeros."""
    return Hostile(instead=random_.choice(["pipe", "device", "folder", "gigabytes"]))


def _many(random_: random.Random, most: float) -> int:
    """A number of any magnitude up to a few times 10^most."""
    return round(3 * 10 ** random_.uniform(1.0, most))


KINDS: dict[str, Callable[[random.Random, bytes], Hostile]] = {
    (kind.__doc__ or "").rstrip("."): kind
    for kind in (
        _division, _no_number, _macros, _logical_line, _terms, _nested, _functions, _recursion,
        _endless, _array, _carriage, _chain, _many_lines, _other_stage, _no_file,
    )
}  # fmt: skip
