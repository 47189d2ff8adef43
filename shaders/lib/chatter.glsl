// Where rules alternate faster than pixels can show, a trail has the mean colour of the rules, each by
// its share of the last LONGEST_STRIDE steps, instead of noise. (A step's rule is the one that led to
// its newer end; the first steps of an episode may include some of the last one.)
#include "lib/variants.glsl"

const float SHORTEST_RUN = 3.0;     // px that a rule must last on average to be shown by itself
const float UNMIXED = -1.0;         // red of a segment whose steps have their own colours
#if MODE_BITS == 2
const int FIELDS = 0x15555555;      // the lowest bit of each step's
#else
const int FIELDS = 0x09249249;
#endif

// Whether modes, newest first, change within the steps of a texel.
bool mixed(int modes) {
    return ((modes ^ (modes >> MODE_BITS)) & ((1 << MODE_BITS * (MODES_EACH - 1)) - 1)) != 0;
}

// Number of bits, all of them within FIELDS.
int field_count(int bits) {
#if MODE_BITS == 2
    bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f;
    return ((bits * 0x01010101) >> 24) & 63;
#else
    bits = (bits & 0x071c71c7) + ((bits >> 3) & 0x071c71c7);
    return ((bits * 0x01041041) >> 24) & 63;
#endif
}

// Number of steps whose bits in `modes` are all 0.
int zeros(int modes) {
    int bits = modes | modes >> 1;
#if MODE_BITS > 2
    bits |= modes >> 2;
#endif
    return field_count(~bits & FIELDS);
}

// Mean colour of a segment, or UNMIXED and the width of its outline [px]: where rules alternate, its path
// zigzags within pixels, and an outline would be its teeth. modes: of LONGEST_STRIDE steps, newest first;
// with a mean, all become the most frequent one. step: length of one [px]; colours: whose, see
// lib/training.glsl.
vec3 mean_colour(inout int modes, float step, int colours) {
    vec3 result = vec3(UNMIXED, u_casing, 0.0);
#if TRAIL_COLOUR == BY_MODE
    if (mixed(modes)) {
        int steps = LONGEST_STRIDE - 1, changed = modes ^ (modes >> MODE_BITS);
        int changes = LONGEST_STRIDE - zeros(changed & ((1 << MODE_BITS * steps) - 1));
        // One change is no chatter.
        if (step * float(steps) < float(changes - 1) * (SHORTEST_RUN * u_line_scale)) {
            vec3 sum = vec3(0.0);
            int most = 0, frequent = 0;
            for (int mode = 0, left = LONGEST_STRIDE; left > 0; ++mode) {
                int count = zeros(modes ^ (FIELDS * mode));
                ivec2 entry = ivec2(mode + colours * TRAINEE_COLOURS, 1);
                sum += float(count) * texelFetch(u_palette, entry, 0).rgb;
                frequent = count > most ? mode : frequent;
                most = max(most, count);
                left -= count;
            }
            result = sum * (1.0 / float(LONGEST_STRIDE));
            modes = FIELDS * frequent;
        }
    }
#endif
    return result;
}
