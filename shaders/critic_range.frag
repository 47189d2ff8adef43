#version 330
// The range of all columns, one texel: for normalising heights.
#include "lib/critic_contract.glsl"

const float HUGE = 3.4e38;

layout(location = 0) out vec4 o_range;

void main() {
    vec4 range = vec4(HUGE, -HUGE, 0.0, 0.0);
    int columns = textureSize(u_critic_columns, 0).x;
    for (int column = 0; column < columns; ++column) {
        vec4 part = texelFetch(u_critic_columns, ivec2(column, 0), 0);
        range = vec4(min(range.x, part.x), max(range.y, part.y), range.zw + part.zw);
    }
    if (range.z == 0.0) range.xy = vec2(0.0);
    o_range = range;
}
