#version 330
// The whole scene in one instanced triangle strip without vertex data.
//
//   instance   0 .. u_surface_instances - 1      a piece of the surface, its rim, or circles on it
//              then one for each agent           its trail, oldest first, then its marker
//
//   agent's strip:   pairs of the trail, newest pair last | 1 vertex | 4 corners of the marker
//
// All kinds of vertex share one height fetch and one projection: software renderers pay for both
// sides of every branch. Directions on screen and depth come from the height's gradient.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/frame.glsl"
#include "lib/ring.glsl"
#include "lib/trail.glsl"
#include "lib/trail_measure.glsl"
#include "lib/trail_fade.glsl"
#include "lib/expand.glsl"
#include "lib/circle.glsl"
#include "lib/chatter.glsl"
#include "lib/training.glsl"
#include "lib/marker_size.glsl"
#include "lib/beyond_scale.glsl"
#include "height.glsl"
#include "trail_width.glsl"
#include "trail_lift.glsl"

const int SURFACE = 0, TRAIL = 1, MARKER = 2, RIM = 3, CIRCLE = 4;
const float MOST_LEAN = 1.5;    // largest slope of a segment's curve to its chord, at its ends

// A trail's segment from the newer sample at m = 0 steps to the older one at m = span is the
// parabola  across(m) = bend * m * (span - m)  over its chord, in pixels. Since agents speed up and
// slow down, the fragment at u = 0 .. 1 along the chord has m = span * u + 4 * uneven * span * u *
// (1 - u), which never runs backwards: |uneven| < 1 / 4.
flat out ivec4 v_id;            // kind, span << 2, steps back of the newer sample << 6,
                                // 128 + 512 * uneven << 22, and on 30 whose colours it has: 1 of
                                // the agent in training, 2 of circles, 3 of the agent with a ring
                                // modes of the segment's steps, MODE_BITS each, newest first;
                                // the marker's shape
                                // bits of the float bend, and of bend * span / chord's length;
                                // the rim's light
out vec4 v_data;                // surface: point.xy in lines of the grid, level (beyond 0 and 1
                                // where values are beyond the scale), light; far below 0 where bad
                                // rim: the same, but coverage for light
                                // trail: steps back, age 0..1 or beyond if its episode has
                                // ended, px across the chord, half width; circles: steps back -1
                                // marker: px along and across the heading, radius, colour
                                // (entry of the palette's second row)
flat out vec4 v_tone;           // mean colour of a trail's segment, or its outline's width: lib/chatter.glsl;
                                // opacity
#if TRAIL_COLOUR >= BY_SPEED
out float v_measure;            // shown by a trail's colour instead of the mode
#endif
#if PICKING == 1
flat out int v_agent;           // its number, from 1 on; 0 of the surface
#endif

// The surface is one long strip, row after row, then its rim, cut into instances that overlap by two
// vertices; then come circles. The rim goes around the plane, counterclockwise: every node on the edge,
// and beside it one further out, where the surface has faded. At each corner a node is there for either
// side, and the first again at the end.
//
//            ......... outwards
//     rim   |_|_|_|_|_
//           |       |
struct SurfaceVertex {
    ivec2 node;
    bool rim;
    vec2 outwards;      // 0, but for the rim's outer vertices
};

// index: in the strip; row_length: two vertices more than a row has, which join it to the next.
SurfaceVertex surface_vertex(int index, int row_length) {
    int rows = row_length * u_cells.y;
    int half_way = u_cells.x + u_cells.y + 2;
    index = min(index, rows + 4 * half_way + 1);
    if (index >= rows) {
        int place = (index - rows) >> 1;
        bool second = place >= half_way && place < 2 * half_way;
        place -= place >= 2 * half_way ? 2 * half_way : place >= half_way ? half_way : 0;
        bool along_x = place <= u_cells.x;
        ivec2 node = along_x ? ivec2(place, 0) : ivec2(u_cells.x, place - u_cells.x - 1);
        vec2 outwards = (along_x ? vec2(0.0, -1.0) : vec2(1.0, 0.0)) * float((index - rows) & 1);
        return SurfaceVertex(second ? u_cells - node : node, true, second ? -outwards : outwards);
    }
    int row = quotient(index, row_length);
    int along = min(index - row * row_length, row_length - 2);
    ivec2 node = ivec2(along >> 1, row + (along & 1));
    bool joint = index - row * row_length >= row_length - 2;   // last vertex again, then the next first
    if (joint) {
        bool second = index - row * row_length == row_length - 1;
        node = second ? ivec2(0, row + 1 < u_cells.y ? row + 1 : 0) : ivec2(u_cells.x, row + 1);
    }
    return SurfaceVertex(node, false, vec2(0.0));
}

