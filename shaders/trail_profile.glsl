// Coverage of a trail from its middle to its edge. (Hook.)
// in  across      pixels from the trail's middle
//     half_width  what trail_width.glsl gave here, in pixels
//     age         as in trail_colour.glsl
// returns 0 to 1; 0 beyond half_width + 0.5
float trail_profile(float across, float half_width, float age) {
    return clamp(0.5 + half_width - abs(across), 0.0, 1.0);
}
