// Colour of the surface. (Hook.)
// in  colour of the colour map at this level
//     point  position on the plane, in its units; scene_point: in the scene, 10 wide;
//     grid_point: in lines of the grid; line_grey: of contours that stand out from the colour map
//     level  scaled height, 0 to 1; contour_away: levels to the nearest contour
//     light  light falling on it, 0 to 1
//     bad    the critic's value is not finite here: hatched
const vec3 LINE_WIDTH = vec3(0.4, 0.4, 0.5);     // half, in u_line_scale pixels: grid along x, y; contours

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    // Distance to the nearest line in u_line_scale pixels, so that a larger picture shows the same.
    // Lines closer than a few of them fade away, and so do contours so far apart that level ground
    // would be all line.
    vec3 density = max(fwidth(vec3(grid_point, level * CONTOURS_PER_LEVEL)), 1e-6) * u_line_scale;
    vec3 away = vec3(abs(grid_point - roundEven(grid_point)), contour_away * CONTOURS_PER_LEVEL);
    vec3 distance = away / density;
    vec3 line = clamp(0.5 + (LINE_WIDTH - distance) * u_line_scale, 0.0, 1.0)
              * clamp(1.6 - 5.0 * density, 0.0, 1.0);
    bool pale = line_grey < 0.5;                     // of a pale map, grid and shadow are stronger
    float darker = 1.0 - (pale ? 0.09 : 0.16) * max(line.x, line.y), paler = 0.0;
#if CONTOURS
    paler = 0.30 * line.z * min(2e3 * density.z, 1.0);
#endif
    colour = colour * (darker * (1.0 - paler)) + paler * line_grey;

    bool hatch = fract((grid_point.x + grid_point.y) * 4.0) > 0.5;
    vec3 marked = hatch ? vec3(0.92, 0.2, 0.75) : vec3(0.15);
    colour = bad ? marked : colour;
    float shadow = pale ? 0.6 : 0.35;
    return colour * (shadow + (1.0 - shadow) * light);
}
