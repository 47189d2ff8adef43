// A quiet floor.
// in  colour of the colour map at this level
//     point  position on the plane, in its units
//     level  scaled height, 0 to 1; contour_away: levels to the nearest contour
//     light  light falling on it, 0 to 1
//     bad    the critic gave no finite value here

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    // Per pixel of a small picture.
    float density = max(fwidth(level) * CONTOURS_PER_LEVEL, 1e-6) * u_line_scale;
    float pixels = contour_away * CONTOURS_PER_LEVEL / density;
    float contour = clamp(0.5 + (0.5 - pixels) * u_line_scale, 0.0, 1.0)
                  * clamp(1.6 - 5.0 * density, 0.0, 1.0) * min(2e3 * density, 1.0);
    vec3 ground = colour * (0.35 + 0.65 * light) + 0.07 * contour;
    return bad ? vec3(0.4, 0.1, 0.3) : ground;
}
