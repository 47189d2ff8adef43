"""Compiles and draws shaders in a child process first, as a driver may crash on one or hang."""

PATIENCE = 10.0
"""Seconds that a driver has to compile a program and draw a few frames with it; a small picture in
software usually takes some hundredths."""
SLOWEST_FRAME, SLOWER = 2.0, 20.0
"""Most seconds that a frame of a typical picture may take; or this many times as long as with the
shipped shaders, if that is more, for a driver that is slow in general."""
