"""calf_viz: agents driven by a CALF policy, drawn on the surface of their own critic."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from calf_viz.version import __version__

if TYPE_CHECKING:
    from calf_viz.comparison.compare import compare
    from calf_viz.errors import UserError
    from calf_viz.heightfield import Heightfield
    from calf_viz.profiling.compare_files import compare_results
    from calf_viz.profiling.profiler import PerformanceProfiler
    from calf_viz.samples import Samples
    from calf_viz.sources.fork import fork
    from calf_viz.view import View
    from calf_viz.viewer.app import CALFApplication
    from calf_viz.viewer.app_config import AppConfig
    from calf_viz.viewer.config import VisualizationConfig
    from calf_viz.viewer.rendering import render

__all__ = [
    "AppConfig",
    "CALFApplication",
    "Heightfield",
    "PerformanceProfiler",
    "Samples",
    "UserError",
    "View",
    "VisualizationConfig",
    "__version__",
    "compare",
    "compare_results",
    "fork",
    "render",
]

_WHERE = {
    "AppConfig": "calf_viz.viewer.app_config",
    "CALFApplication": "calf_viz.viewer.app",
    "Heightfield": "calf_viz.heightfield",
    "PerformanceProfiler": "calf_viz.profiling.profiler",
    "Samples": "calf_viz.samples",
    "UserError": "calf_viz.errors",
    "View": "calf_viz.view",
    "VisualizationConfig": "calf_viz.viewer.config",
    "compare": "calf_viz.comparison.compare",
    "compare_results": "calf_viz.profiling.compare_files",
    "fork": "calf_viz.sources.fork",
    "render": "calf_viz.viewer.rendering",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that parts of the package can be used without torch and Panda3D.
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
