// Which samples a trail's strip passes through.
//
// A strip is a row of vertex pairs, newest first (pair 0). A trail falls into runs; each run takes
//
//      joint, head, strided ..., tail
//
// where the strided samples are those whose absolute step is a multiple of the stride: they stay
// where they are while the head moves on, so nothing shimmers. A joint's vertices are copies of
// the one before and of the one after it in the strip, so that the triangles from one run to the
// next have no area: a reset needs no test per fragment. After the oldest run comes a last joint.
//
//      older run    *---*---* = * . . . .         side  1
//                   |   |   |         . joint
//                   *---*---*  . . . . * = *---*  newer run, side -1

const int MOST_RUNS = 64;

struct TrailVertex {
    int back;       // of its sample
    int newer;      // of the neighbours in its run; equal to back at the run's ends
    int older;
    float side;     // 1 or -1
    bool drawn;     // false: nothing here
};

// vertex: in the strip; pairs: in its room.
TrailVertex trail_vertex(int agent, int vertex, int pairs) {
    TrailVertex result = TrailVertex(0, 0, 0, 1.0, false);
    // A pair's first vertex sees (joint, head ..., tail) in each run, its second (head ..., tail,
    // joint); before the newest run there is one second vertex more.
    int second = vertex & 1;
    int pair = pairs - 1 - (vertex >> 1) - second;
    int start = 0;                                   // of the run, steps back
    int reach = min(u_trail, u_ring_slots - 1);      // of the trail
    int phase = u_head_step % u_stride + u_stride - 1;
    for (int run = 0; run < MOST_RUNS; ++run) {
        vec4 head = ring_sample(agent, start);
        if (!ring_current(head, start)) return result;
        int age = ring_age(head);
        int span = min(age, reach - start);          // steps from the run's head to its tail
        // To the first strided sample: head's step - start - 1, modulo the stride; never below 0.
        int first = remainder(phase + start * (u_stride - 1), u_stride) + 1;
        int strided = span > first ? quotient(span - 1 - first, u_stride) + 1 : 0;
        int end = strided + 1;                       // 0 head, then the strided, end tail
        if (pair < end + 2) {
            int at = clamp(pair - 1 + second, 0, end);
            ivec3 index = clamp(ivec3(at, at - 1, at + 1), 0, end);
            ivec3 offset = ivec3(first) + (index - 1) * u_stride;
            offset = ivec3(index.x == 0 ? 0 : offset.x, index.y == 0 ? 0 : offset.y,
                           index.z == 0 ? 0 : offset.z);
            offset = ivec3(index.x == end ? span : offset.x, index.y == end ? span : offset.y,
                           index.z == end ? span : offset.z);
            result.back = start + offset.x;
            result.newer = start + offset.y;
            result.older = start + offset.z;
            bool joint = pair == (second == 0 ? 0 : end + 1);
            result.side = joint == (second == 0) ? -1.0 : 1.0;
            result.drawn = ring_drawn(head);
            return result;
        }
        pair -= end + 2;
        // An age at its limit says only that the run goes on: continue from the same sample.
        start += span + (span == LONGEST_AGE ? 0 : 1);
        if (start > reach) return result;
    }
    return result;
}
