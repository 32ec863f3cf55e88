"""Runs every benchmark, one after the other."""

from __future__ import annotations

from tests.benchmarks import inbound, limits, memory, outbound, scheduling, start

if __name__ == "__main__":
    for benchmark in (start, memory, scheduling, outbound, limits, inbound):
        benchmark.main()
        print(flush=True)
