"""Our bot as `python -m bot run` starts it, without rests between the phrases it compiles: at work sooner."""

from __future__ import annotations

import sys

from bot import app
from bot.__main__ import main

if __name__ == "__main__":
    app.PREPARE_REST = 0.0
    sys.exit(main(["run"]))
