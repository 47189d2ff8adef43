"""The shader workbench: makes, lists and checks overlays, and rebuilds them at run time."""
