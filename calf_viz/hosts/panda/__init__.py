"""The scene under Panda3D, in a window or without one."""
