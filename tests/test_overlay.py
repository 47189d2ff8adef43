"""An overlay: the files of a look in the place of shipped ones, and whatever lies there instead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from written_looks import write

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder


def test_an_overlay_may_be_a_single_file(tmp_path):
    own = tmp_path / "trail_colour.glsl"
    own.write_text("// mine\n")
    (tmp_path / "surface_colour.glsl").write_text("// not asked for\n")
    library = ShaderLibrary(own)
    text = library.load("field.frag").text
    assert "// mine" in text and "// not asked for" not in text
    assert library.own_files() == ["trail_colour.glsl"]
    (tmp_path / "ring.glsl").write_text("// in a folder\n")
    assert ShaderLibrary(tmp_path / "ring.glsl").find("lib/ring.glsl") == tmp_path / "ring.glsl"


def test_a_single_file_without_a_namesake_is_refused(tmp_path):
    (tmp_path / "trial.glsl").write_text("")
    with pytest.raises(UserError, match="replaces nothing"):
        ShaderLibrary(tmp_path / "trial.glsl")


def test_an_overlay_replaces_single_files_and_inherits_the_rest(tmp_path):
    own = "vec4 trail_colour(int mode, float age) { return vec4(1.0); }\n"
    library = write(tmp_path, trail_colour__glsl=own)
    source = library.load("field.frag")
    shipped = ShaderLibrary().load("field.frag")
    assert own in source.text and own not in shipped.text
    files = {path for path, _ in source.origins}
    assert tmp_path / "trail_colour.glsl" in files
    assert shader_folder() / "trail_colour.glsl" not in files
    assert shader_folder() / "lib" / "contract.glsl" in files


def test_an_overlay_reaches_into_sub_folders(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ring.glsl").write_text("// mine\n", encoding="utf-8")
    assert "// mine\n" in ShaderLibrary(tmp_path).load("field.vert").text


def test_an_overlay_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"`shaders` .*nowhere"):
        ShaderLibrary(tmp_path / "nowhere")


class TestPlacesOfFiles:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (os.mkfifo, "it is a pipe"),
            (lambda path: path.symlink_to(path), "cannot be read"),
            (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
        ],
        ids=["pipe", "circle", "device"],
    )
    def test_what_cannot_be_read_in_a_shaders_place_is_reported(
        self, tmp_path, make, words
    ) -> None:
        make(tmp_path / "trail_colour.glsl")
        with pytest.raises(UserError, match=rf"trail_colour\.glsl: {words}"):
            ShaderLibrary(tmp_path).load("field.frag")

    @pytest.mark.parametrize(
        ("put", "words"),
        [
            (Path.mkdir, "it is a folder, not a regular file"),
            (lambda path: path.symlink_to("nothing"), "cannot be read"),
        ],
    )
    def test_a_folder_or_a_link_to_nothing_is_reported(
        self, tmp_path: Path, put: Callable[[Path], None], words: str
    ) -> None:
        put(tmp_path / "trail_colour.glsl")
        with pytest.raises(UserError, match=rf"trail_colour\.glsl: {words}"):
            ShaderLibrary(tmp_path).load("field.frag")

    def test_a_look_that_becomes_a_file_is_reported(self, tmp_path: Path) -> None:
        folder = tmp_path / "look"
        folder.mkdir()
        library = ShaderLibrary(folder)
        folder.rmdir()
        folder.touch()
        with pytest.raises(UserError, match="look: it is no longer a folder; the last look stays"):
            library.check_overlay()

    def test_a_look_out_of_reach_is_reported(self, tmp_path: Path, monkeypatch) -> None:
        folder = tmp_path / "look"
        folder.mkdir()
        library = ShaderLibrary(folder)
        library.check_overlay()

        def refused(path: Path, *rest: object, **options: object) -> os.stat_result:
            raise PermissionError(13, "Permission denied", str(path))

        with monkeypatch.context() as patched:
            patched.setattr(os, "stat", refused)
            with pytest.raises(UserError, match=r"look: it is inaccessible \(Permission denied\)"):
                library.check_overlay()
        with monkeypatch.context() as patched:
            patched.setattr(os, "access", lambda path, mode: False)
            with pytest.raises(UserError, match=r"look: it is inaccessible \(Permission denied\)"):
                library.check_overlay()
        folder.rmdir()
        with pytest.raises(UserError, match="look: it is gone; the last look stays"):
            library.check_overlay()

    def test_a_misspelt_single_file_is_reported_with_what_was_meant(self, tmp_path: Path) -> None:
        (tmp_path / "surface_color.glsl").touch()
        with pytest.raises(UserError, match=r"replaces nothing: did you mean surface_colour\.glsl"):
            ShaderLibrary(tmp_path / "surface_color.glsl")
