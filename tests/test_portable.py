"""Shaders rewritten for WebGL 2 and macOS: what they must be, whatever the text was."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.glsl.conversions import written_out
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.portable import MACOS, TARGETS, WEBGL, Target, portable
from calf_viz.glsl.preprocessor import PreprocessorError
from calf_viz.glsl.programs import LOOK, load_program
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.workbench import reference

COMPILER = reference.reference_compiler() or ""
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no glslangValidator: see glslang-tools")
VERTEX = "#version 330\nvoid main() { gl_Position = vec4(0.0); }\n"


def linked(target: Target, *fragments: str) -> list[reference.Linked]:
    """Fragment shaders linked in a target's language; as they are, they must link as well."""
    for one in reference.link(COMPILER, [(VERTEX, fragment) for fragment in fragments]):
        assert one.good, one.log
    pairs = [(portable(VERTEX, target), portable(text, target)) for text in fragments]
    return list(reference.link(COMPILER, pairs))


def fragment(body: str, before: str = "") -> str:
    return (
        f"#version 330\nuniform float u_x; uniform int u_i; uniform sampler2D u_s;\n{before}\n"
        f"layout(location = 0) out vec4 o_colour;\n"
        f"void main() {{\n{body}\no_colour = vec4(u_x);\n}}\n"
    )


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("name", LOOK)
def test_shipped_shaders_change_in_nothing_but_their_head(name: str, target: Target) -> None:
    """They are portable as they are written: no cast, no other name."""
    program = load_program(ShaderLibrary(), name)
    for text in program.texts:
        ours = portable(text, target)
        assert ours.startswith(f"#version {target.version}\n")
        assert written_out(ours) == ours
        stated = re.findall(r"precision highp (\w+);", ours)
        assert stated == (["float", "int", "sampler2D"] if target.is_es else [])


class TestLines:
    @pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
    def test_each_stays_where_it_was(self, target: Target) -> None:
        for name in LOOK:
            for source in (load_program(ShaderLibrary(), name).fragment,):
                before = source.text.split("\n")
                after = portable(source.text, target).split("\n")
                assert len(after) == len(before)
                for one, other in zip(before, after, strict=True):
                    words = re.findall(r"\w+", one.partition("//")[0])
                    if other.strip() and words and "#" not in one:
                        assert words[-1] in other or re.search("PALETTE|MODE_BITS", one)

    @needs_compiler
    def test_a_message_is_reported_in_the_users_line(self, tmp_path: Path) -> None:
        text = (shader_folder() / "trail_colour.glsl").read_text()
        path = tmp_path / "trail_colour.glsl"
        path.write_text(
            f"#if 1\n#define X 1\n#endif\n{text}\nint f() {{ return unknown_thing; }}\n"
        )
        program = load_program(ShaderLibrary(tmp_path), "field")
        pair = tuple(portable(text, WEBGL) for text in program.texts)
        (one,) = reference.link(COMPILER, [pair])
        (problem, *_) = reference.problems(program, one)
        assert str(problem).startswith(f"{path}:{len(text.splitlines()) + 5}: ")


