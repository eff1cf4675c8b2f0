"""Run the benchmarks: ``python -m benchmarks [--size PIXELS] [--plots-per-side N] [--rounds N]``."""

from benchmarks.observe_side_by_side import main

main()
