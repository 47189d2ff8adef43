#version 330
// Texels of u_heightfield: levels shown so far, and the new critic's values on its scale, as in
// calf_viz/value_scale.py. A value that is not finite becomes the highest one, stored as REPLACED - level
// (see height.glsl).
#include "lib/critic_contract.glsl"

const int SQRT = 1, SYMLOG = 2;
const float REPLACED = -128.0, MOST_OPEN = 60.0;

layout(location = 0) out vec4 o_heights;

float plain(float level) { return level < 0.5 * REPLACED ? REPLACED - level : level; }

// What a morph shows, as shown_heights in calf_viz/scene/height_texels.py.
float between(vec2 open) {
    vec2 level = clamp(open, 0.0, 1.0);
    float height = mix(level.x, level.y, u_critic_morph);
    float beyond = mix(open.x - level.x, open.y - level.y, u_critic_morph);
    bool outside = (height >= 1.0 && beyond > 0.0) || (height <= 0.0 && beyond < 0.0);
    return outside ? height + beyond : height;
}

// A value on the axis on which the scale is linear, or linear between knots.
float warped(float value) {
    int kind = int(u_critic_scale.x);
    float above = value - u_critic_scale.y;
    float many = abs(value) / u_critic_scale.z;
    return kind == SQRT ? sign(above) * sqrt(abs(above))
         : kind == SYMLOG ? sign(value) * log(1.0 + many)
         : above;
}

// Beyond 0 and 1 where the value is beyond the scale.
float level_of(float value) {
    float at = warped(value);
    float first = texelFetch(u_critic_knots, ivec2(0), 0).x;
    int last = textureSize(u_critic_knots, 0).x - 1;
    vec2 before = texelFetch(u_critic_knots, ivec2(0), 0).xy;
    float level = at > before.x ? 1.0 : 0.0;
    for (int knot = 1; knot <= last; ++knot) {
        vec2 after = texelFetch(u_critic_knots, ivec2(knot, 0), 0).xy;
        if (at > before.x && at <= after.x) {
            level = mix(before.y, after.y, (at - before.x) / (after.x - before.x));
        }
        before = after;
    }
    float extent = before.x - first;
    float beyond = extent > 0.0 ? (at - clamp(at, first, before.x)) / extent : 0.0;
    return level + clamp(beyond, -MOST_OPEN, MOST_OPEN);
}

void main() {
    ivec2 node = ivec2(gl_FragCoord.xy);
    vec2 value = texelFetch(u_critic_values, node, 0).xy;
    float highest = texelFetch(u_critic_range, ivec2(0), 0).y;
    bool bad = value.y != 0.0;
    float level = level_of(bad ? highest : value.x);
    float current = bad ? REPLACED - level : level;
    vec2 last = texelFetch(u_critic_last, node, 0).xy;
    float shown = u_critic_morph >= 1.0 ? last.y : between(vec2(plain(last.x), plain(last.y)));
    o_heights = vec4(u_critic_morph < 0.0 ? current : shown, current, 0.0, 1.0);
}