BODIES = {
    "an integer for a float": "float a = 1; a = 2; a += 3; a *= u_i; vec3 v = vec3(1, 2, 3) * 2;",
    "in a sum": "float a = 2 * u_x + u_i / 2 - 1; bool b = u_x > 0 && 1 <= u_x || u_x == u_i;",
    "of a choice": "float a = u_x > 0.5 ? 1 : 0.5; float b = u_i > 0 ? 2 : 1;",
    "an argument": "float a = mix(0, 1, u_x) + max(u_x, 0) + clamp(u_x, 0, 1) + pow(2, u_x);",
    "of integers too": "int a = max(u_i, 0); float b = max(u_i, 0); float c = abs(u_i - 3);",
    "of a vector": "vec2 a = ivec2(1, 2); vec2 b = mod(vec2(u_x), 2); float c = length(ivec2(1));",
    "unsigned": "uint k = 3u; float a = k; float b = u_x * k; vec2 c = uvec2(1u, 2u) * 0.5;",
    "an element": "float a[2]; a[0] = 1; a[1] = a[0] * 2; vec3 v; v.x = 1; v.yz = ivec2(1, 2);",
    "an array": "float a[2] = float[2](1, 2); float b[3] = float[](1, 2.0, u_i);",
    "in a loop": "float a = 0; for (int i = 0; i < 3; ++i) a += i * 0.5; while (a < 1) a += 1;",
    "of a matrix": "mat2 m = mat2(1); vec2 v = m * 2 * vec2(1); m *= 2; m[0] = ivec2(1, 2);",
    "with a sign": "float a = -1; float b = -u_i * 0.5; float c = +(2) * u_x;",
    "within": "float a = (1 + (u_i * (2 + 1))) * (u_x + (1 - u_x));",
    "of a texture": "vec4 a = texture(u_s, ivec2(0)); vec4 b = textureLod(u_s, vec2(0), 0);",
    "of texels": "vec4 a = texelFetch(u_s, ivec2(1, 2), 0) * 2; ivec2 b = textureSize(u_s, 0);",
    "of a relation": "bvec2 b = lessThan(vec2(u_x), ivec2(1, 2)); bool c = any(equal(b, b));",
    "of bits": "float a = floatBitsToInt(u_x) * 0.5; int b = 1 << 2 & 3 | u_i % 2; a = b >> 1;",
    "in a switch": "float a; switch (u_i) { case 0: a = 1; break; default: a = 2; }",
    "of a comma": "float a, b = 2, c; a = 1, c = 3; { float d = 1; } do { a = 2; } while (a < 1);",
    "hidden": "int u_x = 1; { float u_i = 1; u_i = 2; } int k = u_x * 2;",
}
BEFORE = {
    "a function": ("float f(float a, int b) { return 1.0; }", "float a = f(1, 2) + f(u_i, u_i);"),
    "a result": ("vec2 f() { return ivec2(1, 2) * 0.5; } float g(int i) { return 2.0 * i; }",
                 "f();"),
    "an overload": ("float f(float a) { return a; } int f(int a) { return a; }",
                    "float a = f(1);"),
    "a struct": ("struct S { float a; vec2 b; }; S g() { return S(1, vec2(2)); }",
                 "S s = S(1, ivec2(2)); s.a = 3; s.b.x = 1; float a = s.a * 2;"),
    "a constant": ("const float A = 2; const float B = A * 3; const int C = 1;",
                   "float a = B * C;"),
    "a global": ("float g = u_x * 2, h = 1, i; vec2 k = vec2(u_i);", "g = g + h + k.x;"),
    "an array of globals": ("float g[2] = float[2](u_x, 1.0);", "float a = g[0];"),
    "a uniform's value": ("uniform float u_y = 2.0; uniform vec2 u_z = vec2(1.0, 2.0);",
                          "float a = u_y + u_z.x;"),
    "a reserved name": ("float sample(float patch) { return patch; }",
                        "float resource = sample(1.0); float readonly = resource;"),
    "a built-in function": ("float tanh(float x) { return x; }", "float a = tanh(1);"),
    "two underscores": ("float a__b = 1.0; float f__(float x) { return x; }", "f__(a__b);"),
    "of old": ("#extension GL_ARB_shader_bit_encoding : require",
               "vec4 a = texture2D(u_s, vec2(0.0));"),
    "an undefined macro": ("#if NOBODY\nnonsense\n#endif\n#define TWICE(x) (2 * (x))",
                           "float a = TWICE(u_x) + TWICE(1);"),
    "another version": ("#if __VERSION__ >= 400 || defined(GL_ES)\nconst float A = 1.0;\n"
                        "#else\nconst float A = 2.0;\n#endif", "float a = A;"),
    "other samplers": ("uniform isampler2D u_k; uniform sampler2DArray u_l;",
                       "ivec4 a = texture(u_k, vec2(0.0)); vec4 b = texture(u_l, vec3(0.0)) * 2;"),
    "a prototype": ("float f(float); float f(float a) { return a * 2; }", "float a = f(1);"),
    "a parameter that comes out": ("void f(out float a, inout vec2 b) { a = 1; b *= 2; }",
                                   "float a; vec2 b = vec2(1); f(a, b);"),
    "an element by a number": ("float pick(vec2 v, int i) { return v[i]; }",
                               "float a = pick(vec2(1), 0) * 2;"),
}  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_the_desktop_takes_the_others_take(target: Target) -> None:
    texts = {"bodies": fragment("\n".join(f"{{ {body} }} // {n}" for n, body in BODIES.items()))}
    texts |= {name: fragment(body, before) for name, (before, body) in BEFORE.items()}
    for (name, text), one in zip(texts.items(), linked(target, *texts.values()), strict=True):
        assert one.good, f"{name}: {one.log}{portable(text, target)}"


