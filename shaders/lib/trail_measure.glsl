// Colours of trails by something else than the mode: the variants BY_AGE, BY_SPEED, BY_CERTIFICATE.
// (Includes stand outside of #if: a file is included once, in whatever branch that is.)
#include "lib/certificate.glsl"

#if TRAIL_COLOUR == BY_SPEED
const float FAST = 400.0;       // steps over the plane of an agent of middling speed

// 0 at rest, towards 1 the faster; `way` in plane units, over some steps.
float trail_measure(vec2 way, int steps, vec2 point, float level) {
    float width = u_plane.z - u_plane.x;
    return 1.0 - exp(-FAST * length(way) / (width * float(max(steps, 1))));
}
#elif TRAIL_COLOUR == BY_CERTIFICATE
// 1 where the critic would certify the actor, else 0.
float trail_measure(vec2 way, int steps, vec2 point, float level) {
    return certified(point, level) ? 1.0 : 0.0;
}
#else
float trail_measure(vec2 way, int steps, vec2 point, float level) { return 0.0; }
#endif

// Dark violet, magenta, orange, pale yellow: of even steps in lightness, as data wants it.
vec3 heat(float t) {
    vec3 low = mix(vec3(0.20, 0.07, 0.42), vec3(0.78, 0.18, 0.48), clamp(2.0 * t, 0.0, 1.0));
    return mix(low, vec3(1.0, 0.93, 0.60), clamp(2.0 * t - 1.0, 0.0, 1.0));
}

// colour of the mode; age 0 at the agent, 1 at the trail's end
vec3 measured_colour(vec3 colour, float age, float measure) {
#if TRAIL_COLOUR == BY_AGE
    return heat(1.0 - age);
#elif TRAIL_COLOUR == BY_SPEED
    return heat(measure);
#elif TRAIL_COLOUR == BY_CERTIFICATE
    return texelFetch(u_palette, ivec2(measure > 0.5 ? 0 : 2, 1), 0).rgb;   // as certified, nominal
#else
    return colour;
#endif
}