// Pixel of a trail's point, from the picture's centre, and its clip w: > 0 before the eye.
vec3 pixel(vec2 point, float age) {
    vec2 gradient;
    float bad;
    float level = height(point, gradient, bad);
    vec4 c = to_clip(point, level, trail_lift(age));
    return vec3(to_pixel(c), c.w);
}

void main() {
    int agent = gl_InstanceID - u_surface_instances;
#if PICKING == 1
    v_agent = max(agent + 1, 0);
#endif
    v_tone = vec4(vec3(UNMIXED), 1.0);
    int trail_vertices = u_vertices - 5;             // even
    int row_length = 2 * (u_cells.x + 1) + 2;        // of the surface; two join it to the next row
    int index = gl_InstanceID * (u_vertices - 2) + gl_VertexID;
    // Behind the rim's last vertex, which is there twice.
    int beyond = index - row_length * u_cells.y - 4 * (u_cells.x + u_cells.y + 2) - 3;
    bool on_circle = beyond >= 0 && u_circles.y > 0;
    int kind = agent < 0 ? (on_circle ? CIRCLE : SURFACE)
             : gl_VertexID < trail_vertices ? TRAIL : MARKER;
    Circle circle = circle_vertex(beyond);

    ivec2 in_ring = ring_place(max(kind == CIRCLE ? u_highlighted : agent, 0));
    TrailVertex vertex = whole_vertex(true);
    vec4 here = vec4(0.0);
    vec3 place = vec3(0.0), newer = vec3(0.0);       // points, and how many steps back
    vec2 point;
    SurfaceVertex on = surface_vertex(index, row_length);
    if (kind == SURFACE) {
        point = u_corners.xy + (u_corners.zw - u_corners.xy) * (vec2(on.node) / vec2(u_cells));
    } else {
        if (kind == TRAIL) {
            vertex = trail_vertex(in_ring, gl_VertexID, trail_vertices / 2);
            newer = trail_place(in_ring, vertex.newer, vertex);
        }
        here = ring_sample(in_ring, vertex.back);
        place = vec3(here.xy, float(vertex.back));
        if (PERIODIC == 1 && vertex.place < 0) place = trail_place(in_ring, vertex.place, vertex);
        point = place.xy;
    }
    bool of_goal = kind == CIRCLE && circle.goal;

    vec2 gradient;
    float bad;
    float level = height(of_goal ? goal_centre() : point, gradient, bad);
    float open = level + beyond_scale;
    if (of_goal) {
        point = on_plane(goal_point(circle));
        gradient = vec2(0.0);
    }
    float age = place.z / float(u_trail);
    float lift = kind == SURFACE ? 0.0 : trail_lift(age);
    vec4 c = to_clip(point, level, lift);
    gl_Position = c;
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = 0.0;
#endif
    Tangent t = tangent_plane(c, gradient);

    if (kind == SURFACE) {
        float light = bad > 0.0 ? -1e3 : surface_light(gradient);
        vec2 beyond = rim_step(t, on.outwards);
        float rise = dot(gradient, beyond);
        gl_Position += u_view_projection * vec4(beyond, rise * u_height_scale, 0.0);
        float covered = on.outwards == vec2(0.0) ? 1.0 : 0.0;
        v_id = ivec4(on.rim ? RIM : SURFACE, 0, 0, floatBitsToInt(light));
        v_data = vec4((point + beyond) * u_grid.xy + u_grid.zw, open + rise, on.rim ? covered : light);
        return;
    }

    int span = 0, modes = 0;
    float bend = 0.0, uneven = 0.0;
    float lean = 0.0;                                // d across / d along, per span - 2 m
    vec2 offset, across_circle;                      // px
    if (kind == TRAIL) {
        // A run's tail has no older sample: its segment is then the one that ends there.
        bool tail = vertex.older == vertex.place;
        int other = tail ? vertex.newer : vertex.older;
        bool straight = min(vertex.place, other) < 0;       // to an edge, a part of a step
        int middle = straight ? vertex.back : (vertex.back + other) / 2;
        span = straight ? 1 : abs(other - vertex.back);
        vec2 start = to_pixel(c);
        vec3 older = trail_place(in_ring, other, vertex);
        vec3 end = pixel(older.xy, older.z / float(u_trail));
        vec3 amid = pixel(ring_sample(in_ring, middle).xy, float(middle) / float(u_trail));
        vec2 chord = (start - end.xy) * (tail ? -1.0 : 1.0);
        float rise = trail_lift(newer.z / float(u_trail)) - lift;
        vec2 ahead = mat2(t.x.xy, t.y.xy) * (newer.xy - point) + upwards(c) * rise;
        vec2 behind = tail ? vec2(0.0) : chord;
        float stretch;
        vec2 normal = miter(ahead, behind, stretch);
        // The curve through the segment's middle sample, on the surface: long strides stay true.
        float along = length(chord);
        int before = abs(middle - vertex.back), after = span - before;
        vec2 apart = amid.xy - start;
        float across = (chord.x * apart.y - chord.y * apart.x) / max(along, 1e-3);
        bend = across / float(max(before * after, 1));
        float most = MOST_LEAN * along / float(max(span * span, 1));
        bool curved = before * after > 0 && min(c.w, min(end.z, amid.z)) > 1e-3;
        bend = curved ? clamp(bend, -most, most) : 0.0;
        lean = bend * float(span) / max(along, 1e-3);
        float share = float(before) / float(max(span, 1));
        float at = clamp(-dot(apart, chord) / max(along * along, 1e-6), 0.1, 0.9);
        uneven = curved ? (share - at) / (4.0 * at * (1.0 - at)) : 0.0;
        float bulge = 0.25 * bend * float(span * span);

        float shown = faded_age(age, vertex.ended);
        float whole = trail_half_width(min(shown, 1.0)) * trail_factor(agent);
        float width = faded_width(whole, shown);
        // Wider where the curve bulges; three times, since the neighbour's may be straight.
        float side = vertex.side;
        float reach = side * (ribbon_reach(width) + 3.0 * max(side * bulge, 0.0));
        offset = normal * reach * stretch;
        v_data = vec4(place.z, shown, reach, width);
#if TRAIL_COLOUR >= BY_SPEED
        vec2 way = vertex.crosses ? vertex.way : older.xy - point;
        v_measure = trail_measure(way, span, point, level);
#endif
#if TRAILS == 0
        vertex.drawn = false;
#endif
        // The last vertex of a triangle is its provoking one: here always of the newer pair. All
        // modes of the segment are packed here, so that a fragment need not read the ring; where
        // they change, also those of some steps before it. (A loop of a fixed length is unrolled:
        // others cost a software renderer more than what they skip.)
        modes = ring_modes(here);
        if (span > MODES_EACH || mixed(modes)) {
            for (int i = MODES_EACH; i < LONGEST_STRIDE; i += MODES_EACH) {
                int back = min(vertex.back + i, u_ring_slots - 1);
                modes |= ring_modes(ring_sample(in_ring, back)) << (MODE_BITS * i);
            }
            modes &= (1 << MODE_BITS * LONGEST_STRIDE) - 1;
        }
        v_tone.rgb = mean_colour(modes, along / float(max(span, 1)), trail_colours(agent));
    } else if (kind == CIRCLE) {
        float line = circle_line(trail_half_width(0.0)), width = circle_width(circle, line);
        float reach = circle_reach(circle, width, point);
        offset = circle_offset(circle, t, circle_least(circle, line), reach, across_circle);
        vertex.drawn = circle.goal || (ring_current(here, 0) && ring_drawn(here));
        v_data = vec4(-1.0, 0.0, circle.side * reach, width);
#if TRAIL_COLOUR >= BY_SPEED
        v_measure = -1.0;
#endif
    } else {
        int corner = max(gl_VertexID - trail_vertices - 1, 0);
        vec2 turned;
        float radius = marker_radius(agent) * marker_scale(point, t);
        offset = marker_corner(t, corner, ring_heading(here), radius, turned);
        modes = u_marker_shape;
        vertex.drawn = ring_current(here, 0) && ring_drawn(here);
        v_data = vec4(turned, radius, float(marker_colour(ring_mode(here), agent)));
    }

    int nearer = depth_agent(agent);
    float bias = kind == CIRCLE ? circle_bias(circle) : kind == MARKER ? marker_bias(nearer)
               : trail_bias(nearer, depth_age(agent, age));
    gl_Position = expand(c, t, offset, bias);
    v_tone.a = kind == CIRCLE ? circle_opacity(circle) : tone_opacity(kind == MARKER, agent);
    int off = 128 + int(floor(clamp(512.0 * uneven, -127.0, 127.0) + 0.5));
    v_id = ivec4(kind | min(span, LONGEST_STRIDE) << 2 | vertex.back << 6 | off << 22
                 | trail_colours(agent) << 30, modes, floatBitsToInt(bend), floatBitsToInt(lean));
    if (kind == CIRCLE) {
        v_id = circle_id(circle);
        gl_Position = circle_expand(gl_Position, across_circle);
#if PICKING == 1
        vertex.drawn = false;
#endif
    }
    if (!vertex.drawn) gl_Position = UNDRAWN;
}
