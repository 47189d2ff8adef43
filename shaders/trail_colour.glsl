// Colour of a trail. (Hook.)
// in  colour  of the mode
//     mode    0 certified, 1 relax, 2 nominal: the rule that chose the step under this fragment;
//             3 certified, of the agent in training
//     age     0 at the agent, 1 at the trail's end
//     edge    0 in the trail's middle, 1 at its half width
// returns colour and opacity
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    return vec4(colour, 1.0 - age * age);
}
