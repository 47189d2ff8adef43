"""Shaders compiled and drawn in a child first, since a driver may crash on a text or never end."""

PATIENCE = 10.0
"""Seconds that a driver has to compile a program and to draw some frames with it: for a small
picture in software some hundredths are usual."""
SLOWEST_FRAME = 2.0
"""Seconds that a frame of a usual picture may take: some hundred times what it does."""
