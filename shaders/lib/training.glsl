// The agent in training: above all others, with a larger marker in a colour of its own, whatever
// the rule; of its trail only the certified steps have that colour, the others tell their rule.

const float TRAINING_MARKER = 1.35;   // size of its marker

// Modes, 2 bits each, as a trail draws them: certified steps of the agent in training have the
// palette's fourth colour. (What is not drawn needs no colour, so 3 is free here.)
int trail_modes(int modes, int agent) {
    int certified = ~(modes | modes >> 1) & 0x15555555;
    return agent == u_training_agent ? modes | certified * 3 : modes;
}

// And as its marker does.
int marker_mode(int mode, int agent) { return agent == u_training_agent ? 3 : mode; }

float marker_radius(int agent) {
    return u_marker_radius * (agent == u_training_agent ? TRAINING_MARKER : 1.0);
}

// Which agent's depth it takes: later agents lie nearer.
int depth_agent(int agent) { return agent == u_training_agent ? u_agents : agent; }
