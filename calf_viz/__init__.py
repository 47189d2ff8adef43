"""calf_viz: agents driven by a CALF policy, drawn on the surface of their own critic."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calf_viz.app import CALFApplication
    from calf_viz.app_config import AppConfig
    from calf_viz.config import VisualizationConfig

__version__ = "0.1.0"
__all__ = ["AppConfig", "CALFApplication", "VisualizationConfig"]


def __getattr__(name: str) -> Any:
    # On first use, so that a part of the package can be had without torch and Panda3D.
    if name == "CALFApplication":
        from calf_viz.app import CALFApplication

        return CALFApplication
    if name == "AppConfig":
        from calf_viz.app_config import AppConfig

        return AppConfig
    if name == "VisualizationConfig":
        from calf_viz.config import VisualizationConfig

        return VisualizationConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
