// Samples from the ring. `back` counts steps back from the newest sample shown.
//
//   texel = (x, y, third, stamp)        x = agent % W, y = slot * rows + agent / W
//   stamp = +-(step + 1), negative on the first sample of a run; 0: never written
//   third = mode + 4 * heading + 4096 * age, age = samples since the run began (at most 4095)
//
// calf_viz/render/ring.py writes them. A run is an unbroken piece of one episode.

const int MODE_INVALID = 3;     // a sample that must not be drawn (its position was not finite)
const int LONGEST_AGE = 4095;
const int LONGEST_STRIDE = 16;  // so that the modes of a segment fit an int

vec4 ring_sample(int agent, int back) {
    int columns = textureSize(u_ring, 0).x;
    int slot = u_head - back;
    slot += slot < 0 ? u_ring_slots : 0;
    return texelFetch(u_ring, ivec2(agent % columns, slot * u_ring_rows + agent / columns), 0);
}

// Empty slots, stale laps and the future all bear another stamp than the step asked for.
bool ring_current(vec4 texel, int back) {
    return texel.w != 0.0 && abs(texel.w) == float(u_head_step - back + 1);
}

int ring_mode(vec4 texel)      { return int(texel.z) & 3; }
float ring_heading(vec4 texel) { return float((int(texel.z) >> 2) & 1023) * (6.28318530718 / 1024.0); }
int ring_age(vec4 texel)       { return int(texel.z) >> 12; }
