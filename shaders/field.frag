#version 330
// Colour of the scene's one draw: surface, trails, markers. Software renderers pay for all three at
// every pixel, so what they share is computed once, and nothing is read from the ring.
#include "lib/contract.glsl"
#include "lib/variants.glsl"
#include "lib/frame.glsl"

// Place of the surface's fragment, for lines, as positions on a plane far from zero are too coarse: in
// the scene, and in lines of the grid. The latter is interpolated, so that the former, and its
// uniforms, cost nothing unless a hook reads it.
vec2 scene_point = vec2(0.0), grid_point = vec2(0.0);

#include "lib/contours.glsl"
#include "lib/casing.glsl"
#include "lib/trail_measure.glsl"
#include "surface_colour.glsl"
#include "trail_colour.glsl"
#include "trail_profile.glsl"
#include "trail_casing.glsl"
#include "marker_shape.glsl"
#include "lib/picking.glsl"

flat in ivec4 v_id;
in vec4 v_data;
flat in vec4 v_tone;
#if TRAIL_COLOUR >= BY_SPEED
in float v_measure;
#else
const float v_measure = 0.0;
#endif
#if PICKING == 1
flat in int v_agent;
#endif
layout(location = 0) out vec4 o_colour;

void main() {
    int kind = v_id.x & 3;
    // Within a trail's segment: steps from its newer sample, and pixels from its curve.
    float span = float((v_id.x >> 2) & 15);
    float steps = max(v_data.x - float((v_id.x >> 6) & 0xffff), 0.0);
    float uneven = float(((v_id.x >> 22) & 255) - 128) * (1.0 / 128.0);
    steps += uneven * steps * (1.0 - steps / max(span, 1.0));
    float lean = intBitsToFloat(v_id.w) * (span - 2.0 * steps);
    float across = (v_data.z - intBitsToFloat(v_id.z) * steps * (span - steps))
                 * inversesqrt(1.0 + lean * lean);
    // The rule that led to the newer end of this step, whatever the stride.
    int mode = (v_id.y >> (MODE_BITS * min(int(steps), LONGEST_STRIDE - 1))) & MODE_MASK;
    int whose = int(uint(v_id.x) >> 30);
    int tint = kind == 1 ? mode + whose * TRAINEE_COLOURS : int(v_data.w + 0.5);
    // The surface's rim, a pixel wide, has coverage where the surface has light.
    bool rim = kind == 3, on_surface = kind == 0 || rim;
    float light = rim ? intBitsToFloat(v_id.w) : v_data.w;
    // One texel has the colour, whatever is drawn: loading uniforms costs more.
    float level = clamp(v_data.z, 0.0, 1.0);         // the surface's may be beyond its scale
    float entry = level * float(PALETTE_COLOURS - 1) + 0.5;
    vec4 texel = texelFetch(u_palette, on_surface ? ivec2(entry, 0) : ivec2(tint, 1), 0);
    vec3 colour = v_tone.r < 0.0 ? texel.rgb : v_tone.rgb;
    find_contour(texel.a, level);
    casing_grey = texel.a;

    // Derivatives stay outside branches.
    bool bad = light < 0.0;                          // then its light is unknown
    grid_point = v_data.xy;
    scene_point = (v_data.xy - u_grid.zw) / u_grid.xy;
    light = bad ? 0.8 : light;
#if DEVIATIONS
    // Nothing is wrong where none is known: grey ground without contours, in every look.
    if (bad) {
        colour = vec3(line_grey < 0.5 ? 0.72 : 0.36);
        contour_away = 1.0;
    }
    bad = false;
#endif
    vec3 surface = surface_colour(colour, plane_of(scene_point), level, light, bad);
    float age = clamp(v_data.y, 0.0, 1.0);
    float edge = abs(across) / max(v_data.w, 1e-3);
#if TRAIL_COLOUR == BY_AGE
    float measured_age = v_data.x / float(u_trail);  // even where its episode has ended
#else
    float measured_age = age;
#endif
    vec3 measured = measured_colour(colour, measured_age, step_measure(v_measure, mode));
#if MARGINS == 1
    mode &= MODE_MASK >> 1;
#endif
    vec4 trail = trail_colour(measured, mode, age, edge);
    // An outline below it, which shrinks with a trail that fades.
    float covered = trail_profile(across, v_data.w, age);
    trail.rgb = min(trail.rgb, 1.0);
    vec4 casing = trail_casing(trail.rgb);
    float outline = casing_width(v_tone.rgb, v_data.w);
    float cased = clamp(0.5 + v_data.w + outline - abs(across), 0.0, 1.0) * casing.a;
    cased = outline > 0.0 ? max(covered, cased) : covered;
    trail.rgb = mix(casing.rgb, trail.rgb, covered / max(cased, 1e-3));
    trail.a *= cased * v_tone.a;
    vec4 marker = marker_shape(v_data.xy, v_data.z, colour, v_id.y);
    marker.a *= v_tone.a;

    o_colour = on_surface ? vec4(surface, rim ? v_data.w : 1.0) : kind == 1 ? trail : marker;
#if PICKING == 1
    // Not what is hardly seen; but a crowd's opacity says nothing about a single agent.
    if (o_colour.a < PICKED_FROM * v_tone.a) discard;
    o_colour = number_colour(v_agent);
    return;
#endif
    if (o_colour.a < 0.004) discard;
    o_colour = min(o_colour, 1.0);                   // hooks may return more
    o_colour.rgb *= o_colour.a;                      // blended as ONE, ONE_MINUS_SRC_ALPHA
}
