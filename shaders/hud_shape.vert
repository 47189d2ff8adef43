#version 330
// Rectangles and lines of the HUD, in the order of u_hud_shapes. Both are the same: a segment from
// one point to another, with a width.
//
//            |<---- length ---->|
//         .--+------------------+--.     texel 0   from.xy, to.xy [px]
//   from  |  *==================*  | to  texel 1   width, radius of the corners, border [px], and
//         '--+------------------+--'               1 to fill by the colour map from `from` to `to`
//       ends are square: no caps         texel 2   colour, opacity; the border's colour, opacity
#include "lib/hud_contract.glsl"
#include "lib/hud.glsl"

const float MARGIN = 1.0;       // beyond the edge, for its soft pixel

flat out vec4 v_box;            // half length, half width, radius, border [px]
flat out vec4 v_fill;
flat out vec4 v_border;
flat out int v_mapped;
out vec2 v_point;               // px along and across, from the middle

void main() {
    int texel = gl_VertexID / 6 * 3;
    vec4 segment = hud_texel(u_hud_shapes, texel);
    vec4 form = hud_texel(u_hud_shapes, texel + 1);
    vec4 paint = hud_texel(u_hud_shapes, texel + 2);
    vec2 way = segment.zw - segment.xy;
    float reach = length(way);
    vec2 along = reach > 0.0 ? way / reach : vec2(1.0, 0.0);
    vec2 half_size = 0.5 * vec2(reach, form.x);
    v_box = vec4(half_size, min(form.y, min(half_size.x, half_size.y)), form.z);
    v_fill = vec4(hud_colour(paint.x), paint.y);
    v_border = vec4(hud_colour(paint.z), paint.w);
    v_mapped = int(form.w);
    v_point = (2.0 * hud_corner() - 1.0) * (half_size + MARGIN);
    vec2 middle = 0.5 * (segment.xy + segment.zw);
    gl_Position = hud_position(middle + along * v_point.x + vec2(-along.y, along.x) * v_point.y);
}
