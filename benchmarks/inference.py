"""A million plots through a released network beside the machine's own matrix product: same run, one thread.

The floor is the time that as many multiplications and additions as the network's layers hold would take at the speed
of one large single-precision matrix product. Floor and network take turns; CPU seconds of the process, median of the
rounds. The whole way from season curves to rows of estimates (inputs, network, calibration, abstention, evidence
hashes) is measured beside it, and the peak memory at a tenth of the plots and at all: it must not grow.
"""

from __future__ import annotations

import argparse
import resource
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr

from agrocredit.yields import PlotFacts, SeasonInputs, network_quantiles, predict
from agrocredit.yields.inputs import CONTEXT_INPUTS, STEP_INPUTS, STEPS
from pipelines.releases import named_release

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.yields import Release, YieldNetwork

CHUNK_PLOTS = 16_384
PRODUCT_SIDE = 2_048
RELEASE = "winter-wheat-simulated-1"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plots", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--release", default=RELEASE)
    wanted = parser.parse_args()
    compare(named_release(wanted.release), plots=wanted.plots, rounds=wanted.rounds)


def compare_usual() -> None:
    """Print the table of the usual release at its usual size."""
    compare(named_release(RELEASE), plots=1_000_000, rounds=3)


def compare(release: Release, *, plots: int, rounds: int) -> None:
    """Print CPU seconds, their ratio to the floor, and how memory grows.

    Parameters
    ----------
    release : Release
    plots : int
    rounds : int
        The network and the floor are measured in turns so many times.
    """
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((CHUNK_PLOTS, STEPS, len(STEP_INPUTS)), dtype=np.float32)
    context = rng.standard_normal((CHUNK_PLOTS, len(CONTEXT_INPUTS)), dtype=np.float32)
    inputs = SeasonInputs(steps=steps, context=context)
    operations = 2 * multiplications(release.network)
    chunks = -(-plots // CHUNK_PLOTS)
    small = max(1, chunks // 10)
    floors, networks = [], []
    for _ in range(rounds):
        floors.append(plots * operations / product_speed())
        networks.append(cpu_seconds(lambda: network_quantiles(release.network, inputs), times=small) / small * chunks)
    season, facts = _season(release), _facts()
    whole = [
        cpu_seconds(lambda: predict(season, release=release, plots=facts, harvest_year=2022)) * chunks
        for _ in range(rounds)
    ]
    tenth_mb = peak_mb()
    cpu_seconds(lambda: network_quantiles(release.network, inputs), times=chunks - small)
    floor = median(floors)
    print(f"\n{f'{plots} plots x {STEPS} steps, one thread':<52}{'CPU s':>9}{'range':>18}{'ratio':>8}")
    print(f"{f'{operations / 1e6:.2f} million operations a plot, as one product':<52}{_cells(floors, floor)}")
    print(f"{'network':<52}{_cells(networks, floor)}")
    print(f"{'season curves to rows of estimates':<52}{_cells(whole, floor)}")
    print(f"peak memory {tenth_mb:.0f} MB at a tenth of the plots, {peak_mb():.0f} MB at all")


def multiplications(network: YieldNetwork) -> int:
    """Return the multiplications that one plot needs, counted while it goes through the layers."""
    counted = [0]

    def count(layer: Any, _given: object, made: torch.Tensor) -> None:  # noqa: ANN401 - any layer with weights
        counted[0] += made.numel() * layer.weight[0].numel()

    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv1d | torch.nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        network(torch.zeros(1, STEPS, len(STEP_INPUTS)), torch.zeros(1, len(CONTEXT_INPUTS)))
    for hook in hooks:
        hook.remove()
    return counted[0]


def product_speed() -> float:
    """Return how many operations a second one large product makes, the best of five."""
    one, other = torch.randn(2, PRODUCT_SIDE, PRODUCT_SIDE)
    return 2 * PRODUCT_SIDE**3 / min(cpu_seconds(lambda: one @ other) for _ in range(5))


def cpu_seconds(run: Callable[[], object], *, times: int = 1) -> float:
    """Return the CPU seconds of all threads that so many runs take."""
    started = time.process_time()
    for _ in range(times):
        run()
    return time.process_time() - started


def peak_mb() -> float:
    """Return the highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cells(seconds: list[float], floor: float) -> str:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    return f"{median(seconds):>9.2f}{spread:>18}{median(seconds) / floor:>8.2f}"


def _season(release: Release) -> xr.Dataset:
    """Return a chunk of seasons as the features room assembles them: bells of greenness, all answered."""
    rng = np.random.default_rng(1)
    step = (np.arange(STEPS) + 0.5) / STEPS
    place, height = rng.normal(0.65, 0.03, (CHUNK_PLOTS, 1)), rng.uniform(0.4, 0.6, (CHUNK_PLOTS, 1))
    ndvi = 0.15 + height * np.exp(-(((step - place) / 0.18) ** 2))
    names = list(release.facts.indices)
    curve = np.stack([ndvi * (1 - 0.1 * channel) for channel in range(len(names))], axis=2).astype(np.float32)
    return xr.Dataset(
        {
            "curve": (("plot", "step", "channel"), curve),
            "gap_days": (("plot", "step"), rng.uniform(0, 20, (CHUNK_PLOTS, STEPS)).astype(np.float32)),
            "seen": (("plot", "step"), np.ones((CHUNK_PLOTS, STEPS), dtype=np.float32)),
            "observations": ("plot", np.full(CHUNK_PLOTS, 40)),
            "clear_observations": ("plot", np.full(CHUNK_PLOTS, 20)),
        },
        coords={"plot": [f"p{k:05d}" for k in range(CHUNK_PLOTS)], "channel": names},
        attrs={"axis": "calendar", "start_on": "2021-09-01", "end_on": "2022-08-31", "as_of": "2022-08-01"},
    )


def _facts() -> PlotFacts:
    return PlotFacts(
        area_m2=np.full(CHUNK_PLOTS, 6_000.0),
        latitude_deg=np.full(CHUNK_PLOTS, 40.0),
        outlooks=[None] * CHUNK_PLOTS,
        evidence=["0" * 64] * CHUNK_PLOTS,
    )


if __name__ == "__main__":
    main()
