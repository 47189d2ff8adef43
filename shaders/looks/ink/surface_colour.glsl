// Paper with contours in ink; index contours are stronger, and shadows are hatched.
// in  colour of the colour map at this level
//     point  position on the plane, in its units
//     level  scaled height, 0 to 1; contour_away: levels to the nearest contour
//     light  light falling on it, 0 to 1
//     bad    the critic gave no finite value here
uniform bool u_hatching;        // @toggle = on "hatching"

const vec3 INK = vec3(0.13, 0.11, 0.12);

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    // Index contours, a few of them, fade away later where they are close.
    float density = max(fwidth(level) * CONTOURS_PER_LEVEL, 1e-6);
    float reach = (contour_index ? 0.75 : 0.3) * u_line_scale;
    float contour = clamp(0.5 + reach - contour_away * CONTOURS_PER_LEVEL / density, 0.0, 1.0);
    float close = density * u_line_scale;
    contour *= contour_index ? clamp(1.5 - 0.6 * close, 0.0, 1.0)
                             : 0.75 * clamp(1.5 - 3.0 * close, 0.0, 1.0);
    contour *= min(2e3 * density, 1.0);              // level ground is not all line

    // The rim of the plane.
    vec2 rim = min(scene_point - u_corners.xy, u_corners.zw - scene_point)
             / max(fwidth(scene_point), 1e-6);
    contour = max(contour, clamp(0.5 + 0.9 * u_line_scale - min(rim.x, rim.y), 0.0, 1.0));

    // A second stroke where it is darker still, across the first.
    vec2 across = vec2(gl_FragCoord.x + gl_FragCoord.y, gl_FragCoord.x - gl_FragCoord.y);
    vec2 stroke = abs(fract(across / (8.0 * u_line_scale)) - 0.5);
    vec2 shade = clamp((vec2(0.84, 0.66) - light) / 0.10, 0.0, 1.0);
    vec2 pen = clamp(1.0 + 1.4 * shade - 9.0 * stroke, 0.0, 1.0) * smoothstep(0.0, 0.4, shade);
    float hatch = u_hatching ? 0.30 * max(pen.x, pen.y) : 0.0;

    vec3 paper = bad ? vec3(0.80, 0.60, 0.60) : colour;
    return mix(paper, INK, max(contour, hatch));
}
