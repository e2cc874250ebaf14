"""What all benchmarks share: how a line is measured and printed."""

import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timed:
    """Medians of what ran interleaved, in milliseconds."""

    ours: float
    peer: float

    @property
    def ratio(self) -> float:
        """How many times as long as the peer ours takes."""
        return self.ours / self.peer


def interleaved(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> Timed:
    """Run both by turns, once to warm up, and take medians: a busy machine is busy for both."""
    first, second = medians([ours, peer], rounds=rounds, clock=clock)
    return Timed(first, second)


def medians(
    tasks: Sequence[Callable[[], object]],
    *,
    rounds: int = 5,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The median of each task, run by turns; `clock` tells seconds (of processor time: `time.process_time`)."""
    if warm:
        for task in tasks:
            task()
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for found, task in zip(times, tasks, strict=True):
            gc.collect()  # what one leaves behind is not the other's work
            began = clock()
            task()
            found.append((clock() - began) * 1000)
    return [statistics.median(each) for each in times]


def middle(figures: Sequence[float]) -> float:
    """The median."""
    return statistics.median(figures)


def line(
    what: str,
    ours: float,
    peer: float,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    unit: str = "ms",
) -> None:
    """Print one line: what, figure, floor or peer, ratio, target; a slow machine fails nothing."""
    if at_least is not None:
        ratio, target, met = peer / ours, f">= {at_least:g}x faster", peer / ours >= at_least
    else:
        ratio = ours / peer
        target, met = (f"<= {at_most:g}x", ratio <= at_most) if at_most is not None else ("-", True)
    verdict = "ok" if met else "OVER TARGET"
    figures = f"{ours:>9.1f} {unit:<3} peer {peer:>9.1f} {unit:<3} ratio {ratio:>6.2f}"
    say(f"{what:<58} {figures}  target {target:<13} {verdict}")


def say(words: str) -> None:
    """Print a line, past what pytest keeps."""
    sys.stdout.write(f"\n{words}")


def took(task: Callable[[], object]) -> float:
    """Milliseconds of one run."""
    began = time.perf_counter()
    task()
    return (time.perf_counter() - began) * 1000


def megabytes(task: Callable[[], object]) -> float:
    """The most memory that Python objects take at once while a task runs."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()
