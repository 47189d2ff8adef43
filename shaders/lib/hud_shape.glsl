// Rectangles and lines of the HUD, in the order of u_hud_shapes. Both are the same: a segment from
// one point to another, with a width.
//
//            |<---- length ---->|
//         .--+------------------+--.     texel 0   from.xy, to.xy [px]
//   from  |  *==================*  | to  texel 1   width, radius of the corners, border [px], 0
//         '--+------------------+--'     texel 2   colour, opacity; the border's colour, opacity
//       ends are square: no caps
//                                        or, filled by the colour map instead, without a border:
//                                        texel 1   width, levels at `from` and at `to` (0 to 1), 1
//                                        texel 2   row of u_palette, opacity
//                                        or, of a series (a row of u_hud_series; see there):
//                                        texel 0   the plot: left, foot, right, head [px]
//                                        texel 1   width, row, number of the sample, 2
//                                        texel 2   colour, opacity: the curve to the next sample
//                                        texel 1   height, row, number of the sample, 3
//                                                  a band, coloured by the sample

const float MARGIN = 1.0;       // beyond the edge, for its soft pixel

vec3 mapped_colour(float level, int row) {
    int entry = int(clamp(level, 0.0, 1.0) * float(PALETTE_COLOURS - 1) + 0.5);
    return texelFetch(u_palette, ivec2(entry, row), 0).rgb;
}

// The number-th oldest sample of a series; x its place in the plot, from 0 to 1; w in 0xRRGGBB.
const int SERIES_HEAD = 2;

vec4 series_sample(int row, int number) {
    vec4 head = texelFetch(u_hud_series, ivec2(0, row), 0);
    float span = texelFetch(u_hud_series, ivec2(1, row), 0).x;
    int slots = textureSize(u_hud_series, 0).x - SERIES_HEAD;
    int slot = (int(head.y) - int(head.x) + number + slots) % slots;
    vec4 texel = texelFetch(u_hud_series, ivec2(SERIES_HEAD + slot, row), 0);
    float level = clamp((texel.x - head.z) / max(head.w - head.z, 1e-12), 0.0, 1.0);
    return vec4(float(number) / max(span - 1.0, 1.0), level, float(number) < head.x, texel.y);
}

// A shape of a series as a segment; without width if it has no such samples.
void resolve_series(inout vec4 segment, inout vec4 form, inout vec4 paint) {
    vec4 plot = segment;
    vec4 sample_a = series_sample(int(form.y), int(form.z));
    vec4 sample_b = series_sample(int(form.y), int(form.z) + 1);
    bool is_band = form.w > 2.5;
    sample_a.y = is_band ? 0.5 : sample_a.y;
    sample_b.y = is_band ? 0.5 : sample_b.y;
    segment = vec4(mix(plot.xy, plot.zw, sample_a.xy), mix(plot.xy, plot.zw, sample_b.xy));
    paint.x = is_band ? sample_a.w : paint.x;
    bool there = sample_b.z > 0.5 && sample_b.x <= 1.0;
    paint.y = there ? paint.y : 0.0;
    segment.zw = there ? segment.zw : segment.xy;
    form = vec4(there ? form.x : 0.0, 0.0, 0.0, 0.0);
}

void draw_shape(int item) {
    int texel = 3 * item;
    vec4 segment = hud_texel(u_hud_shapes, texel);
    vec4 form = hud_texel(u_hud_shapes, texel + 1);
    vec4 paint = hud_texel(u_hud_shapes, texel + 2);
    if (form.w > 1.5) resolve_series(segment, form, paint);
    bool mapped = form.w > 0.0;
    vec2 way = segment.zw - segment.xy;
    float reach = length(way);
    vec2 along = reach > 0.0 ? way / reach : vec2(1.0, 0.0);
    vec2 half_size = 0.5 * vec2(reach, form.x);
    v_point = (2.0 * hud_corner() - 1.0) * (half_size + MARGIN);
    v_box = vec4(half_size, mapped ? vec2(0.0) : form.yz);
    v_box.z = min(v_box.z, min(half_size.x, half_size.y));

    // Mapped here, not in each pixel, which would cost software renderers time in every shape.
    float part = 0.5 + 0.5 * v_point.x / max(half_size.x, 0.5);
    int row = mapped ? int(paint.x) : 0;
    vec3 map_colour = mix(mapped_colour(form.y, row), mapped_colour(form.z, row), part);
    v_fill = vec4(mapped ? map_colour : hud_colour(paint.x), paint.y);
    v_border = vec4(hud_colour(paint.z), paint.w);

    vec2 middle = 0.5 * (segment.xy + segment.zw);
    gl_Position = hud_position(middle + along * v_point.x + vec2(-along.y, along.x) * v_point.y);
}
