// How ribbons and markers widen on screen around a point of the surface, and their depth.
//
//          newer                 normal: across the trail, along the miter where it bends,
//         /   .                  at most MITER_LIMIT times the half width
//   -----*  .   <- normal
//   older
//
// Expanded vertices stay on the tangent plane of the surface, a little nearer with each agent, so that
// later trails lie above earlier ones, likewise markers, markers above the trails that pass under
// them, and none is hidden by the slope. A trail's newer samples lie above its older ones,
// or two of its runs along one way would break into dashes.
#include "lib/frame.glsl"

const float MITER_LIMIT = 2.0;
const float EDGE = 0.55;        // px beyond the half width, for its anti-aliasing
const float STEEPEST = 0.01;    // most depth that the tangent plane may add, NDC

// From a trail's middle to the edge of its ribbon [px]: with the outline, which goes when the trail does.
float ribbon_reach(float width) { return width + min(u_casing, width + 0.5) + EDGE; }

// Where all vertices are that are not drawn, so that nothing between them has area. It is within the
// picture, as far away as can be: a software renderer clips the triangles of any instance with a vertex
// outside, by a slower way than all others.
const vec4 UNDRAWN = vec4(0.0, 0.0, 1.0, 1.0);

vec2 direction(vec2 v, vec2 otherwise) {
    float l = length(v);
    return l > 1e-3 ? v / l : otherwise;
}

// lift: above the surface, in units of the scene.
vec4 to_clip(vec2 point, float level, float lift) {
    return u_view_projection * vec4(point, level * u_height_scale + lift, 1.0);
}

vec4 to_clip(vec2 point, float level) { return to_clip(point, level, 0.0); }

// Pixel of a point in clip coordinates, from the picture's centre.
vec2 to_pixel(vec4 c) { return c.xy / max(c.w, 1e-3) * (0.5 * u_viewport); }

// Light that falls on the surface, 0 to 1.
float surface_light(vec2 gradient) {
    vec3 normal = normalize(vec3(-gradient * u_height_scale, 1.0));
    float light = 0.5 + 0.5 * dot(normal, u_light);
    return light * light;
}

// Movement in NDC (xy in pixels) per unit of the scene along each axis of the plane, on the surface.
struct Tangent { vec3 x, y; };

Tangent tangent_plane(vec4 c, vec2 gradient) {
    vec4 cx = u_view_projection[0] + u_view_projection[2] * (gradient.x * u_height_scale);
    vec4 cy = u_view_projection[1] + u_view_projection[2] * (gradient.y * u_height_scale);
    vec3 ndc = c.xyz / c.w;
    vec3 jx = (cx.xyz - ndc * cx.w) / c.w;
    vec3 jy = (cy.xyz - ndc * cy.w) / c.w;
    jx.xy *= 0.5 * u_viewport;
    jy.xy *= 0.5 * u_viewport;
    return Tangent(jx, jy);
}

// From a node on the plane's edge, the way to where its rim ends, in units of the scene; 0 for none
// outwards. There the surface goes on along its tangent plane for as far as it takes to cross a
// pixel's square: what fades on this way covers each pixel as much as an edge half as far out would.
const float LONGEST_RIM = 4.0;  // px: an edge seen along the surface gets none that would show

vec2 rim_step(Tangent t, vec2 outwards) {
    bool on_x = outwards.x != 0.0;
    vec2 along = on_x ? t.y.xy : t.x.xy, away = on_x ? t.x.xy : t.y.xy;
    float det = abs(t.x.x * t.y.y - t.x.y * t.y.x);
    float most = LONGEST_RIM / max(abs(away.x) + abs(away.y), 1e-6);
    return outwards * min((abs(along.x) + abs(along.y)) / max(det, 1e-6), most);
}

// Movement in pixels for a step of 1 straight up.
vec2 upwards(vec4 c) {
    vec4 up = u_view_projection[2];
    return (up.xy - c.xy / c.w * up.w) / c.w * (0.5 * u_viewport);
}

// Direction across a trail that arrives along `behind` and leaves along `ahead` [px]; either may be 0
// at an end. `stretch` keeps its width constant in a bend.
vec2 miter(vec2 ahead, vec2 behind, out float stretch) {
    vec2 d1 = direction(ahead, direction(behind, vec2(1.0, 0.0)));
    vec2 d0 = direction(behind, d1);
    vec2 tangent = direction(d0 + d1, d1);
    vec2 normal = vec2(-tangent.y, tangent.x);
    stretch = min(1.0 / max(dot(normal, vec2(-d0.y, d0.x)), 1e-3), MITER_LIMIT);
    return normal;
}

// Offset of a marker's corner 0 .. 3 [px]; `turned`: the same along and across its heading [rad].
vec2 marker_corner(Tangent t, int corner, float turn, float radius, out vec2 turned) {
    vec2 heading = vec2(1.0, 0.0);
    if (u_marker_shape == 1) {
        vec2 way = scene_heading(turn);
        heading = direction(t.x.xy * way.x + t.y.xy * way.y, heading);
    }
    vec2 square = vec2(corner & 1, corner >> 1) * 2.0 - 1.0;
    vec2 offset = square * (radius + 1.0);
    turned = vec2(dot(offset, heading), dot(offset, vec2(-heading.y, heading.x)));
    return offset;
}

// How much nearer they are [NDC]. Trails take 1 to 2.5 times u_depth_bias.x: by agent if there are
// few, by age in a crowd. Markers lie above them.
const float MARKER_LAYER = 3.0;

// The trails of the agent in training, and of that with a ring, lie above all others but their newest
// tenth.
float depth_age(int agent, float age) {
    return agent == u_training_agent || agent == u_highlighted ? 0.1 * age : age;
}

float trail_bias(int agent, float age) {
    return u_depth_bias.x + u_depth_bias.z * float(agent) + u_depth_bias.w * (1.0 - age);
}

float marker_bias(int agent) { return MARKER_LAYER * u_depth_bias.x + u_depth_bias.y * float(agent); }

// `c` moved by `offset` [px], and nearer by `bias`.
vec4 expand(vec4 c, Tangent t, vec2 offset, float bias) {
    float det = t.x.x * t.y.y - t.x.y * t.y.x;
    vec2 slope = abs(det) < 1e-3 ? vec2(0.0)
               : vec2(t.x.z * t.y.y - t.y.z * t.x.y, t.y.z * t.x.x - t.x.z * t.y.x) / det;
    float depth = clamp(dot(slope, offset), -STEEPEST, STEEPEST) - bias;
    c.xy += offset / (0.5 * u_viewport) * c.w;
    c.z += depth * c.w;
    return c;
}

// Factor on the opacity of a trail or marker: less in a crowd, but for those two.
float tone_opacity(bool marker, int agent) {
    return agent == u_training_agent || agent == u_highlighted ? 1.0 : marker ? u_opacity.y : u_opacity.x;
}
