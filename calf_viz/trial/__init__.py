"""Shaders compiled and drawn in a child first, since a driver may crash on a text or never end."""

PATIENCE = 10.0
"""Seconds that a driver has to compile a program and to draw some frames with it: for a small
picture in software some hundredths are usual."""
SLOWEST_FRAME, SLOWER = 2.0, 20.0
"""Seconds that a frame of a usual picture may take; or as many times what it takes in the shipped
shaders, where that is more: on a driver that is slow with anything."""
