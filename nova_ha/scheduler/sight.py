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
"""What the filters and weighers of a process see, and when they are blind.

All of them share one view, and so one session with ZooKeeper in each process
of the scheduler.
"""

import threading
import weakref
from collections.abc import Hashable
from typing import Any, Protocol

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock
from nova_ha.assembly import view as assembly
from nova_ha.conf import scheduler
from nova_ha.coordination import view as view_module

LOG = logging.getLogger(__name__)

_NEVER = float("inf")


class View(Protocol):
    """Where snapshots come from."""

    def snapshot(self) -> view_module.ViewSnapshot: ...


class Sight:
    """The latest snapshot, unless it is too old to be used.

    That it is, and that it no longer is, is told in the log: once.
    """

    def __init__(
        self, view: View, *, max_age: float, fail_closed: bool
    ) -> None:
        """
        :param max_age: seconds for which old knowledge is good enough.
        :param fail_closed: filters reject all hosts after that, rather than
            none.
        """
        self._view = view
        self._max_age = max_age
        self.fail_closed = fail_closed
        self._lock = threading.Lock()
        self._blind = False

    def snapshot(self) -> view_module.ViewSnapshot:
        """The latest snapshot, however old."""
        return self._view.snapshot()

    def look(self) -> view_module.ViewSnapshot | None:
        """What is known now, without I/O; None while that is too old."""
        snapshot = self._view.snapshot()
        # A nan would be neither older nor younger.
        blind = not snapshot.age <= self._max_age
        if blind != self._blind:
            self._tell(blind, snapshot.age)
        return None if blind else snapshot

    def _tell(self, blind: bool, age: float) -> None:
        with self._lock:
            if blind == self._blind:
                return
            self._blind = blind
        if blind:
            LOG.warning(
                "Nothing is known of the hosts' liveness, ZooKeeper was %s: "
                "%s hosts pass",
                f"last read {age:.0f} s ago" if age < _NEVER else "not read",
                "no" if self.fail_closed else "all",
            )
        else:
            LOG.info("The hosts' liveness is known again")


_shared: weakref.WeakValueDictionary[Hashable, Sight] = (
    weakref.WeakValueDictionary()
)


def options(conf: cfg.ConfigOpts) -> Any:
    """The group ``[nova_ha]`` of Nova's configuration."""
    scheduler.register_opts(conf)
    return conf[scheduler.GROUP.name]


def shared(conf: cfg.ConfigOpts) -> Sight:
    """The sight of all that are configured alike; opens nothing yet.

    Nova makes filters and weighers before it forks its workers. Each process
    opens its own session when it first looks.
    """
    group = options(conf)
    key = tuple(group[one.dest] for one in scheduler.OPTS)
    sight = _shared.get(key)
    if sight is None:
        sight = _shared[key] = Sight(
            assembly.open_view(conf, clock.SystemClock()),
            max_age=group.max_view_age,
            fail_closed=group.fail_closed,
        )
    return sight
