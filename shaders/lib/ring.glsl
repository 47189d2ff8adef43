// Samples from the ring. `back` counts steps back from the newest sample shown.
//
//   texel = (x, y, third, stamp)        x = agent % W, y = slot * rows + agent / W
//   stamp = +-(step + 1), negative on the first sample of a run; 0: never written
//   third = a float's bit pattern, never a NaN's nor a denormal's:
//           bits 0..9    modes of this sample and the previous ones, MODE_BITS each
//           bits 10..17  heading in 256ths of a turn
//           bits 18..28  age = samples since the run began (at most 2047); of its first sample
//                        how it began: 0, nothing leads there; OVER_EDGE
//           bit 29       1 if the run continues the episode of the one before
//           bit 30       the opposite of bit 29
//           bit 31       1 if the sample must not be drawn (its position was not finite)
//
// calf_viz/scene/ring.py writes them. A run is an unbroken piece of one episode.
#include "lib/division.glsl"
#include "lib/variants.glsl"

const int LONGEST_AGE = 2047;
const int OVER_EDGE = 1;        // how a run began: the line to it crosses an edge of the plane

// Where an agent's samples are in each slot: column, row.
ivec2 ring_place(int agent) {
    int columns = textureSize(u_ring, 0).x;
    int row = quotient(agent, columns);
    return ivec2(agent - row * columns, row);
}

vec4 ring_sample(ivec2 agent_place, int back) {
    int slot = u_head - back;
    slot += slot < 0 ? u_ring_slots : 0;
    return texelFetch(u_ring, ivec2(agent_place.x, slot * u_ring_rows + agent_place.y), 0);
}

// Empty slots, stale laps and the future all bear a stamp other than the step wanted.
bool ring_current(vec4 texel, int back) {
    return texel.w != 0.0 && abs(texel.w) == float(u_head_step - back + 1);
}

int ring_word(vec4 texel)      { return floatBitsToInt(texel.z) & 0x3fffffff; }
bool ring_drawn(vec4 texel)    { return floatBitsToInt(texel.z) >= 0; }
int ring_mode(vec4 texel)      { return ring_word(texel) & MODE_MASK; }
int ring_modes(vec4 texel)     { return ring_word(texel) & ((1 << MODE_BITS * MODES_EACH) - 1); }
float ring_heading(vec4 texel) { return float((ring_word(texel) >> 10) & 255) * (6.28318530718 / 256.0); }
int ring_began(vec4 texel)     { return (ring_word(texel) >> 18) & LONGEST_AGE; }
int ring_age(vec4 texel)       { return texel.w < 0.0 ? 0 : ring_began(texel); }
bool ring_over_edge(vec4 texel) { return texel.w < 0.0 && ring_began(texel) == OVER_EDGE; }
bool ring_same_episode(vec4 texel) { return ring_word(texel) >> 29 == 1; }
