# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""How fast the instances of a dead host are moved, beside a bare script.

    python -m benchmarks.evacuation [--pairs N] [--large]

A real Nova with eight hypervisors and nova_ha as it comes, on this machine;
everything is started, and stopped at the end. A host is lost with all
instances on it, and they are moved by turns by our engine and by a script
that forces the host down and then evacuates in a pool of threads. Times go
from the force-down to the last instance done. Each ratio is ours over the
script's, the median of several pairs. The last line is one line of JSON:

``ratio_30``
    30 instances; the script has 8 threads.
``ratio_30_slow``
    30 instances whose guests take 3 s to start; the script has 16 threads.
``ratio_100``
    100 instances (only with ``--large``).
``requests_per_instance``
    What our engines ask of nova-api from the proof that the host is off to
    the end of the recovery, for each instance; the worst of all recoveries.
``seconds``
    The times themselves, pair by pair.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

PAIRS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """What is measured in several pairs.

    :param pool: threads of the bare script.
    :param spawn_delay: seconds before a guest starts on its new host.
    """

    name: str
    instances: int
    pool: int = 8
    spawn_delay: float = 0.0


USUAL = (
    Series("30", 30),
    Series("30_slow", 30, pool=16, spawn_delay=3.0),
)
LARGE = Series("100", 100)


@dataclasses.dataclass(frozen=True, slots=True)
class Recovery:
    """What our engine took for one host.

    :param seconds: from the force-down to the last instance done.
    :param requests: that reached nova-api.
    """

    seconds: float
    requests: int


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """One loss of a host by each of the two, one after the other."""

    bare: float
    ours: float
    requests: float
    """For each instance."""

    @property
    def ratio(self) -> float:
        return self.ours / self.bare


class Cloud(Protocol):
    """What is measured; every host is in service before each run."""

    hosts: Sequence[str]

    def gather(self, instances: int, host: str) -> None:
        """Have so many instances, all of them on one host."""

    def bare(self, host: str, pool: int, spawn_delay: float) -> float:
        """Lose the host and let the script evacuate; returns seconds."""

    def ours(self, host: str, spawn_delay: float) -> Recovery:
        """Lose the host and let our engine recover it."""


def victims(hosts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Whom the script loses and whom we lose, pair by pair: each host in
    its turn, so that none is lost again while it has just come back."""
    half = len(hosts) // 2
    return itertools.cycle(
        zip(hosts, [*hosts[half:], *hosts[:half]], strict=True)
    )


def by_turns(groups: Iterable[Sequence[str]]) -> list[str]:
    """The first of each group, then the second of each, and so on."""
    rounds = itertools.zip_longest(*groups)
    return [one for each in rounds for one in each if one is not None]


def measure(
    cloud: Cloud,
    series: Series,
    pairs: int,
    hosts: Iterator[tuple[str, str]],
) -> list[Pair]:
    found = []
    for number in range(1, pairs + 1):
        theirs, mine = next(hosts)
        _progress(f"{series.name}, pair {number} of {pairs}")
        cloud.gather(series.instances, theirs)
        bare = cloud.bare(theirs, series.pool, series.spawn_delay)
        cloud.gather(series.instances, mine)
        ours = cloud.ours(mine, series.spawn_delay)
        share = ours.requests / series.instances
        found.append(Pair(bare, ours.seconds, share))
        _progress(
            f"    script {bare:.1f} s, nova_ha {ours.seconds:.1f} s, "
            f"{share:.1f} requests an instance"
        )
    return found


def figures(found: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """What the measurements come to, by the names of their series."""
    ratios = {
        f"ratio_{name}": round(statistics.median(p.ratio for p in pairs), 3)
        for name, pairs in found.items()
    }
    requests = max(p.requests for pairs in found.values() for p in pairs)
    seconds = {
        name: {
            "bare": [round(pair.bare, 2) for pair in pairs],
            "ours": [round(pair.ours, 2) for pair in pairs],
        }
        for name, pairs in found.items()
    }
    return {
        **ratios,
        "requests_per_instance": round(requests, 2),
        "seconds": seconds,
    }


def run(
    opened: Callable[[], contextlib.AbstractContextManager[Cloud]],
    all_series: Iterable[Series],
    pairs: int,
) -> dict[str, Any]:
    """Measure everything on one cloud."""
    with opened() as cloud:
        hosts = victims(cloud.hosts)
        return figures(
            {one.name: measure(cloud, one, pairs, hosts) for one in all_series}
        )


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evacuation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=PAIRS,
        help="how often each of the two is measured (%(default)s)",
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="100 instances as well; takes twice as long",
    )
    found = parser.parse_args(words)
    if found.pairs < 1:
        parser.error(f"--pairs {found.pairs}: there must be at least one")
    return found


def main(words: Sequence[str]) -> int:
    """Returns the exit status."""
    arguments = _arguments(words)
    # Its servers' libraries are only where the lab is installed; what
    # measures runs without them, too.
    from benchmarks import evacuation_cloud
    from lab import interrupts
    from lab import process

    interrupts.catch()
    wanted = (*USUAL, LARGE) if arguments.large else USUAL
    try:
        found = run(evacuation_cloud.opened, wanted, arguments.pairs)
    except interrupts.Interrupted:
        _progress("interrupted; everything that was started is stopped")
        return 130
    except process.LabError as error:
        _progress(f"ERROR: {error}")
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
