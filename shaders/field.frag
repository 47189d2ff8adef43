#version 330
#include "lib/contract.glsl"
#include "lib/ring.glsl"
#include "surface_colour.glsl"
#include "trail_colour.glsl"
#include "marker_shape.glsl"

flat in ivec2 v_id;
in vec4 v_data;
in float v_bad;
layout(location = 0) out vec4 o_colour;

void main() {
    // Derivatives stay outside branches.
    vec3 surface = surface_colour(v_data.xy, v_data.z, v_data.w, v_bad);
    if (v_id.x == 0) {
        o_colour = vec4(surface, 1.0);
    } else if (v_id.x == 1) {
        // The rule that led to the newer end of this step, whatever the stride.
        int back = int(max(v_data.x, 0.0));
        int mode = min(ring_mode(ring_sample(v_id.y, back)), 2);
        vec4 colour = trail_colour(mode, clamp(v_data.y, 0.0, 1.0));
        colour.a *= clamp(0.5 + v_data.w - abs(v_data.z), 0.0, 1.0);
        if (colour.a < 0.004) discard;
        o_colour = colour;
    } else {
        o_colour = marker_shape(v_data.xy, v_data.z, u_mode_colours[int(v_data.w + 0.5)].rgb,
                                u_marker_shape);
        if (o_colour.a < 0.004) discard;
    }
}
