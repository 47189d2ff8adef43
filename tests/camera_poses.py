"""A file of two poses of a camera: from above, then near."""

POSES = """
[[pose]]
at = 0
camera = "top"
[[pose]]
at = 0.1
camera = "-60,30,8,0.5,0.5"
"""
