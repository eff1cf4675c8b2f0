"""Run the benchmarks: ``python -m benchmarks --help`` lists the options."""

from benchmarks import assess, backtest, lookup
from benchmarks.inference import compare_usual
from benchmarks.observe_side_by_side import main

main()
compare_usual()
assess.compare_usual()
backtest.measure_usual()
lookup.compare_lookup()
