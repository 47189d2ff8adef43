// The certified region of the chosen agent, and how far q would rise above its q+.
// in  colour of the colour map at this level
//     point  position on the plane, in its units
//     level  scaled height, 0 to 1
//     light  light falling on it, 0 to 1
//     bad    the critic gave no finite value here
#include "lib/certificate.glsl"

const vec3 YES = vec3(0.11, 0.31, 0.56);         // darker than certified trails
const vec3 BOUND = vec3(0.85, 0.34, 0.22);
const float LEVELS = 12.0;      // lines of equal rise, over the range of values

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    float span = max(u_value_range.y - u_value_range.x, 1e-6);
    float rise = certificate_rise(level) / span;               // in ranges of the values
    float room = certificate_room(point, level) / span;
    bool holds = u_q_plus.y > 0.0;                             // a triple: else all is certified

    float value = rise * LEVELS;
    float density = max(fwidth(value), 1e-6);
    float line = clamp(0.5 + 0.4 * u_line_scale - abs(fract(value - 0.5) - 0.5) / density, 0.0, 1.0);
    float front = clamp(0.5 + 1.3 * u_line_scale - abs(value) / density, 0.0, 1.0) * float(holds);

    float yes = clamp(value / density + 0.5, 0.0, 1.0);
    float gain = holds ? clamp(sqrt(max(rise, 0.0)), 0.0, 1.0) : 0.35;
    vec3 certain = mix(YES * 1.15, YES * 0.45, gain);
    vec3 ground = mix(colour, certain, yes);
    ground = mix(ground, vec3(1.0), line * mix(0.10, 0.22, yes));
    float stripe = abs(fract((gl_FragCoord.x - gl_FragCoord.y) / (9.0 * u_line_scale)) - 0.5);
    ground = room < 0.0 && holds ? mix(ground, BOUND, stripe > 0.3 ? 0.75 : 0.15) : ground;
    ground = mix(ground * (0.45 + 0.6 * light), vec3(1.0, 0.97, 0.86), front);
    return bad ? vec3(0.92, 0.2, 0.75) : ground;
}
