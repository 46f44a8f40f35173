"""Commands that are timed as whole processes, in turns, and rows of tables."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

KANNA = [str(Path(sys.executable).with_name("kanna"))]


@dataclass
class Sample:
    """What one command took: wall seconds, peak memory in MB, bytes read from the disk."""

    wall: float
    memory: float
    disk: int


@dataclass
class Job:
    """A command with its name; `before` runs first, untimed."""

    name: str
    command: Sequence[str]
    before: Callable[[], None] = lambda: None
    samples: list[Sample] = field(default_factory=list)

    def run(self) -> None:
        self.before()
        start = time.perf_counter()
        with subprocess.Popen(self.command, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.name} ended with {process.returncode}")
        wall = time.perf_counter() - start
        self.samples.append(Sample(wall, usage.ru_maxrss / 1024, usage.ru_inblock * 512))

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def memory(self) -> float:
        return max(sample.memory for sample in self.samples)

    @property
    def disk(self) -> float:
        return statistics.median(sample.disk for sample in self.samples)


def interleave(jobs: Sequence[Job], rounds: int, warm: int = 1) -> None:
    """Run all jobs in turns; the first `warm` rounds do not count.

    Every round begins with another job: disks that allow bursts would favour the first.
    """
    for number in range(rounds + warm):
        first = number % len(jobs)
        for job in (*jobs[first:], *jobs[:first]):
            job.run()
            if number < warm:
                job.samples.clear()


def evict(path: Path) -> None:
    """Push a file out of the page cache."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
