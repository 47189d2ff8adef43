"""The scene under moderngl, offscreen: for tests of numbers and pixels."""
