#version 330
// Colour of the scene's one draw: surface, trails, markers. Software renderers pay for all three at
// every pixel, so what they share is computed once, and nothing is read from the ring.
#include "lib/contract.glsl"
#include "lib/modes.glsl"
#include "surface_colour.glsl"
#include "trail_colour.glsl"
#include "marker_shape.glsl"

flat in ivec3 v_id;
in vec4 v_data;
in float v_bad;
layout(location = 0) out vec4 o_colour;

void main() {
    // The rule that led to the newer end of this step, whatever the stride.
    int step = int(max(v_data.x, 0.0)) - v_id.y;
    int packed_mode = (v_id.z >> (2 * clamp(step, 0, 15))) & 3;
    int mode = v_id.x == 1 ? packed_mode : int(v_data.w + 0.5);
    vec3 colour = mode_colour(mode);

    // Derivatives stay outside branches.
    vec3 surface = surface_colour(v_data.xy, v_data.z, v_data.w, v_bad);
    vec4 trail = trail_colour(colour, mode, clamp(v_data.y, 0.0, 1.0));
    trail.a *= clamp(0.5 + v_data.w - abs(v_data.z), 0.0, 1.0);
    vec4 marker = marker_shape(v_data.xy, v_data.z, colour, u_marker_shape);

    o_colour = v_id.x == 0 ? vec4(surface, 1.0) : v_id.x == 1 ? trail : marker;
    if (o_colour.a < 0.004) discard;
}
