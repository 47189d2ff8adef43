// Height of the surface above a point. (Hook: replace it to bend the world; surface,
// trails and markers all use it, so they stay together.)
//
//   (0,1) *-----* (1,1)    Linear on the two triangles drawn, never filtered by
//         |\  B |          hardware: GPUs weight with 8 bits. calf_viz/heightfield.py is the
//         | \   |          same arithmetic in float64.
//         |  \  |
//         | A \ |          A: r.x + r.y <= 1
//   (0,0) *-----* (1,0)
//
// in   point     in the scene, where the plane is 10 wide; plane_of(point) has the axes' units
// out  gradient  d height / d point, of the triangle under the point
//      bad       > 0 where the critic's value is not finite
// returns the level, the scaled value: 0 lowest, 1 highest on the plane; beyond_scale: how many levels
// the value is beyond them, for its colour

#include "lib/beyond_scale.glsl"

// One node: level, whether it is bad, how far its value is beyond the scale. Last and current critic
// are in one texel, so that a morph costs no second fetch. A node whose value was replaced is stored as
// REPLACED - level.
const float REPLACED = -128.0;

vec3 height_node(ivec2 node) {
    vec2 pair = texelFetch(u_heightfield, node, 0).rg;
    vec2 open = max(pair, REPLACED - pair), levels = clamp(open, 0.0, 1.0);
    vec2 shown = mix(vec2(levels.x, open.x), vec2(levels.y, open.y), u_morph);
    return vec3(shown.x, pair.y < 0.5 * REPLACED ? 1.0 : 0.0, shown.y - shown.x);
}

float height(vec2 point, out vec2 gradient, out float bad) {
    vec2 size = u_corners.zw - u_corners.xy;
    vec2 grid = clamp((point - u_corners.xy) / size, 0.0, 1.0) * vec2(u_cells);
    vec2 cell = min(floor(grid), vec2(u_cells - 1));
    vec2 r = grid - cell;
    ivec2 node = ivec2(cell);
    bool lower = r.x + r.y <= 1.0;
    vec3 corner = height_node(lower ? node : node + 1);
    vec3 right = height_node(node + ivec2(1, 0));
    vec3 above = height_node(node + ivec2(0, 1));
    vec2 slope = lower ? vec2(right.x, above.x) - corner.x
                       : corner.x - vec2(above.x, right.x);
    vec2 offset = lower ? r : r - 1.0;
    gradient = slope * vec2(u_cells) / size;
    // Weights, as in heightfield.py, of the corner's two neighbours (right, above).
    vec2 weight = lower ? r : 1.0 - r.yx;
    beyond_scale = dot(vec3(1.0 - weight.x - weight.y, weight), vec3(corner.z, right.z, above.z));
    bad = max(corner.y * (1.0 - weight.x - weight.y), max(right.y * weight.x, above.y * weight.y));
    return corner.x + dot(slope, offset);
}
