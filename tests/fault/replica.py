"""One replica as a process of its own, with leases of seconds: `python -m tests.fault.replica`."""

from __future__ import annotations

import os

from bot.__main__ import _stop_on_signals
from bot.app import App, Rhythm
from bot.config import load_config
from bot.operations.logs import set_up_logging
from bot.operations.runtime import run_to_end

QUICK = Rhythm(tick=1.0, renew=0.5, inbox=2.0, sender=5.0, sending=3.0)


async def main() -> None:
    config = load_config(os.environ, env_file=None)
    set_up_logging(config.log_level, config.log_format, config.secrets)
    app = App(config, per_chat=0, rhythm=QUICK)
    _stop_on_signals(app.ask_to_stop)
    async with app.running():
        await app.run()


if __name__ == "__main__":
    run_to_end(main())
