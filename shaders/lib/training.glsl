// The agent in training: above all others, with a larger marker in a colour of its own, whatever the
// rule; in its trail only the certified steps (those of the first mode) have that colour, the others
// show their rule, in the palette that field.frag uses for it.

const float TRAINING_MARKER = 1.35;   // size of its marker

// 1 for that agent, else 0.
int trainee(int agent) { return agent == u_training_agent ? 1 : 0; }

// Entry of the palette's second row that a marker has.
int marker_colour(int mode, int agent) { return agent == u_training_agent ? TRAINEE_COLOURS : mode; }

float marker_radius(int agent) {
    return u_marker_radius * (agent == u_training_agent ? TRAINING_MARKER : 1.0);
}

// The agent whose depth it has: later agents are nearer.
int depth_agent(int agent) { return agent == u_training_agent ? u_agents : agent; }
