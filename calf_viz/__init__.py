"""calf_viz: agents driven by a CALF policy, drawn on the surface of their own critic."""

__version__ = "0.1.0"
