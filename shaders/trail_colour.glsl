// Colour of a trail. (Hook.)
// in  mode  0 certified, 1 relax, 2 nominal: the rule that chose the step under this fragment
//     age   0 at the agent, 1 at the trail's end
// returns colour and opacity
vec4 trail_colour(int mode, float age) {
    float opacity = 1.0 - age * age;
    return vec4(u_mode_colours[mode].rgb, opacity * u_mode_colours[mode].a);
}
