#version 330
// Trails as a mesh whose points and heights the host computed: two vertices per sample, and two
// triangles from it to the previous sample, whose last vertices are the newer sample's.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/expand.glsl"
#include "lib/chatter.glsl"
#include "lib/trail_measure.glsl"
#include "lib/trail_fade.glsl"
#include "lib/training.glsl"
#include "trail_width.glsl"
#include "trail_lift.glsl"

in vec3 a_here;         // a sample: point in the scene, level
in vec2 a_gradient;     // d height / d point
in vec2 a_newer;        // point of the next sample; its own where the run ends
in vec3 a_older;        // the previous sample; its own where the run begins
in ivec4 a_id;          // agent, and by how many 128ths of a step a place on an edge of the plane is
                        // earlier than its step << 24; step; modes of the steps since the
                        // previous sample, newest first; step at which the agent's next episode
                        // began, later than any if there is none

flat out ivec4 v_id;    // as in field.vert, of a segment that is not bent
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
    v_agent = (a_id.x & 0xffffff) + 1;
#endif
    int agent = a_id.x & 0xffffff;
    int back = u_head_step - a_id.y;
    float exact = float(back) + float(a_id.x >> 24) / 128.0;
    float age = exact / float(u_trail);
    // Samples are a stride apart, but for the first of a run and the newest, which may be nearer.
    float apart = float(u_stride) / float(u_trail);
    float lift = trail_lift(age);
    vec4 c = to_clip(a_here.xy, a_here.z, lift);
    Tangent t = tangent_plane(c, a_gradient);
    float rise = a_newer == a_here.xy ? 0.0 : trail_lift(age - apart) - lift;
    vec2 ahead = mat2(t.x.xy, t.y.xy) * (a_newer - a_here.xy) + upwards(c) * rise;
    float older_lift = a_older == a_here ? lift : trail_lift(age + apart);
    vec2 behind = to_pixel(c) - to_pixel(to_clip(a_older.xy, a_older.z, older_lift));
    float stretch;
    vec2 normal = miter(ahead, behind, stretch);

    float shown = faded_age(age, max(u_head_step - a_id.w, 0));
    float whole = trail_half_width(min(shown, 1.0)) * trail_factor(agent);
    float width = faded_width(whole, shown);
    float reach = ((gl_VertexID & 1) == 0 ? 1.0 : -1.0) * ribbon_reach(width);
    gl_Position = expand(c, t, normal * reach * stretch,
                         trail_bias(depth_agent(agent), depth_age(agent, age)));
    int modes = a_id.z;
    v_tone.rgb = mean_colour(modes, length(behind) / float(u_stride), trail_colours(agent));
    v_tone.a = tone_opacity(false, agent);
    v_id = ivec4(1 | 1 << 2 | back << 6 | 128 << 22 | trail_colours(agent) << 30, modes, 0, 0);
    v_data = vec4(exact, shown, reach, width);
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = trail_measure(a_older.xy - a_here.xy, u_stride, a_here.xy, a_here.z);
#endif
#if TRAILS == 0
    gl_Position = UNDRAWN;
#endif
}
