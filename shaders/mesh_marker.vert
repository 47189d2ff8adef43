#version 330
// Markers as meshes whose points and heights the host computed: four vertices each, all alike.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/expand.glsl"
#include "lib/chatter.glsl"
#include "lib/training.glsl"
#include "lib/marker_size.glsl"

in vec3 a_here;         // the agent: point in the scene, level
in vec2 a_gradient;     // d height / d point
in float a_heading;     // [rad]
in ivec2 a_id;          // agent, mode; below 0 if it must not be drawn

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
    v_agent = a_id.x + 1;
#endif
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = 0.0;
#endif
    vec4 c = to_clip(a_here.xy, a_here.z);
    Tangent t = tangent_plane(c, a_gradient);
    vec2 turned;
    float radius = marker_radius(a_id.x) * marker_scale(a_here.xy, t);
    vec2 offset = marker_corner(t, gl_VertexID & 3, a_heading, radius, turned);
    gl_Position = expand(c, t, offset, marker_bias(depth_agent(a_id.x)));
    v_tone = vec4(vec3(UNMIXED), tone_opacity(true, a_id.x));
    v_id = ivec4(2, u_marker_shape, 0, 0);
    v_data = vec4(turned, radius, float(marker_colour(a_id.y, a_id.x)));
    if (a_id.y < 0) gl_Position = UNDRAWN;
}
