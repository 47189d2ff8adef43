"""A child of trials whose driver obeys words in a fragment shader's comments, to imitate drivers
that fail in other ways than the one at hand.

    python pretend_driver.py LOG DESIGN

Each start and each program tried is a line of LOG.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any


def answer(text: str) -> dict[str, Any]:
    if "ABORT" in text or ("BOTH trail_colour" in text and "BOTH trail_lift" in text):
        os.abort()
    if "KILLED" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "EXIT" in text:
        os._exit(3)
    if "HANG" in text:
        time.sleep(1000)
    if "SLEEP" in text:
        time.sleep(0.3)
    if "GARBAGE" in text:
        print("Mesa: warning", flush=True)
        os._exit(0)
    if "SLOW" in text:
        return {"slow": 77.0}
    if "RAISE" in text:
        return {"error": "no such input"}
    return {}


def complaints(stage: str, text: str) -> str:
    lines = enumerate(text.split("\n"))
    at = (i + 1 for i, line in lines if "BROKEN" in line)
    return "".join(f"{stage}_shader\n0:{line}(5): error: it is broken\n" for line in at)


def main() -> None:
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        print(f"start {sys.argv[2]} {os.getpid()}", file=log, flush=True)
        if os.environ.get("PRETEND_UNFIT"):
            print(json.dumps({"unfit": "no OpenGL here"}), flush=True)
            return
        if os.environ.get("PRETEND_DEAD"):
            os.abort()
        time.sleep(float(os.environ.get("PRETEND_LATE", "0")))
        print(json.dumps({"ready": "pretended"}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            print(f"asked {request['name']}", file=log, flush=True)
            stages = ("vertex", "fragment")
            said = "".join(complaints(stage, request[stage]) for stage in stages)
            told = answer("".join(request[stage] for stage in stages))
            print(json.dumps({"log": said} if said else told), flush=True)


if __name__ == "__main__":
    main()
