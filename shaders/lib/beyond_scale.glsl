// How many levels the value at the last point whose height was asked for is above 1, or below 0, where
// the surface is flat: interpolated with the rest, it is positive or negative exactly where the colour of
// what is beyond the scale is to be seen. A height.glsl of your own may set it, or leave it alone.
float beyond_scale = 0.0;
