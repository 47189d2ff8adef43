#version 330
// A rounded box with a border, its edge a pixel soft.
#include "lib/hud_contract.glsl"

flat in vec4 v_box;
flat in vec4 v_fill;
flat in vec4 v_border;
flat in int v_mapped;
in vec2 v_point;
layout(location = 0) out vec4 o_colour;

void main() {
    vec2 corner = abs(v_point) - v_box.xy + v_box.z;
    // Signed distance to the edge, negative inside.
    float outside = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - v_box.z;
    float border = clamp(outside + v_box.w + 0.5, 0.0, 1.0);
    float last = float(textureSize(u_colour_map, 0).x - 1);
    float level = clamp(0.5 + 0.5 * v_point.x / max(v_box.x, 0.5), 0.0, 1.0);
    vec3 mapped = texelFetch(u_colour_map, ivec2(int(level * last + 0.5), 0), 0).rgb;
    vec4 fill = vec4(v_mapped == 1 ? mapped : v_fill.rgb, v_fill.a);
    o_colour = mix(fill, v_border, v_box.w > 0.0 ? border : 0.0);
    o_colour.a *= clamp(0.5 - outside, 0.0, 1.0);
}
