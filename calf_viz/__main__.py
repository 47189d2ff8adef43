"""`python -m calf_viz` is `calf-viz`."""

import sys

import calf_viz

if __name__ == "__main__":
    # A folder of that name where Python looks first, such as a checkout seen from its parent: then
    # modules of the package are found, but not the package.
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
