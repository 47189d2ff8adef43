"""`python -m calf_viz` is `calf-viz`."""

from calf_viz.cli import main

if __name__ == "__main__":
    main()
