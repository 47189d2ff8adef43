// The agent in training: above all others, with a larger marker in a colour of its own, whatever the
// rule; in its trail only the certified steps (those of the first mode) have that colour, the others
// show their rule, in the palette that field.frag uses for it.

const float TRAINING_MARKER = 1.35;   // size of its marker

// Which of the palette's colours of modes an agent's trail has: 1 that agent's, 3 that of the one with
// a ring, else 0.
int trail_colours(int agent) { return agent == u_training_agent ? 1 : agent == u_highlighted ? 3 : 0; }

// Entry of the palette's second row that a marker has.
int marker_colour(int mode, int agent) { return agent == u_training_agent ? TRAINEE_COLOURS : mode; }

float marker_radius(int agent) {
    return u_marker_radius * (agent == u_training_agent ? TRAINING_MARKER : 1.0);
}

// The agent whose depth it has: later agents are nearer.
int depth_agent(int agent) {
    return agent == u_training_agent || agent == u_highlighted ? u_agents : agent;
}

// Factor on the width of a trail: that of the agent with a ring is wider.
float trail_factor(int agent) { return agent == u_highlighted ? 1.7 : 1.0; }