class Expressions:
    """Expressions of GLSL 3.30, by type; integers stand wherever they are taken."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def _one(self, depth: int, leaves: list[str], forms: list[str]) -> str:
        """A leaf or a form, whose letters stand for a scalar, a number, an integer, a vector."""
        if depth == 0:
            return self.random.choice(leaves)
        kinds = {"S": self.scalar, "N": self.number, "I": self.integer, "V": self.vector}
        form = self.random.choice(forms)
        return re.sub("[SNIV]", lambda match: kinds[match[0]](depth - 1), form)

    def scalar(self, depth: int) -> str:
        return self._one(
            depth,
            ["u_x", "1.5", ".5e1", "f", "v.x", "a[1]", "m[0].y", "s.a"],
            ["(N + S)", "S - N", "(N * S)", "S / N", "max(S, N)", "min(N, S)", "pow(N, S)",
             "mix(N, N, S)", "(S < N ? N : S)", "(N >= S ? S : N)", "dot(V, v)", "half_of(N)",
             "-(N) * 1.0", "length(V) * N", "(N == S && S != N ? 1 : 0.5)", "step(N, S)"],
        )  # fmt: skip

    def integer(self, depth: int) -> str:
        return self._one(
            depth,
            ["1", "2", "0x3", "u_i", "k", "iv.y", "int(u_x)"],
            ["(I + I)", "(I * I)", "I - I", "(I & I | I)", "max(I, 1)", "(I << 1)", "-(I)",
             "(I % 7)",             "(N > S ? I : I)"],
        )  # fmt: skip

    def number(self, depth: int) -> str:
        return self.random.choice([self.scalar, self.integer])(depth)

    def vector(self, depth: int) -> str:
        return self._one(
            depth,
            ["v", "vec2(1, 2)", "s.b", "m * v", "ivec2(1) * 0.5", "v.yx"],
            ["(V + N)", "(N * V)", "V / N", "(V - iv)", "clamp(V, 0, 1)", "mix(V, V, N)", "m * V",
             "(S < N ? V : V)", "mod(V, N)", "vec2(N, N)"],
        )  # fmt: skip


GIVEN = """\
struct S { float a; vec2 b; };
float half_of(float x) { return 0.5 * x; }
"""
LOCALS = """\
float f = 0.5, a[2] = float[2](1.0, 2.0); vec2 v = vec2(1.0); mat2 m = mat2(1.0); int k = 2;
ivec2 iv = ivec2(1); S s = S(1.0, v);
"""


@needs_compiler
def test_mixed_expressions_come_out_in_one_type() -> None:
    texts = []
    for seed in range(4):
        some, lines = Expressions(seed), []
        for _ in range(60):
            for depth in (0, 1, 2, 3):
                lines += [f"f = {some.scalar(depth)};", f"f += {some.number(depth)};",
                          f"v = {some.vector(depth)};", f"v *= {some.number(depth)};",
                          f"s = S({some.number(depth)}, iv);"]  # fmt: skip
        texts.append(fragment(LOCALS + "\n".join(lines), GIVEN))
    for text, one in zip(texts, linked(WEBGL, *texts), strict=True):
        assert one.good, one.log + portable(text, WEBGL)
        assert portable(text, WEBGL).count("float(") > 200


def test_what_is_of_one_type_stays_as_it_is() -> None:
    text = fragment("float f = 1.0 + u_x; int i = u_i * 2 % 3; vec2 v = vec2(1, u_i);")
    assert written_out(text) == text


def test_what_cannot_be_read_stays_as_it_is_and_the_rest_does_not() -> None:
    text = "void f() { float a = 1; a = ?; }\nfloat b = 2;\nvoid g() { float a = 1; }\n"
    first, second, third, _ = written_out(text).split("\n")
    assert first == "void f() { float a = 1; a = ?; }"
    assert (second, third) == ("float b = float(2);", "void g() { float a = float(1); }")


def test_no_name_of_ones_own_has_two_underscores() -> None:
    """The reference compiler lets them pass; browsers do not."""
    names = ("a__b", "f__", "__", "webgl_x", "_webgl_y", "a____c")
    text = f"#version 330\nfloat {', '.join(names)}; void main() {{ f__ = a__b * __LINE__; }}\n"
    ours = portable(text, WEBGL)
    assert not re.search(r"__|webgl", ours.replace("__LINE__", ""))
    assert "f_1 = a_b_1 * __LINE__;" in ours


def test_inputs_keep_their_names() -> None:
    """Hosts set them by these."""
    inputs = "uniform float sample;\nin vec2 a__b;\n"
    text = f"#version 330\n{inputs}void main() {{ float patch = sample; }}\n"
    ours = portable(text, MACOS)
    assert "uniform float sample;" in ours and "float patch_1 = sample;" in ours
    assert "in vec2 a__b;" in portable(text, WEBGL)


PIECES = st.sampled_from([
    "float", "vec2", "x", "=", "1", "2.0", ";", "{", "}", "(", ")", "[", "]", ",", "?", ":", "+",
    "-", "*", "for", "if", "return", "struct", "uniform", "const", "void main()", "\n",
    "#version 330\n", "layout(location = 0)", "S", ".", "#if 1\n", "\n#endif\n", "in", "sample",
    "__", "texture2D",
])  # fmt: skip


@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_no_text_is_too_strange(text: str) -> None:
    for target in TARGETS:
        with suppress(PreprocessorError):
            assert portable(text, target).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "piece",
    ["(", "{", "x ? ", "x + ", "f(", "float a = 1; ", "if (x) ", "a[", "-", "float f() {} ",
     "struct S {", "float tanh(float x); ", "layout(", "a = ", "uniform float u = 1; ", "x, "],
)  # fmt: skip
def test_long_texts_take_no_longer_than_their_length(piece: str) -> None:
    """A quadratic reader would need minutes, a recursive one would end the program."""
    for target in TARGETS:
        portable("#version 330\n" + piece * (100_000 // len(piece)), target)
        portable(f"#version 330\nvoid main() {{ {piece * (100_000 // len(piece))}", target)
