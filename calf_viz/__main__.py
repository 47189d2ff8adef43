"""`python -m calf_viz` is `calf-viz`."""

import sys

import calf_viz

if __name__ == "__main__":
    # A folder of that name comes first in the path, such as a checkout seen from its parent: then
    # Python finds a namespace package instead of this one.
    if calf_viz.__file__ is None:
        folder = next(iter(calf_viz.__path__))
        print(
            f"calf-viz: the folder {folder} hides the package: use the command calf-viz, "
            "or run this elsewhere",
            file=sys.stderr,
        )
        sys.exit(2)
    from calf_viz.children import leave_current_folder

    leave_current_folder()
    from calf_viz.cli.main import main

    main()
