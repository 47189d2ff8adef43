// Circles on the surface: the goal's region in its true size, and two rings around the agent that stands
// out, so that it is not taken for a goal. They come after the surface in the strip that draws it, as closed ribbons that fragments take for
// pieces of trails; each twice, first darker and wider, so that it is seen on any colours. The goal's is
// flat, at the height of the goal's centre, as it would be bent in a funnel; slopes up to twice its width
// before it do not hide it. It is there once more, faintly, before everything: a wall does not hide where
// it is.
//
//     goal, goal's copies over the edges of periodic axes | agent that stands out
//
//       side 1   *---*---*---* ...    A spoke is a pair of vertices, out- and inside; the last pair
//                |\  |\  |\  |        is the first again. The first and the last vertex are there
//       side -1  *---*---*---* ...    twice, so that nothing is drawn from one circle to the next.
const int CIRCLE_SPOKES = 64;
const int CIRCLES_OF_GOAL = 3;      // of the agent: a darker outer and inner one, and both again
const int CIRCLE_VERTICES = 2 * (CIRCLE_SPOKES + 1) + 2;
const float CASING = 1.3, THINNEST = 0.8;   // px that it is wider on each side; of half a width
const float BETWEEN = 1.0;           // px from a ring of the agent's to the middle between the two
const float GHOST = 0.35;           // opacity of the goal behind something
const float BEFORE_ALL = 1.0;       // depth that it is nearer then, NDC

struct Circle {
    bool goal;          // else around the agent that stands out
    bool casing;        // the darker one
    bool ghost;         // the faint one before everything
    bool outer;         // of the agent's two
    int copy;           // of the goal: over edges of periodic axes
    vec2 unit;          // on the unit circle
    float side;
};

// index: of the vertex, behind the surface's last
Circle circle_vertex(int index) {
    index = clamp(index, 0, u_circles.y * CIRCLE_VERTICES - 1);
    // By floats, which are exact for so few.
    int number = int((float(index) + 0.5) * (1.0 / float(CIRCLE_VERTICES)));
    int vertex = clamp(index - number * CIRCLE_VERTICES - 1, 0, CIRCLE_VERTICES - 3);
    // Two half circles, by stereographic projection, which takes no sine.
    int spoke = vertex >> 1, half_circle = CIRCLE_SPOKES / 2;
    bool lower = spoke >= half_circle;
    float t = float(spoke - (lower ? half_circle : 0)) * (2.0 / float(half_circle)) - 1.0;
    vec2 unit = vec2(1.0 - t * t, 2.0 * t) / (1.0 + t * t);
    bool goal = number < u_circles.x;
    int copy = int((float(number) + 0.5) * (1.0 / float(CIRCLES_OF_GOAL)));
    int role = number - (goal ? copy * CIRCLES_OF_GOAL : u_circles.x);
    return Circle(goal, role < (goal ? 1 : 2), goal && role == 2, !goal && (role & 1) == 0, copy,
                  lower ? -unit : unit, (vertex & 1) == 0 ? 1.0 : -1.0);
}

// Place of a vertex of the goal's circle, in the scene.
vec2 goal_point(Circle circle) {
    vec2 centre = u_goal.xy;
    if (PERIODIC == 1) {
        int along = u_goal_copy.x != 0.0 ? circle.copy & 1 : 0;
        int across = u_goal_copy.x != 0.0 ? circle.copy >> 1 : circle.copy;
        centre += vec2(along, across) * u_goal_copy;
    }
    return centre + u_goal.zw * circle.unit;
}

vec2 on_plane(vec2 point) { return clamp(point, u_corners.xy, u_corners.zw); }

// Where the surface is as high as the goal's circle.
vec2 goal_centre() { return on_plane(u_goal.xy); }

// Half of its ribbon's width, with its rim; nothing beyond the plane's edges.
float circle_reach(Circle circle, float width, vec2 point) {
    bool beyond = circle.goal && point != goal_point(circle);
    return beyond ? 0.0 : width + EDGE;
}

// Half of its width without the darker one's [px]; width: of a trail. In a crowd, where that is thin, it
// must still be seen.
float circle_line(float width) { return max(0.65 * width, THINNEST * u_line_scale); }

// Half of its width [px].
float circle_width(Circle circle, float line) { return line + (circle.casing ? CASING * u_line_scale : 0.0); }

// Its least radius [px].
float circle_least(Circle circle, float line) {
    float apart = circle.outer ? 2.0 * (line + BETWEEN * u_line_scale) : 0.0;
    return (circle.goal ? u_circle_radii.x : u_circle_radii.y) + apart;
}

// Offset of a spoke's middle from its place, and the way across the ribbon to a vertex [px]. On screen a
// circle is an ellipse; if its shorter semi-axis is below the least radius, both grow by what is missing:
// a goal that is too small is a circle, and one seen from its side is not a line. (Depths are those of
// middles, or the wider ribbon would come before the other on a slope.)
vec2 circle_offset(Circle circle, Tangent t, float least, float reach, out vec2 across) {
    vec2 x = circle.goal ? t.x.xy * u_goal.z : vec2(0.0), y = circle.goal ? t.y.xy * u_goal.w : vec2(0.0);
    vec2 unit = circle.unit;
    // Sum and difference of the semi-axes; the sum's direction is the turn nearest to (x, y).
    vec2 sum = vec2(x.x + y.y, x.y - y.x), difference = vec2(x.x - y.y, x.y + y.x);
    float missing = clamp(least - 0.5 * (length(sum) - length(difference)), 0.0, least);
    vec2 turn = direction(sum, vec2(1.0, 0.0));
    vec2 more = vec2(turn.x * unit.x - turn.y * unit.y, turn.y * unit.x + turn.x * unit.y);
    vec2 away = more;
    more *= missing;
    vec2 along = y * unit.x - x * unit.y + vec2(-more.y, more.x);
    across = direction(vec2(along.y, -along.x), away) * (circle.side * reach);
    return more;
}

// The goal lies above all agents, as these may cover it, and the ring above all: it reaches out, and
// must not sink into a slope.
float circle_bias(Circle circle) {
    return u_depth_bias.x * ((circle.goal ? 4.5 : 10.0) + (circle.casing ? 0.0 : 0.2))
         + (circle.goal ? u_goal_depth : 0.0)
         + (circle.ghost ? BEFORE_ALL : 0.0);
}

float circle_opacity(Circle circle) { return circle.ghost ? GHOST : 1.0; }

// The vertex, from its spoke's middle in clip coordinates.
vec4 circle_expand(vec4 middle, vec2 across) {
    return middle + vec4(across / (0.5 * u_viewport) * middle.w, 0.0, 0.0);
}

// v_id of a circle's vertices: as a trail's, whose colours are those of circles.
ivec4 circle_id(Circle circle) {
    return ivec4(1 | 1 << 2 | 128 << 22 | 1 << 31, circle.casing ? 1 : 0, 0, 0);
}
