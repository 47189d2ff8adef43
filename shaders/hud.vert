#version 330
// The HUD in one draw: its shapes and, above them, its text, each in order.
#include "lib/hud_contract.glsl"
#include "lib/hud.glsl"

flat out vec4 v_box;            // half length, half width, radius, border [px]; border < 0: a glyph
flat out vec4 v_border;
out vec4 v_fill;
out vec2 v_point;               // px along and across, from the middle; of a glyph the atlas' texel

#include "lib/hud_shape.glsl"
#include "lib/hud_text.glsl"

void main() {
    int item = gl_VertexID / 6;
    if (item < u_hud_shape_count) draw_shape(item);
    else draw_glyph(item - u_hud_shape_count);
}
