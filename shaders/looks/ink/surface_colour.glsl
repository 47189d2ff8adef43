// Paper with contours in ink; every fifth is stronger, and shadows are hatched.
// in  colour of the colour map at this level
//     point  position on the plane, in its units
//     level  normalised height, 0 to 1
//     light  light falling on it, 0 to 1
//     bad    the critic gave no finite value here
uniform bool u_hatching;        // @toggle = on "hatching"

const vec3 INK = vec3(0.13, 0.11, 0.12);
const float LEVELS = 25.0;      // contours from low to high

// Coverage of a line of half width `reach` pixels at whole numbers of `value`.
float line_at(float value, float density, float reach) {
    float pixels = abs(fract(value - 0.5) - 0.5) / density;
    return clamp(0.5 + reach - pixels, 0.0, 1.0) * clamp(1.5 - 3.0 * density, 0.0, 1.0);
}

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    float value = level * LEVELS;
    float density = max(fwidth(value), 1e-6);
    float contour = 0.75 * line_at(value, density, 0.3 * u_line_scale);
    contour = max(contour, line_at(value / 5.0, density / 5.0, 0.75 * u_line_scale));

    // The rim of the plane.
    vec2 rim = min(scene_point - u_corners.xy, u_corners.zw - scene_point)
             / max(fwidth(scene_point), 1e-6);
    contour = max(contour, clamp(1.4 * u_line_scale - min(rim.x, rim.y), 0.0, 1.0));

    // A second stroke where it is darker still, across the first.
    vec2 across = vec2(gl_FragCoord.x + gl_FragCoord.y, gl_FragCoord.x - gl_FragCoord.y);
    vec2 stroke = abs(fract(across / (8.0 * u_line_scale)) - 0.5);
    vec2 shade = clamp((vec2(0.84, 0.66) - light) / 0.10, 0.0, 1.0);
    vec2 pen = clamp(1.0 + 1.4 * shade - 9.0 * stroke, 0.0, 1.0) * smoothstep(0.0, 0.4, shade);
    float hatch = u_hatching ? 0.30 * max(pen.x, pen.y) : 0.0;

    vec3 paper = bad ? vec3(0.80, 0.60, 0.60) : colour;
    return mix(paper, INK, max(contour, hatch));
}
