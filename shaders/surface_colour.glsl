// Colour of the surface. (Hook.)
// in  colour of the colour map at this level
//     point  position on the plane, in its units; scene_point: in the scene, 10 wide;
//     grid_point: in lines of the grid; line_grey: of contours that stand out from the colour map
//     level  normalised height, 0 to 1
//     light  light falling on it, 0 to 1
//     bad    the critic's value is not finite here: hatched
const vec3 LINE_WIDTH = vec3(0.4, 0.4, 0.5);     // half, in u_line_scale pixels: grid along x, y; contours
const float LEVELS = 20.0;                       // contours from low to high

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    // Distance to the nearest whole number in u_line_scale pixels, so that a larger picture shows the
    // same. Lines closer than a few of them fade away, and so do contours so far apart that level
    // ground would be all line.
    vec3 value = vec3(grid_point, level * LEVELS);
    vec3 density = max(fwidth(value), 1e-6) * u_line_scale;
    vec3 distance = abs(value - roundEven(value)) / density;
    vec3 line = clamp(0.5 + (LINE_WIDTH - distance) * u_line_scale, 0.0, 1.0)
              * clamp(1.6 - 5.0 * density, 0.0, 1.0);
    float darker = 1.0 - 0.16 * max(line.x, line.y), paler = 0.0;
#if CONTOURS
    paler = 0.30 * line.z * min(2e3 * density.z, 1.0);
#endif
    colour = colour * (darker * (1.0 - paler)) + paler * line_grey;

    bool hatch = fract((grid_point.x + grid_point.y) * 4.0) > 0.5;
    vec3 marked = hatch ? vec3(0.92, 0.2, 0.75) : vec3(0.15);
    colour = bad ? marked : colour;
    return colour * (0.35 + 0.65 * light);
}
