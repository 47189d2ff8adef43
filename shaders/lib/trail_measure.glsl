// Colours of trails by something other than the mode: the variants BY_AGE, BY_SPEED, BY_CERTIFICATE.
// (Includes are outside #if: a file is included once, in whichever branch.)
#include "lib/casing.glsl"
#include "lib/certificate.glsl"
#include "lib/frame.glsl"

#if TRAIL_COLOUR == BY_SPEED
// 0 at rest, towards 1 the faster; `way` and `point` in the scene; in the axes' units,
// over some steps, compared with the plane's width: both in multiples of a unit of the first axis.
float trail_measure(vec2 way, int steps, vec2 point, float level) {
    float width = u_corners.z - u_corners.x;
    way.y *= u_frame.w / u_frame.z;
    return 1.0 - exp(-TRAIL_FAST * length(way) / (width * float(max(steps, 1))));
}
#elif TRAIL_COLOUR == BY_CERTIFICATE && MARGINS == 0
// 1 where the critic would certify the actor, else 0.
float trail_measure(vec2 way, int steps, vec2 point, float level) {
    return certified(plane_of(point), level) ? 1.0 : 0.0;
}
#else
float trail_measure(vec2 way, int steps, vec2 point, float level) { return 0.0; }
#endif

// A colour of the palette, which the legend shows too, with its outline's grey.
vec3 cased_colour(int entry, int row) {
    vec4 texel = texelFetch(u_palette, ivec2(entry, row), 0);
    casing_grey = texel.a;
    return texel.rgb;
}

// What the step of this mode has, where the segment has this; see MARGINS in lib/variants.glsl.
float step_measure(float measure, int mode) {
#if TRAIL_COLOUR == BY_CERTIFICATE && MARGINS == 1
    return measure < 0.0 ? measure : mode > MODE_MASK >> 1 ? 0.0 : 1.0;
#else
    return measure;
#endif
}

vec3 ramp(float t) {
    return cased_colour(int(clamp(t, 0.0, 1.0) * float(PALETTE_COLOURS - 1) + 0.5), TRAIL_RAMP_ROW);
}

// colour of the mode; age 0 at the agent, 1 at the trail's end; what has none, nor a measure, as circles,
// keeps its colour
vec3 measured_colour(vec3 colour, float age, float measure) {
#if TRAIL_COLOUR == BY_AGE
    return age < 0.0 ? colour : ramp(1.0 - age);
#elif TRAIL_COLOUR == BY_SPEED
    return measure < 0.0 ? colour : ramp(measure);
#elif TRAIL_COLOUR == BY_CERTIFICATE
    int entry = measure > 0.5 ? TRAIL_CERTIFIED : TRAIL_REFUSED;
    return measure < 0.0 ? colour : cased_colour(entry, 1);
#else
    return colour;
#endif
}
