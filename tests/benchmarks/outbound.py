"""Messages a second and processor time for each: our messenger, the library's default, aiogram."""

from __future__ import annotations

import statistics

from tests.benchmarks.runners import Peer, has_aiogram, rows, script

ROUNDS = 3
SECONDS_MS = (0, 50)  # what the server takes for each
IN_FLIGHT = (64, 256)
COUNTS = {"ours": 4000, "ptb": 600, "aiogram": 4000}


def main() -> None:
    kinds = ["ours", "ptb", *(["aiogram"] if has_aiogram() else [])]
    found: dict[tuple[int, int, str], list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for slow in SECONDS_MS:
            for flight in IN_FLIGHT:
                for kind in kinds:
                    with Peer() as peer:
                        peer.ask(f"slow?ms={slow}")
                        got = script(
                            "tests.benchmarks.senders",
                            kind,
                            peer.url,
                            COUNTS[kind],
                            flight,
                            other=kind == "aiogram",
                        )
                    found.setdefault((slow, flight, kind), []).append(got)
    lines = []
    for (slow, flight, kind), rounds in found.items():
        rate, cpu = (statistics.median(each[name] for each in rounds) for name in ("rate", "cpu_ms"))
        ours = statistics.median(each["rate"] for each in found[slow, flight, "ours"])
        lost = sum(each["lost"] for each in rounds)
        lines.append((f"{slow} ms", flight, kind, f"{rate:.0f}", f"{cpu:.2f}", lost, f"{ours / rate:.2f}"))
    rows(
        f"Outbound (median of {ROUNDS} rounds)",
        ("server", "in flight", "client", "messages/s", "CPU ms each", "lost", "ours / this"),
        lines,
    )


if __name__ == "__main__":
    main()
