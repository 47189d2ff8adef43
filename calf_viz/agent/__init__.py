"""The CALF agent: networks, certificate, checkpoints, evaluation (docs/calf.md).

`CALFAgent` is imported on first use, so that `calf_viz.agent.modes` does not import torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.agent.certificate import CertificateMemory

__all__ = ["CALFAgent", "CertificateMemory"]


def __getattr__(name: str) -> Any:
    if name == "CALFAgent":
        from calf_viz.agent.calf import CALFAgent

        return CALFAgent
    if name == "CertificateMemory":
        from calf_viz.agent.certificate import CertificateMemory

        return CertificateMemory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
