"""The shader workbench: overlays made, listed, checked, and rebuilt while the program runs."""
