#version 330
// Lowest and highest finite value of a column of nodes, and its numbers of good and bad nodes.
#include "lib/critic_contract.glsl"

const float HUGE = 3.4e38;

layout(location = 0) out vec4 o_range;

void main() {
    vec4 range = vec4(HUGE, -HUGE, 0.0, 0.0);
    int rows = textureSize(u_critic_values, 0).y;
    for (int row = 0; row < rows; ++row) {
        vec2 value = texelFetch(u_critic_values, ivec2(int(gl_FragCoord.x), row), 0).xy;
        bool good = value.y == 0.0;
        range.x = good ? min(range.x, value.x) : range.x;
        range.y = good ? max(range.y, value.x) : range.y;
        range.zw += good ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
    }
    o_range = range;
}
