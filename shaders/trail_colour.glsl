// Colour of a trail. (Hook.)
// in  colour  of the mode, or of the agent in training; where rules alternate faster than pixels can
//             show, the mean of their colours, each by its share
//     mode    the rule that chose the step under this fragment, or most steps around it, by its number
//             in the source's view: 0 certified, 1 relax, 2 nominal of CALF; 7 stands for all others of
//             more than 8
//     age     0 at the agent, 1 at the trail's end, and once its episode is over soon everywhere
//     edge    0 in the trail's middle, 1 at its half width
// returns colour and opacity
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    return vec4(colour, 1.0 - age * age);
}
