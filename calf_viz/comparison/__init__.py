"""Compares two agents: what came of the same episodes, and how their critics differ."""
