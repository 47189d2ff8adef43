#version 330
// A picture from one drawn u_samples times as wide and high: the mean of each pixel's samples, as
// displayed, not in linear light. Lines and trails blend in the same way, so that they stay as strong
// as in a picture of one sample per pixel; only edges change.
uniform sampler2D u_fine;
uniform int u_samples;
layout(location = 0) out vec4 o_colour;

void main() {
    ivec2 first = ivec2(gl_FragCoord.xy) * u_samples;
    vec3 sum = vec3(0.0);
    for (int y = 0; y < u_samples; y++) {
        for (int x = 0; x < u_samples; x++) {
            sum += texelFetch(u_fine, first + ivec2(x, y), 0).rgb;
        }
    }
    o_colour = vec4(sum / float(u_samples * u_samples), 1.0);
}
