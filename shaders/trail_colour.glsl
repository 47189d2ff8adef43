// Colour of a trail. (Hook.)
// in  colour  of the mode, or of the agent in training; the mean of modes that alternate within pixels
//     mode    the rule of the step under this fragment, or of most, where they alternate, by its number
//             in the source's view: 0 certified, 1 relax, 2 nominal of CALF; 7: all others of more than 8
//     age     0 at the agent, 1 at the trail's end, and once its episode is over soon everywhere
//     edge    0 in the trail's middle, 1 at its half width
// returns colour and opacity
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    return vec4(colour, 1.0 - age * age);
}
