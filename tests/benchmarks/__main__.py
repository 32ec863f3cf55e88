"""Runs every benchmark, one after the other."""

from __future__ import annotations

from tests.benchmarks import memory, press, start

if __name__ == "__main__":
    for benchmark in (start, memory, press):
        benchmark.main()
        print(flush=True)
