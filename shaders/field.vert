#version 330
// The whole scene in one instanced triangle strip without vertex data.
//
//   instance   0 .. u_surface_instances - 1      a piece of the surface
//              then one for each agent           its trail, oldest first, then its marker
//
//   agent's strip:   pairs of the trail, newest pair last | 1 vertex | 4 corners of the marker
//
// All kinds of vertex share one height fetch and one projection: software renderers pay for both
// sides of every branch. Directions on screen and depth come from the height's gradient.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/ring.glsl"
#include "lib/trail.glsl"
#include "lib/trail_measure.glsl"
#include "height.glsl"
#include "trail_width.glsl"
#include "trail_lift.glsl"

const int SURFACE = 0, TRAIL = 1, MARKER = 2;
const float MITER_LIMIT = 2.0;
const float EDGE = 0.55;        // px beyond the half width, for its anti-aliasing
const float STEEPEST = 0.01;    // most depth that the tangent plane may add, NDC
const float MOST_LEAN = 1.5;    // most that a segment's curve may lean from its chord, at its ends

// A trail's segment from the newer sample at m = 0 steps to the older one at m = span is the
// parabola  across(m) = bend * m * (span - m)  over its chord, in pixels. Since agents speed up and
// slow down, the fragment at u = 0 .. 1 along the chord has m = span * u + 4 * uneven * span * u *
// (1 - u).
flat out ivec4 v_id;            // kind, span << 2, steps back of the newer sample << 6, and
                                // 128 + 256 * uneven << 22
                                // modes of the segment's steps, 2 bits each, newest first;
                                // the marker's shape
                                // bits of the float bend, and of bend * span / chord's length
out vec4 v_data;                // surface: point.xy, level, light; far below 0 where bad
                                // trail: steps back, age 0..1, px across the chord, half width
                                // marker: px along and across the heading, radius, mode
#if TRAIL_COLOUR >= BY_SPEED
out float v_measure;            // what a trail's colour tells instead of the mode
#endif

// The surface is one long strip, row after row, cut into instances that overlap by two vertices.
ivec2 surface_node(int instance, int vertex) {
    int row_length = 2 * (u_cells.x + 1) + 2;        // two more join it to the next row
    int last = row_length * u_cells.y - 1;
    int index = min(instance * (u_vertices - 2) + vertex, last);
    int row = index / row_length;
    int along = min(index - row * row_length, row_length - 2);
    bool joint = index - row * row_length >= row_length - 2;   // last vertex again, then the next first
    if (joint) {
        bool second = index - row * row_length == row_length - 1;
        return second && row + 1 < u_cells.y ? ivec2(0, row + 1) : ivec2(u_cells.x, row + 1);
    }
    return ivec2(along >> 1, row + (along & 1));
}

vec2 direction(vec2 v, vec2 otherwise) {
    float l = length(v);
    return l > 1e-3 ? v / l : otherwise;
}

// Pixel of a trail's point, from the picture's centre.
vec2 pixel(vec2 point, float age) {
    vec2 gradient;
    float bad;
    float level = height(point, gradient, bad);
    vec4 c = u_view_projection * vec4(point, level * u_height_scale + trail_lift(age), 1.0);
    return c.xy / max(c.w, 1e-3) * (0.5 * u_viewport);
}

