"""Which rule chose a step's action."""

CERTIFIED = 0
"""The actor's action, certified by the critic (`td3` in older code)."""
RELAX = 1
"""The actor's uncertified action, let through with probability P_relax."""
NOMINAL = 2
"""The nominal policy's action (`fallback` in older code)."""

NAMES = ("certified", "relax", "nominal")
"""The name of each mode, by its number."""
