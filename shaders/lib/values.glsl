// Critic values at levels: the scale of heights and colours, undone. Two fetches; a hook that draws
// contours needs none, see lib/contours.glsl.

float value_of(float level) {
    int last = textureSize(u_values, 0).x - 1;
    float at = clamp(level, 0.0, 1.0) * float(last);
    int entry = min(int(at), last - 1);
    vec2 below = texelFetch(u_values, ivec2(entry, 0), 0).rg;
    vec2 above = texelFetch(u_values, ivec2(entry + 1, 0), 0).rg;
    vec2 pair = mix(below, above, at - float(entry));
    return mix(pair.x, pair.y, u_morph);
}
