#version 330
// The critic's surface at a node: actor and critic evaluated from the weights texture, whose layout
// calf_viz/scene/critic.py draws. Units are kept in fours, so that a layer is 4 x 4 matrices.
#include "lib/critic_contract.glsl"

const int GROUPS = 64;          // fours of units: 256 at most
const int ACTION_GROUPS = 4;
const int HEADER = 2;

layout(location = 0) out vec4 o_value;

vec4 g_units[GROUPS];
vec4 g_next[GROUPS];
vec4 g_actions[ACTION_GROUPS];

vec4 weight(int index) {
    int columns = textureSize(u_critic_weights, 0).x;
    return texelFetch(u_critic_weights, ivec2(index % columns, index / columns), 0);
}

// Without overflow for large arguments, unlike some drivers' own.
vec4 safe_tanh(vec4 x) {
    vec4 e = exp(2.0 * clamp(x, -15.0, 15.0));
    return (e - 1.0) / (e + 1.0);
}

void evaluate_layer(int index) {
    vec4 head = weight(HEADER + index);
    int inputs = (int(head.x) + 3) / 4, outputs = (int(head.y) + 3) / 4;
    int at = int(head.w);
    for (int group = 0; group < outputs; ++group) {
        vec4 sum = weight(at++);
        for (int i = 0; i < inputs; ++i, at += 4) {
            vec4 x = g_units[i];
            sum += mat4(weight(at), weight(at + 1), weight(at + 2), weight(at + 3)) * x;
        }
        g_next[group] = head.z == 0.0 ? sum : head.z == 1.0 ? max(sum, 0.0) : safe_tanh(sum);
    }
    for (int group = 0; group < outputs; ++group) g_units[group] = g_next[group];
}

void append(inout int count, float value) {
    if (count % 4 == 0) g_units[count / 4] = vec4(0.0);
    g_units[count / 4][count % 4] = value;
    ++count;
}

// The networks' input for a state, and its length: an angle becomes cosine and sine.
int encode(vec2 point) {
    int states = int(weight(0).z), at = int(weight(1).x);
    int count = 0;
    for (int i = 0; i < states; ++i) {
        vec4 state = weight(at + i);
        float value = state.x == 0.0 ? point.x : state.x == 1.0 ? point.y : state.y;
        if (state.z != 0.0) {
            append(count, cos(value));
            append(count, sin(value));
        } else {
            append(count, value);
        }
    }
    return count;
}

void main() {
    vec2 node = floor(gl_FragCoord.xy);
    vec2 point = u_critic_plane.xy
               + (u_critic_plane.zw - u_critic_plane.xy) * (node / vec2(u_critic_cells));
    ivec2 layers = ivec2(weight(0).xy);
    int actions = int(weight(0).w);

    encode(point);
    for (int i = 0; i < layers.x; ++i) evaluate_layer(i);
    for (int i = 0; i < (actions + 3) / 4; ++i) {
        g_actions[i] = g_units[i] * weight(HEADER + layers.x + layers.y + i);
    }
    int count = encode(point);
    for (int i = 0; i < actions; ++i) append(count, g_actions[i / 4][i % 4]);
    for (int i = 0; i < layers.y; ++i) evaluate_layer(layers.x + i);

    float value = -g_units[0].x;
    // By its bits: compilers may assume that there are no NaNs.
    bool bad = (floatBitsToInt(value) & 0x7f800000) == 0x7f800000;
    o_value = vec4(bad ? 0.0 : value, bad, 0.0, 1.0);
}
