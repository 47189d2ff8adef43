// Colour of the surface. (Hook.)
// in  point  position on the plane, in its units
//     level  normalised height, 0 to 1
//     light  light falling on it, 0 to 1
//     bad    > 0 where the critic gave no finite value: hatched
float line_coverage(float value, float width) {
    // Distance to the nearest whole number in pixels; lines closer than a few pixels fade away.
    float density = max(fwidth(value), 1e-6);
    float distance = abs(fract(value - 0.5) - 0.5) / density;
    return clamp(0.5 + width - distance, 0.0, 1.0) * clamp(1.6 - 5.0 * density, 0.0, 1.0);
}

vec3 surface_colour(vec2 point, float level, float light, float bad) {
    int last = textureSize(u_colour_map, 0).x - 1;
    int entry = int(clamp(level, 0.0, 1.0) * float(last) + 0.5);
    vec3 colour = texelFetch(u_colour_map, ivec2(entry, 0), 0).rgb;
    float grid = max(line_coverage(point.x, 0.4), line_coverage(point.y, 0.4));
    float contour = line_coverage(level * 20.0, 0.5);
    float hatch = step(0.5, fract((point.x + point.y) * 4.0));
    colour = mix(colour, vec3(0.0), 0.16 * grid);
    colour = mix(colour, vec3(1.0), 0.30 * contour);
    colour = mix(colour, mix(vec3(0.15), vec3(1.0, 0.2, 0.8), hatch), bad > 0.0 ? 0.9 : 0.0);
    return colour * (0.35 + 0.65 * light);
}
