"""Only the list of packages, which pyproject.toml cannot express; all else is there.

Setuptools either finds packages or is given them by name. The shaders live in the top-level
folder `shaders/`, for tools and people to find, and install as `calf_viz.shaders`, which no
search would call so. And `attach/` holds calf_attach, which is also a package by itself.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["calf_viz", "calf_viz.*"]), "calf_viz.shaders", "calf_attach"]
)
