// Which samples a trail's strip passes through.
//
// A strip is a row of vertex pairs, newest first (pair 0). A trail falls into runs; each run takes
//
//      joint, head, strided ..., tail
//
// where the strided samples are those whose absolute step is a multiple of the stride: they stay
// where they are while the head moves on, so nothing shimmers. A joint's vertices are copies of
// the one before and of the one after it in the strip, so that the triangles from one run to the
// next have no area: a reset needs no test per fragment. After the oldest run there is a last joint.
//
//      older run    *---*---* = * . . . .         side  1
//                   |   |   |         . joint
//                   *---*---*  . . . . * = *---*  newer run, side -1
//
// If the way to a run's tail crosses the plane's edge (PERIODIC), the run continues to that edge, and
// the next one begins at the opposite edge, one more place each; if it crosses two, there is a run of
// two places between them.
#include "lib/over_edge.glsl"

const int MOST_RUNS = 64;
const int FIRST = -1, LAST = -2;    // places on an edge: a run's newest, its oldest

struct TrailVertex {
    int place;      // steps back of its sample; or FIRST, LAST
    int newer;      // of the neighbours in its run; equal to place at the run's ends
    int older;
    float side;     // 1 or -1
    bool drawn;     // false: nothing here
    int back;       // of the sample whose rule led over its place: its own; of W, on an edge
    int ended;      // steps since the next episode began; 0 if there is none
    vec3 first;     // point of the places FIRST and LAST, and how many steps back
    vec3 last;
    vec2 way;       // from W to P', where the segment from here leads over the edge
    bool crosses;   // whether it does
};

TrailVertex whole_vertex(bool drawn) {
    return TrailVertex(0, 0, 0, 1.0, drawn, 0, 0, vec3(0.0), vec3(0.0), vec2(0.0), false);
}

// Point of one of a vertex's places, and how many steps back it is.
vec3 trail_place(ivec2 in_ring, int place, TrailVertex vertex) {
    vec3 found = vec3(ring_sample(in_ring, max(place, 0)).xy, float(place));
    if (PERIODIC == 1) {
        found = place == FIRST ? vertex.first : place == LAST ? vertex.last : found;
    }
    return found;
}

// in_ring: where its agent's samples are; vertex: in the strip; pairs: in its room.
TrailVertex trail_vertex(ivec2 in_ring, int vertex, int pairs) {
    TrailVertex result = whole_vertex(false);
    // A pair's first vertex sees (joint, head ..., tail) in each run, its second (head ..., tail,
    // joint); before the newest run there is one second vertex more.
    int second = vertex & 1;
    int pair = pairs - 1 - (vertex >> 1) - second;
    int start = 0;                                   // of the run, steps back
    int reach = min(u_trail, u_ring_slots - 1);      // of the trail
    int phase = remainder(u_head_step, u_stride) + u_stride - 1;
    int entered = 0;                                 // 1: a place on an edge is newer than the head
    for (int run = 0; run < MOST_RUNS; ++run) {
        vec4 head = ring_sample(in_ring, start);
        if (!ring_current(head, start)) return result;
        int age = ring_age(head);
        int span = min(age, reach - start);          // steps from the run's head to its tail
        // To the first strided sample: head's step - start - 1, modulo the stride; never below 0.
        int first = remainder(phase + start * (u_stride - 1), u_stride) + 1;
        int strided = span > first ? quotient(span - 1 - first, u_stride) + 1 : 0;
        int end = strided + 1;                       // 0 head, then the strided, end tail
        int places = end + 1;
        int tail_back = start + span;
        OverEdge over = nowhere();
        int leaves = 0;                              // 1: a place on an edge is older than the tail
        if (PERIODIC == 1) {
            vec4 tail = ring_sample(in_ring, tail_back);
            over = over_edge(tail.xy, ring_sample(in_ring, min(tail_back + 1, reach)).xy);
            bool whole = span == age && age < LONGEST_AGE && tail_back < reach;
            leaves = whole && ring_over_edge(tail) && over.found ? 1 : 0;
            places += entered + leaves;
        }
        result.drawn = ring_drawn(head);
        if (pair <= places) {
            int at = clamp(pair - 1 + second, 0, places - 1);
            ivec3 index = clamp(ivec3(at, at - 1, at + 1), 0, places - 1) - entered;
            ivec3 offset = ivec3(first) + (index - 1) * u_stride;
            offset = ivec3(index.x == 0 ? 0 : offset.x, index.y == 0 ? 0 : offset.y,
                           index.z == 0 ? 0 : offset.z);
            offset = ivec3(index.x == end ? span : offset.x, index.y == end ? span : offset.y,
                           index.z == end ? span : offset.z);
            result.place = result.back = start + offset.x;
            result.newer = start + offset.y;
            result.older = start + offset.z;
            if (PERIODIC == 1) {
                result.place = index.x < 0 ? FIRST : index.x > end ? LAST : result.place;
                result.newer = index.y < 0 ? FIRST : index.y > end ? LAST : result.newer;
                result.older = index.z < 0 ? FIRST : index.z > end ? LAST : result.older;
                result.back = index.x < 0 ? start - 1 : index.x > end ? tail_back : result.back;
                result.last = vec3(over.leaves.xy, float(tail_back) + over.leaves.z);
                result.crosses = result.place < 0 || result.older < 0;
                result.way = index.x < 0 ? result.way : over.way;
            }
            bool joint = pair == (second == 0 ? 0 : places);
            result.side = joint == (second == 0) ? -1.0 : 1.0;
            return result;
        }
        pair -= places + 1;
        if (PERIODIC == 1 && leaves == 1) {
            result.way = over.way;
            float from = float(tail_back);
            if (over.twice && pair < 3) {            // the run between two edges
                result.place = pair - 1 + second < 1 ? FIRST : LAST;
                result.newer = FIRST;
                result.older = LAST;
                result.back = tail_back;
                result.first = vec3(over.between.xy, from + over.leaves.z);
                result.last = vec3(over.between.zw, from + over.enters.z);
                result.crosses = true;
                bool joint = pair == (second == 0 ? 0 : 2);
                result.side = joint == (second == 0) ? -1.0 : 1.0;
                return result;
            }
            pair -= over.twice ? 3 : 0;
            result.first = vec3(over.enters.xy, from + over.enters.z);
        }
        entered = leaves;
        result.drawn = false;
        // An age at its limit only says that the run goes on: continue from the same sample.
        bool goes_on = span == LONGEST_AGE;
        result.ended = goes_on || ring_same_episode(head) ? result.ended : tail_back;
        start += span + (goes_on ? 0 : 1);
        if (start > reach) return result;
    }
    return result;
}
