"""One declaration of what the shaders are given: the GLSL header and the scene both follow it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from calf_viz.glsl import contract, critic_contract, hud_contract, variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import Heightfield
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene

FIELD = Heightfield(np.arange(12.0).reshape(3, 4), (-1.0, -2.0), (3.0, 4.0))
SIZES = {"float": 1, "int": 1, "vec2": 2, "ivec2": 2, "vec3": 3, "vec4": 4, "mat4": 16}


def scene_uniforms() -> dict:
    return Scene().uniforms(FIELD, RingLayout.fit(3, 2400), agents=3, head_step=5, runs=1)


def test_the_generated_header_is_in_force():
    text = (shader_folder() / "lib" / "contract.glsl").read_text(encoding="utf-8")
    assert text == contract.header(), "run `python -m calf_viz.glsl.contract`"
    text = (shader_folder() / "lib" / "hud_contract.glsl").read_text(encoding="utf-8")
    assert text == hud_contract.header(), "run `python -m calf_viz.glsl.hud_contract`"
    text = (shader_folder() / "lib" / "critic_contract.glsl").read_text(encoding="utf-8")
    assert text == critic_contract.header(), "run `python -m calf_viz.glsl.critic_contract`"


def test_the_variants_header_is_in_force():
    text = (shader_folder() / "lib" / "variants.glsl").read_text(encoding="utf-8")
    assert text == variants.header(), "run `python -m calf_viz.glsl.variants`"


def test_the_scene_gives_every_uniform_and_no_other():
    assert set(scene_uniforms()) == {uniform.name for uniform in contract.UNIFORMS}


@pytest.mark.parametrize("uniform", contract.UNIFORMS, ids=lambda uniform: uniform.name)
def test_values_are_of_the_declared_type(uniform):
    """A host may refuse a float for an int, and keep the old value."""
    value = scene_uniforms()[uniform.name]
    assert np.size(value) == SIZES[uniform.type]
    whole = uniform.type in ("int", "ivec2")
    kinds = {np.asarray(part).dtype.kind for part in np.ravel(np.asarray(value, dtype=object))}
    assert kinds == ({"i"} if whole else {"f"}), value
    assert np.isfinite(np.asarray(value, dtype=float)).all()


def test_names_are_used_once():
    assert len(set(contract.NAMES)) == len(contract.NAMES)


SHADERS = ("field.vert", "field.frag", "mesh_surface.vert", "mesh_trail.vert", "mesh_marker.vert")


@pytest.mark.parametrize("name", SHADERS)
def test_the_scenes_shaders_declare_nothing_beside_the_contract(name):
    """What a shader declared by itself nobody would set."""
    text = ShaderLibrary().load(name).text
    declared = re.findall(r"^\s*uniform\s+\w+\s+(\w+)", text, re.MULTILINE)
    assert sorted(declared) == sorted(contract.NAMES)


@pytest.mark.parametrize("kind", ["vert", "frag"])
def test_the_huds_shaders_declare_nothing_beside_theirs(kind):
    text = ShaderLibrary().load(f"hud.{kind}").text
    declared = re.findall(r"^\s*uniform\s+\w+\s+(\w+)", text, re.MULTILINE)
    assert sorted(declared) == sorted(hud_contract.NAMES)


@pytest.mark.parametrize("name", critic_contract.PASSES)
def test_the_critics_passes_declare_nothing_beside_theirs(name):
    text = ShaderLibrary().load(f"{name}.frag").text
    declared = re.findall(r"^\s*uniform\s+\w+\s+(\w+)", text, re.MULTILINE)
    assert sorted(declared) == sorted(critic_contract.NAMES)
