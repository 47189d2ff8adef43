"""Files that shaders include: where each is found, that it is taken once, what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_looks import write

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary


def test_includes_stand_where_they_were_named(tmp_path):
    library = write(tmp_path, main__vert='a\n#include "part.glsl"\nb\n', part__glsl="x\ny\n")
    source = library.load("main.vert")
    assert source.text == "a\nx\ny\nb\n"
    main, part = tmp_path / "main.vert", tmp_path / "part.glsl"
    assert source.origins == ((main, 1), (part, 1), (part, 2), (main, 3))
    assert source.origin(3) == (part, 2) and source.origin(4) == (main, 3)
    assert source.origin(0) == (main, 1) and source.origin(99) == (main, 3)


def test_includes_may_be_nested_and_spaced(tmp_path):
    library = write(
        tmp_path,
        main__vert='  #  include "one.glsl"  // why\nend\n',
        one__glsl='1\n#include "two.glsl"\n1b',
        two__glsl="2",
    )
    source = library.load("main.vert")
    assert source.text == "1\n2\n1b\nend\n"
    assert [line for _, line in source.origins] == [1, 1, 3, 2]


def test_a_file_is_included_once(tmp_path):
    library = write(
        tmp_path,
        main__vert='#include "a.glsl"\n#include "b.glsl"\n#include "a.glsl"\n',
        a__glsl="a\n",
        b__glsl='#include "a.glsl"\nb\n',
    )
    assert library.load("main.vert").text == "a\nb\n"
    assert library.load("main.vert").text == "a\nb\n", "a second load starts afresh"


def test_a_cycle_is_named(tmp_path):
    library = write(
        tmp_path,
        main__vert='\n#include "a.glsl"\n',
        a__glsl='#include "b.glsl"\n',
        b__glsl='// b\n#include "a.glsl"\n',
    )
    with pytest.raises(UserError) as caught:
        library.load("main.vert")
    message = str(caught.value)
    assert "main.vert -> a.glsl -> b.glsl -> a.glsl" in message
    assert f"{tmp_path / 'b.glsl'}:2" in message and "\n" not in message


def test_a_missing_file_is_named_with_the_line_that_asks_for_it(tmp_path):
    library = write(tmp_path, main__vert='a\nb\n#include "gone.glsl"\n')
    with pytest.raises(UserError, match=r"main\.vert:3: .*gone\.glsl.*not found"):
        library.load("main.vert")
    with pytest.raises(UserError, match=r"nothing\.vert not found"):
        library.load("nothing.vert")


@pytest.mark.parametrize("name", ["/etc/passwd", "../main.vert", "lib/../../x.glsl"])
def test_includes_stay_in_their_folders(tmp_path, name):
    """What lies elsewhere is not followed, and no other machine has it there."""
    library = write(tmp_path, main__vert=f'\n#include "{name}"\n')
    with pytest.raises(UserError, match=r"main\.vert:2: .*name a file below the look's folder"):
        library.load("main.vert")


def test_an_include_in_a_comment_includes_nothing(tmp_path):
    library = write(
        tmp_path, main__vert='/*\n#include "gone.glsl"\n*/\n// #include "gone.glsl"\nb\n'
    )
    assert library.load("main.vert").text.splitlines()[-1] == "b"


class TestIncludes:
    def test_are_found_beside_the_file_that_has_them_first(self, tmp_path: Path) -> None:
        (tmp_path / "lib").mkdir()
        library = write(tmp_path, main__vert='#include "lib/a.glsl"\n', b__glsl="top\n")
        (tmp_path / "lib" / "a.glsl").write_text('#include "b.glsl"\n#include "ring.glsl"\n')
        assert "top\n" in library.load("main.vert").text
        assert "ring_sample" in library.load("main.vert").text, "a shipped one beside it, so to say"
        (tmp_path / "lib" / "b.glsl").write_text("beside\n")
        text = library.load("main.vert").text
        assert "beside\n" in text and "top\n" not in text
        (tmp_path / "lib" / "b.glsl").write_text('#include "../c.glsl"\n')
        (tmp_path / "c.glsl").write_text("up, but not out\n")
        assert "up, but not out\n" in library.load("main.vert").text

    def test_by_several_names_are_one_file(self, tmp_path: Path) -> None:
        library = write(
            tmp_path, main__vert='#include "a.glsl"\n#include "./a.glsl"\n', a__glsl="a\n"
        )
        assert library.load("main.vert").text == "a\n"

    @pytest.mark.parametrize(
        "name", ["a\\\\b.glsl", "C:/a.glsl", "//host/a", "x/../../y", "é" * 900]
    )
    def test_of_names_that_no_file_here_has_are_reported(self, tmp_path: Path, name: str) -> None:
        library = write(tmp_path, main__vert=f'\n#include "{name}"\n')
        with pytest.raises(UserError, match=r"main\.vert:2: ") as caught:
            library.load("main.vert")
        assert len(str(caught.value)) < 700

    def test_in_long_chains_are_reported(self, tmp_path: Path) -> None:
        files = {f"f{i}__glsl": f'//\n#include "f{i + 1}.glsl"\n' for i in range(1100)}
        library = write(tmp_path, main__vert='#include "f0.glsl"\n', **files)
        with pytest.raises(UserError, match=r"f30\.glsl:2: more than 32 files that include each"):
            library.load("main.vert")
        files["f30__glsl"] = "end\n"
        assert write(tmp_path, **files).load("main.vert").text.endswith("end\n")

    def test_in_great_number_are_reported(self, tmp_path: Path) -> None:
        library = write(tmp_path, main__vert='#include "a.glsl"\n' * 1001, a__glsl="a\n")
        with pytest.raises(UserError, match=r"main\.vert:1001: more than 1,000 includes"):
            library.load("main.vert")

    def test_that_are_too_much_together_are_reported(self, tmp_path: Path) -> None:
        files = {f"f{i}__glsl": f"// {'x' * 50}\n" * 4000 for i in range(3)}
        main = "".join(f'#include "f{i}.glsl"\n' for i in range(3))
        library = write(tmp_path, main__vert=main, **files)
        with pytest.raises(UserError, match=r"f2\.glsl:\d+: longer than"):
            library.load("main.vert")

    def test_that_are_misspelt_are_reported_with_what_was_meant(self, tmp_path: Path) -> None:
        (tmp_path / "my").mkdir()
        (tmp_path / "my" / "noise.glsl").touch()
        for name, meant in (("nois.glsl", "my/noise.glsl"), ("rings.glsl", "lib/ring.glsl"),
                            ("NOISE.glsl", "my/noise.glsl"), ("surface_color.glsl", "surface_co"),
                            ("Trail_Width.glsl", "trail_width.glsl"), ("zzz", "")):  # fmt: skip
            library = write(tmp_path, main__vert=f'#include "{name}"\n')
            with pytest.raises(UserError) as caught:
                library.load("main.vert")
            assert (f"did you mean {meant}" in str(caught.value)) == bool(meant), str(caught.value)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=6, max_size=6))
    def test_of_any_graph_are_each_taken_once_or_reported(
        self, tmp_path: Path, graph: list[list[int]]
    ) -> None:
        """A circle is one that a walk along the includes runs into."""
        for number, inner in enumerate(graph):
            lines = [f'#include "{i}.glsl"\n' for i in inner]
            (tmp_path / f"{number}.glsl").write_text("".join(lines) + f"end {number}\n")

        def walk(number: int, chain: list[int], order: list[int]) -> None:
            for inner in graph[number]:
                if inner in [*chain, number]:
                    raise RecursionError
                if inner not in order:
                    walk(inner, [*chain, number], order)
            order.append(number)

        order: list[int] = []
        try:
            walk(0, [], order)
        except RecursionError:
            with pytest.raises(UserError, match="include cycle"):
                ShaderLibrary(tmp_path).load("0.glsl")
            return
        source = ShaderLibrary(tmp_path).load("0.glsl")
        assert source.text == "".join(f"end {number}\n" for number in order)
