#version 330
// A rounded box with a border and an edge that is soft over a pixel; or a glyph's coverage.
// Colours are multiplied by their opacity, as in field.frag.
#include "lib/hud_contract.glsl"

flat in vec4 v_box;
flat in vec4 v_border;
in vec4 v_fill;
in vec2 v_point;
layout(location = 0) out vec4 o_colour;

void main() {
    if (v_box.w < 0.0) {
        o_colour = vec4(v_fill.rgb, 1.0) * texelFetch(u_hud_atlas, ivec2(v_point), 0).r;
        return;
    }
    vec2 corner = abs(v_point) - v_box.xy + v_box.z;
    // Signed distance to the edge, negative inside.
    float outside = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - v_box.z;
    float border = v_box.w > 0.0 ? clamp(outside + v_box.w + 0.5, 0.0, 1.0) : 0.0;
    vec4 colour = mix(v_fill, v_border, border);
    colour.a *= clamp(0.5 - outside, 0.0, 1.0);
    o_colour = vec4(colour.rgb * colour.a, colour.a);
}
