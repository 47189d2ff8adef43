#version 330
// Circles on the surface as a mesh whose heights the host computed; see lib/circle.glsl.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/expand.glsl"
#include "lib/circle.glsl"
#include "lib/chatter.glsl"
#include "trail_width.glsl"

in vec3 a_here;         // the agent, or the goal's centre: point in the scene, height
in vec2 a_gradient;     // d height / d point there
in int a_number;        // of the vertex, as if behind the surface's last

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
    v_measure = -1.0;
#endif
    Circle circle = circle_vertex(a_number);
    vec2 point = circle.goal ? on_plane(goal_point(circle)) : a_here.xy;
    vec4 c = to_clip(point, a_here.z);
    Tangent t = tangent_plane(c, circle.goal ? vec2(0.0) : a_gradient);
    float line = circle_line(trail_half_width(0.0)), width = circle_width(circle, line);
    float reach = circle_reach(circle, width, point);
    vec2 across;
    vec2 offset = circle_offset(circle, t, circle_least(circle, line), reach, across);
    gl_Position = circle_expand(expand(c, t, offset, circle_bias(circle)), across);
    v_id = circle_id(circle);
    v_tone = vec4(vec3(UNMIXED), circle_opacity(circle));
    v_data = vec4(-1.0, 0.0, circle.side * reach, width);
    if (isnan(a_here.z)) gl_Position = UNDRAWN;
#if PICKING == 1
    gl_Position = UNDRAWN;
#endif
}
