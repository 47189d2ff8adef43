// Outline of a trail, by which it is seen on any colour of the surface. (Hook.)
// in  colour  of the trail, from trail_colour.glsl
// returns colour and opacity; u_casing.x is its width
vec4 trail_casing(vec3 colour) {
    // What is neither very dark nor very bright may have either.
    float luminance = dot(colour * colour, vec3(0.2126, 0.7152, 0.0722));
    return vec4(vec3(luminance > u_casing.y ? 0.06 : 1.0), 1.0);
}
