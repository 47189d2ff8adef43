// Numbers of agents in place of colours, for the mouse: PICKING in lib/variants.glsl.

const float PICKED_FROM = 0.15;     // opacity of a trail or a marker from which it is picked

// A number's four bytes, the lowest first, as a colour of eight bits each.
vec4 number_colour(int number) {
    return vec4(number & 255, (number >> 8) & 255, (number >> 16) & 255, (number >> 24) & 255)
         * (1.0 / 255.0);
}
