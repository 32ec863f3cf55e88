"""Runs every benchmark, one after the other."""

from __future__ import annotations

from tests.benchmarks import inbound, limits, memory, outbound, reading, scheduling, start

if __name__ == "__main__":
    for benchmark in (start, memory, reading, scheduling, outbound, limits, inbound):
        benchmark.main()
        print(flush=True)
