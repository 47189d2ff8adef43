"""Checks a recording anew, with arithmetic of its own: nothing of the trainer's or the agent's."""
