// Where contours are: lines of round values, whatever the scale. The palette's alpha, which comes with
// the colour, tells how far its entry is from the nearest one, finer the nearer:
//
//        |   1 .. 32 ..  63      beside a contour: below it, on it, above it
//        |  65 .. 96 .. 127      the same beside an index contour
//        | 128 more              lines are dark, as the colour map is pale
//
// calf_viz/value_scale.py writes them (contour_marks).

float contour_away = 1.0;       // levels to the nearest contour
bool contour_index = false;     // whether that is an index contour, for stronger lines
float line_grey = 1.0;          // grey of lines over the surface: they stand out from the colour map
const float CONTOURS_PER_LEVEL = 20.0;      // their usual number from level 0 to 1

void find_contour(float mark, float level) {
    float steps = mark * 255.0;
    line_grey = steps > 127.5 ? 0.35 : 1.0;      // black on paper looks stronger than white on black
    steps -= steps > 127.5 ? 128.0 : 0.0;
    contour_index = steps > 63.5;
    float root = (steps - (contour_index ? 96.0 : 32.0)) * (1.0 / 9.0);
    float at = level * float(PALETTE_COLOURS - 1);
    float entry = floor(at + 0.5);
    contour_away = abs(at - entry + 0.5 * root * abs(root)) * (1.0 / float(PALETTE_COLOURS - 1));
}
