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

"""What the suites of this package run on: a tree, in memory or real."""

import abc
import datetime
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from nova_ha import clock
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import Epoch
from tests import base

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)

C1 = model.HostName("c1")
C2 = model.HostName("c2")
BOOT = model.BootId("boot-1")

E = TypeVar("E", bound=events.Event)


class Coordinated(base.TestCase):
    """The tree of a namespace, and sessions in every role."""

    paths: paths_module.Paths
    clock: clock.Clock

    @abc.abstractmethod
    def open(self, role: str) -> Any:
        """A new session (``Znodes``)."""

    @abc.abstractmethod
    def open_agent(self, host: model.HostName = C1) -> Any:
        """A new session of a host's agent, after ``nova-ha zk enrol``."""

    @abc.abstractmethod
    def cut_off(self, session: Any) -> None:
        """The connection breaks, and the client has noticed."""

    @abc.abstractmethod
    def reconnect(self, session: Any) -> None: ...

    @abc.abstractmethod
    def expire(self, session: Any) -> None:
        """The server ends the session; the client is back in a new one."""

    @abc.abstractmethod
    def eventually(
        self, condition: Callable[[], object], timeout: float = 15
    ) -> None: ...

    def put(self, tree: znodes.Znodes, path: str, value: object) -> None:
        """Create or replace a node's payload."""
        data = value if isinstance(value, bytes) else codec.encode(value)
        try:
            tree.create(path, data)
        except znodes.NodeExists:
            tree.set(path, data)

    def stand(self, tree: znodes.Znodes, engine: str = "e1") -> Epoch:
        """A contender's node, by hand; returns its epoch."""
        contender = model.Contender(engine=engine, epoch=Epoch(0))
        path = tree.create(
            f"{self.paths.leader}/c-{engine}-",
            codec.encode(contender),
            ephemeral=True,
            sequence=True,
        )
        node = tree.get(path)
        assert node is not None
        return Epoch(node.created)

    def retire(self, tree: znodes.Znodes, engine: str = "e1") -> None:
        """Delete the node that :meth:`stand` has made."""
        for name in tree.children(self.paths.leader):
            if name.startswith(f"c-{engine}-"):
                tree.delete(f"{self.paths.leader}/{name}")


class Sink:
    """Keeps the events that it is given."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self._lock = threading.Lock()

    def __call__(self, event: events.Event) -> None:
        with self._lock:
            self.events.append(event)

    def of(self, cls: type[E]) -> list[E]:
        with self._lock:
            return [one for one in self.events if isinstance(one, cls)]

    def last(self, cls: type[E]) -> E | None:
        return (self.of(cls) or [None])[-1]

    def clear(self) -> None:
        with self._lock:
            self.events = []

    def facts(self, host: model.HostName) -> model.HostFacts | None:
        """As the latest event that names the host tells them."""
        for event in reversed(self.of(events.HostsRead)):
            if host in event.hosts:
                return event.hosts[host]
            if event.complete:
                return None
        return None


def beacon(**changes: Any) -> model.Beacon:
    values: dict[str, Any] = {
        "host": C1,
        "boot_id": BOOT,
        "machine_id": "machine-1",
    }
    return model.Beacon(**{**values, **changes})


def goodbye(**changes: Any) -> model.Goodbye:
    values: dict[str, Any] = {
        "host": C1,
        "boot_id": BOOT,
        "reason": model.GoodbyeReason.STOP,
        "ttl": 60.0,
        "said_at": NOW,
    }
    return model.Goodbye(**{**values, **changes})


def inventory(**changes: Any) -> model.GuestInventory:
    values: dict[str, Any] = {
        "host": C1,
        "boot_id": BOOT,
        "guests": frozenset(),
        "sequence": 1,
    }
    return model.GuestInventory(**{**values, **changes})


def case(**changes: Any) -> model.RecoveryCase:
    values: dict[str, Any] = {
        "id": model.CaseId("case-1"),
        "host": C1,
        "boot_id": BOOT,
        "verdict": model.Verdict(
            kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
        ),
        "opened_at": NOW,
    }
    return model.RecoveryCase(**{**values, **changes})


def verdict(**changes: Any) -> model.PublishedVerdict:
    values: dict[str, Any] = {
        "host": C1,
        "verdict": model.Verdict(
            kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
        ),
        "at": NOW,
    }
    return model.PublishedVerdict(**{**values, **changes})


def host_record(**changes: Any) -> model.HostRecord:
    values: dict[str, Any] = {"host": C1, "machine_id": "machine-1"}
    return model.HostRecord(**{**values, **changes})
