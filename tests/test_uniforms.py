"""Uniforms as they are declared in a text: each found, and what cannot be read is told."""

from __future__ import annotations

from typing import Any

import pytest

from calf_viz.glsl import text as glsl


class TestUniforms:
    """As `glsl.uniforms` reads them; the compiler is asked in tests of `shaders check`."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("uniform float u_a;", [("float", "u_a", False, 1, True)]),
            ("uniform float u_a, u_b;", [("float", f"u_{x}", False, 1, False) for x in "ab"]),
            ("uniform vec2 u_a = vec2(1, 2),\n u_b[2];",
             [("vec2", "u_a", False, 1, True), ("vec2", "u_b", True, 2, True)]),
            ("float x; uniform float u_a; uniform int u_b;",
             [("float", "u_a", False, 1, False), ("int", "u_b", False, 1, False)]),
            ("layout(location = 3) uniform\nhighp float\nu_a;", [("float", "u_a", False, 3, True)]),
            ("uniform float[2] u_a;", [("float", "u_a", True, 1, True)]),
            ("// uniform float u_a;\n/* uniform int u_b; */ uniformly = u_uniform;", []),
            ("#if uniform\n#error uniform float u_a;\n#endif", []),
        ],
    )  # fmt: skip
    def test_every_one_is_found(self, text, expected):
        assert [declared[:5] for declared in glsl.uniforms(text)] == expected

    @pytest.mark.parametrize(
        "text",
        [
            "uniform a\n", "uniform float u_a", "uniform float u_a, ", "uniform\n",
            "uniform float[", "uniform float u_a" + " " * 20,
            "#define uniform\n", "#define a uniform \\\n",
            "uniform highp ", "/* uniform */", "uniform float u_a = (", "// uniform\r",
        ],
    )  # fmt: skip
    def test_four_times_the_text_is_four_times_the_work(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By lines and characters that statements are looked up in."""

        def work(count: int) -> int:
            seen = [0]
            with monkeypatch.context() as counting:
                declared, line = glsl._declared, glsl._Places.line
                blank = glsl._blank

                def counted_declared(*given: Any) -> list[glsl.Declaration]:
                    end = glsl._STATEMENT.search(given[0], given[1])
                    assert end is not None
                    seen[0] += end.start() - given[1] + 1
                    return declared(*given)

                def counted_line(places: glsl._Places, at: int) -> int:
                    seen[0] += 1
                    return line(places, at)

                def counted_blank(part: str) -> str:
                    seen[0] += len(part)
                    return blank(part)

                counting.setattr(glsl, "_declared", counted_declared)
                counting.setattr(glsl._Places, "line", counted_line)
                counting.setattr(glsl, "_blank", counted_blank)
                glsl.uniforms.__wrapped__(text * count)
            return seen[0]

        assert work(400) <= 4.1 * work(100) + 10

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("#define IN uniform float\nIN u_a;", "a macro must not declare a uniform"),
            ("#define IN \\\n  uniform\nIN float u_a;", "a macro must not declare a uniform"),
            ("#define NAME u_a\nuniform float NAME;", "NAME is a macro"),
            ("#define IN(q) q float u_a;\nIN(uniform)", "cannot be read"),
            ("uniform Block { vec4 u_v; };", "nobody sets a uniform block"),
            ("uniform struct { vec4 v; } u_v;", "nobody sets a uniform block"),
            ("uniform float u_a\nvoid f() {}", "cannot be read"),
            ("uniform", "cannot be read"),
        ],
    )
    def test_what_cannot_be_read_is_reported(self, text, words):
        assert [words in declared.wrong for declared in glsl.uniforms(text)] == [True]
