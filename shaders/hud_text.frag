#version 330
// Coverage of a glyph, from the atlas.
#include "lib/hud_contract.glsl"

flat in vec3 v_colour;
in vec2 v_atlas;
layout(location = 0) out vec4 o_colour;

void main() {
    o_colour = vec4(v_colour, texelFetch(u_hud_atlas, ivec2(v_atlas), 0).r);
}
