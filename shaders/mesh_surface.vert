#version 330
// The surface as a mesh whose heights the host computed; colours as in field.frag.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/expand.glsl"
#include "lib/chatter.glsl"

in vec3 a_here;         // a node: point in the scene, level
in vec2 a_gradient;     // d height / d point
in float a_beyond;      // how many levels its value is beyond the scale
in float a_bad;         // 1 where the critic's value is not finite
in vec3 a_rim;          // the way outwards of a vertex of the rim, or 0; 1 for all of the rim's

flat out ivec4 v_id;    // as in field.vert
out vec4 v_data;
flat out vec4 v_tone;
#if TRAIL_COLOUR >= BY_SPEED
out float v_measure;
#endif
#if PICKING == 1
flat out int v_agent;
#endif

void main() {
#if PICKING == 1
    v_agent = 0;
#endif
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = 0.0;
#endif
    vec4 c = to_clip(a_here.xy, a_here.z);
    float light = a_bad > 0.0 ? -1e3 : surface_light(a_gradient);
    vec2 beyond = rim_step(tangent_plane(c, a_gradient), a_rim.xy);
    float rise = dot(a_gradient, beyond);
    gl_Position = c + u_view_projection * vec4(beyond, rise * u_height_scale, 0.0);
    v_id = ivec4(a_rim.z > 0.0 ? 3 : 0, 0, 0, floatBitsToInt(light));
    float covered = a_rim.xy == vec2(0.0) ? 1.0 : 0.0;
    v_data = vec4((a_here.xy + beyond) * u_grid.xy + u_grid.zw, a_here.z + a_beyond + rise,
                  a_rim.z > 0.0 ? covered : light);
    v_tone = vec4(vec3(UNMIXED), 1.0);
}
