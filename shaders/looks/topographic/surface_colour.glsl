// Tints with brown contours; the pit around the goal is a lake.
// in  colour of the colour map at this level
//     point  position on the plane, in its units
//     level  scaled height, 0 to 1; contour_away: levels to the nearest contour
//     light  light falling on it, 0 to 1
//     bad    the critic gave no finite value here
uniform float u_relief;         // @slider 0..2 step 0.1 = 1 "relief"

const vec3 BROWN = vec3(0.42, 0.27, 0.16);
const vec3 LAKE = vec3(0.66, 0.79, 0.78);        // paler and greener than any mode's blue
const vec3 SHORE = vec3(0.24, 0.40, 0.41);
const float WATER = 0.025;      // level of the lake

vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    float density = max(fwidth(level) * CONTOURS_PER_LEVEL, 1e-6);
    float near = contour_away * CONTOURS_PER_LEVEL / density;
    float reach = 0.5 + (contour_index ? 0.7 : 0.3) * u_line_scale;
    float fade = clamp(1.5 - (contour_index ? 1.0 : 4.0) * density * u_line_scale, 0.0, 1.0)
               * min(2e3 * density, 1.0);            // level ground is not all line
    float line = (contour_index ? 0.75 : 0.34) * clamp(reach - near, 0.0, 1.0) * fade;

    float shade = clamp(1.0 + u_relief * 1.9 * (light - 0.72), 0.35, 1.25);
    vec3 land = mix(min(colour * shade, 1.0), BROWN, line);
    float shore = (level - WATER) * CONTOURS_PER_LEVEL / density;      // pixels
    vec3 water = mix(LAKE, LAKE * 0.82, clamp(1.0 - level / WATER, 0.0, 1.0));
    vec3 ground = mix(water, land, clamp(shore + 0.5, 0.0, 1.0));
    ground = mix(SHORE, ground, clamp(abs(shore) + 0.5 - 0.9 * u_line_scale, 0.0, 1.0));
    return bad ? vec3(0.85) : ground;
}