void main() {
    int agent = gl_InstanceID - u_surface_instances;
    int trail_vertices = u_vertices - 5;             // even
    int kind = agent < 0 ? SURFACE : gl_VertexID < trail_vertices ? TRAIL : MARKER;

    Pair pair = Pair(0, 0, 0, true, true);
    vec4 here = vec4(0.0), newer = vec4(0.0);
    vec2 point;
    if (kind == SURFACE) {
        ivec2 node = surface_node(gl_InstanceID, gl_VertexID);
        point = u_plane.xy + (u_plane.zw - u_plane.xy) * (vec2(node) / vec2(u_cells));
    } else {
        int last = trail_vertices / 2 - 1;
        int index = last - gl_VertexID / 2;          // pairs are counted from the newest
        if (kind == TRAIL) {
            pair = trail_pair(agent, index);
            if (index == last) pair.collapsed = true;   // runs beyond the strip's room
            newer = ring_sample(agent, pair.newer);
        }
        here = ring_sample(agent, pair.back);
        point = here.xy;
    }

    vec2 gradient;
    float bad;
    float level = height(point, gradient, bad);
    float age = float(pair.back) / float(u_trail);
    float lift = kind == SURFACE ? 0.0 : trail_lift(age);
    vec4 c = u_view_projection * vec4(point, level * u_height_scale + lift, 1.0);
    gl_Position = c;
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = 0.0;
#endif

    // Movement in NDC (xy in pixels) for a step along the plane's axes, on the surface.
    vec2 half_viewport = 0.5 * u_viewport;
    vec4 cx = u_view_projection[0] + u_view_projection[2] * (gradient.x * u_height_scale);
    vec4 cy = u_view_projection[1] + u_view_projection[2] * (gradient.y * u_height_scale);
    vec3 ndc = c.xyz / c.w;
    vec3 jx = (cx.xyz - ndc * cx.w) / c.w;
    vec3 jy = (cy.xyz - ndc * cy.w) / c.w;
    jx.xy *= half_viewport;
    jy.xy *= half_viewport;

    if (kind == SURFACE) {
        vec3 normal = normalize(vec3(-gradient * u_height_scale, 1.0));
        float light = 0.5 + 0.5 * dot(normal, u_light);
        v_id = ivec4(SURFACE, 0, 0, 0);
        v_data = vec4(point, level, bad > 0.0 ? -1e3 : light * light);
        return;
    }

    int span = 0, modes = 0;
    float bend = 0.0, uneven = 0.0;
    float lean = 0.0;                                // d across / d along, per span - 2 m
    vec2 offset;                                     // px
    if (kind == TRAIL) {
        // A run's tail has no older sample: its segment is then the one that comes to it.
        int other = pair.older > pair.back ? pair.older : pair.newer;
        int middle = (pair.back + other) / 2;
        span = abs(other - pair.back);
        vec2 start = ndc.xy * half_viewport;
        vec2 older = ring_sample(agent, other).xy;
        vec2 chord = start - pixel(older, float(other) / float(u_trail));
        vec2 ahead = mat2(jx.xy, jy.xy) * (newer.xy - point);
        vec4 cz = u_view_projection[2];
        vec2 jz = (cz.xy - ndc.xy * cz.w) / c.w * half_viewport;
        ahead += jz * (trail_lift(float(pair.newer) / float(u_trail)) - lift);
        vec2 behind = pair.older > pair.back ? chord : vec2(0.0);
        vec2 d1 = direction(ahead, direction(behind, vec2(1.0, 0.0)));
        vec2 d0 = direction(behind, d1);
        vec2 tangent = direction(d0 + d1, d1);
        vec2 miter = vec2(-tangent.y, tangent.x);
        float stretch = min(1.0 / max(dot(miter, vec2(-d0.y, d0.x)), 1e-3), MITER_LIMIT);
        // The curve through the segment's middle sample, on the surface: long strides stay true.
        float along = length(chord);
        int before = abs(middle - pair.back), after = span - before;
        float halfway = float(middle) / float(u_trail);
        vec2 apart = pixel(ring_sample(agent, middle).xy, halfway) - start;
        float across = (chord.x * apart.y - chord.y * apart.x) / max(along, 1e-3);
        bend = across / float(max(before * after, 1));
        float most = MOST_LEAN * along / float(max(span * span, 1));
        bend = before * after > 0 ? clamp(bend, -most, most) : 0.0;
        lean = bend * float(span) / max(along, 1e-3);
        float share = float(before) / float(max(span, 1));
        float at = clamp(-dot(apart, chord) / max(along * along, 1e-6), 0.1, 0.9);
        uneven = before * after > 0 ? (share - at) / (4.0 * at * (1.0 - at)) : 0.0;
        float bulge = 0.25 * bend * float(span * span);

        float width = trail_half_width(age);
        float side = (gl_VertexID & 1) == 0 ? 1.0 : -1.0;
        // Wider where the curve bulges; thrice, since the neighbour's may be straight.
        float reach = side * (width + EDGE + 3.0 * max(side * bulge, 0.0));
        reach = pair.collapsed ? 0.0 : reach;
        offset = miter * reach * stretch;
        v_data = vec4(float(pair.back), age, reach, width);
#if TRAIL_COLOUR >= BY_SPEED
        v_measure = trail_measure(older - point, span, point, level);
#endif
#if TRAILS == 0
        pair.drawn = false;
#endif
        // The last vertex of a triangle is its provoking one: here always of the newer pair. All
        // modes of the segment are packed here, so that a fragment need not read the ring.
        modes = ring_modes(here);
        for (int i = MODES_EACH; i < min(span, LONGEST_STRIDE); i += MODES_EACH) {
            modes |= ring_modes(ring_sample(agent, pair.back + i)) << (2 * i);
        }
    } else {
        int corner = max(gl_VertexID - trail_vertices - 1, 0);
        vec2 heading = vec2(1.0, 0.0);
        if (u_marker_shape == 1) {
            float turn = ring_heading(here);
            heading = direction(jx.xy * cos(turn) + jy.xy * sin(turn), heading);
        }
        float reach = u_marker_radius + 1.0;
        vec2 square = vec2(corner & 1, corner >> 1) * 2.0 - 1.0;
        offset = square * reach;
        vec2 turned = vec2(dot(offset, heading), dot(offset, vec2(-heading.y, heading.x)));
        modes = u_marker_shape;
        pair.drawn = ring_current(here, 0) && ring_mode(here) != MODE_INVALID;
        v_data = vec4(turned, u_marker_radius, float(ring_mode(here)));
    }

    // Expanded vertices keep to the tangent plane of the surface, and come a little nearer with
    // each agent, so that the later drawn lies above and none is eaten by the slope.
    float det = jx.x * jy.y - jx.y * jy.x;
    vec2 slope = abs(det) < 1e-3 ? vec2(0.0)
               : vec2(jx.z * jy.y - jy.z * jx.y, jy.z * jx.x - jx.z * jy.x) / det;
    float bias = u_depth_bias.x * (kind == MARKER ? 2.0 : 1.0) + u_depth_bias.y * float(agent);
    float depth = clamp(dot(slope, offset), -STEEPEST, STEEPEST) - bias;
    gl_Position.xy += offset / half_viewport * c.w;
    gl_Position.z += depth * c.w;
    int off = 128 + int(floor(clamp(256.0 * uneven, -127.0, 127.0) + 0.5));
    v_id = ivec4(kind | min(span, LONGEST_STRIDE) << 2 | pair.back << 6 | off << 22, modes,
                 floatBitsToInt(bend), floatBitsToInt(lean));
    if (!pair.drawn) gl_Position = vec4(0.0, 0.0, -2.0, 1.0);   // outside, and without area
}
