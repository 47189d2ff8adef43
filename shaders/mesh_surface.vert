#version 330
// The surface as a mesh whose heights the host computed; colours as in field.frag.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/expand.glsl"

in vec3 a_here;         // a node: point in the scene, normalised height
in vec2 a_gradient;     // d height / d point
in float a_bad;         // 1 where the critic's value is not finite

flat out ivec4 v_id;    // as in field.vert
out vec4 v_data;
#if TRAIL_COLOUR >= BY_SPEED
out float v_measure;
#endif

void main() {
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = 0.0;
#endif
    gl_Position = to_clip(a_here.xy, a_here.z);
    v_id = ivec4(0);
    v_data = vec4(a_here.xy * u_grid.xy + u_grid.zw, a_here.z, a_bad > 0.0 ? -1e3 : surface_light(a_gradient));
}
