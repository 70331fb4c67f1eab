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

"""What an agent writes, below the parent of its own host."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from oslo_log import log

from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import contenders
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import model

LOG = log.getLogger(__name__)

_ATTEMPTS = 3

_REMEDY = (
    "the tree knows no credential of {host}, or another one than this agent "
    "has: as the operator run `nova-ha zk enrol {host}`, and give the agent "
    "the file that it writes as [zookeeper] host_password_file"
)

T = TypeVar("T")


class ZooKeeperBeacons(ports.Beacons):
    """:class:`ports.Beacons` of one host, on one session.

    The session is this object's: :meth:`close` ends it, and the beacon with
    it. A machine of the same name with another machine id is refused while
    its session lives.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        host: model.HostName,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._host = host
        self._reader = reading.HostReader(tree, paths)
        self._decoder = reading.Decoder()
        self._lock = threading.Lock()
        self._version: int | None = None
        """Of the beacon that this session shows."""

    # -- reading -------------------------------------------------------------

    def facts(self) -> model.HostFacts:
        self._tree.sync(self._paths.agent(self._host))
        return self._reader.read([self._host])[self._host]

    def case(self) -> model.RecoveryCase | None:
        """:raises PayloadError: there is one, but it cannot be read."""
        path = self._paths.case(self._host)
        # Whoever asks is about to start guests: no follower's old answer.
        self._tree.sync(path)
        node = self._tree.get(path)
        if node is None or node.data is None:
            return None
        return codec.decode(model.RecoveryCase, node.data, path)

    def contenders(self) -> Sequence[model.Contender]:
        return contenders.read(self._tree, self._paths, self._decoder)

    # -- the beacon ----------------------------------------------------------

    def show(self, beacon: model.Beacon) -> None:
        """Create or replace the beacon of this session.

        :raises CoordinationError: another machine runs under this name.
        :raises CoordinationDenied: no operator has enrolled this host with
            the credential that this agent has.
        """
        with self._lock:
            self._version = None
            path = self._paths.beacon(self._host)
            data = codec.encode(beacon, path)
            self._version = self._again(
                path, lambda: self._exchange(path, beacon, data)
            )

    def _exchange(self, path: str, beacon: model.Beacon, data: bytes) -> int:
        """One transaction: the beacon shows, a goodbye is withdrawn.

        Returns the version of the beacon.
        """
        goodbye = self._paths.goodbye(self._host)
        nodes = self._tree.get_many([path, goodbye])
        steps = self._beacon_steps(path, nodes[path], beacon, data)
        written = len(steps) - 1
        if nodes[goodbye] is not None:
            steps.append(znodes.Delete(goodbye))
        return self._tree.commit(steps)[written]

    def _beacon_steps(
        self,
        path: str,
        there: znodes.Node | None,
        beacon: model.Beacon,
        data: bytes,
    ) -> list[znodes.Operation]:
        if there is None:
            return [znodes.Create(path, data, ephemeral=True)]
        if there.owner == self._tree.session:
            return [znodes.Set(path, data, there.version)]
        self._refuse_other_machine(there, beacon)
        LOG.info(
            "Taking over the beacon of an older session (0x%x) of this "
            "machine",
            there.owner,
        )
        return [
            znodes.Delete(path, there.version),
            znodes.Create(path, data, ephemeral=True),
        ]

    def _refuse_other_machine(
        self, there: znodes.Node, beacon: model.Beacon
    ) -> None:
        old = self._decoder.decode(model.Beacon, there, session=there.owner)
        if old is not None and old.machine_id == beacon.machine_id:
            return
        machine = old.machine_id if old is not None else "an unknown id"
        raise exception.CoordinationError(
            f"another machine ({machine}; this one is {beacon.machine_id}) "
            f"runs an agent as {self._host}: give one of the two another "
            "[DEFAULT] host, or stop the other agent"
        )

    def touch(self) -> None:
        """A quorum write that changes nothing, so that it wakes no watcher:
        a transaction that only checks the beacon.

        :raises CoordinationUnavailable: not acknowledged in time, or the
            beacon is gone: show it again.
        """
        path = self._paths.beacon(self._host)
        with self._lock:
            version = self._version
            if version is None:
                raise exception.CoordinationUnavailable("no beacon is shown")
            node = self._tree.get(path)
            if node is None or node.owner != self._tree.session:
                raise _gone(path)
            try:
                self._tree.commit([znodes.Check(path, version)])
            except (znodes.NodeMissing, exception.StaleVersion):
                raise _gone(path) from None

    def inventory(self, inventory: model.GuestInventory) -> None:
        path = self._paths.guests(self._host)
        data = codec.encode(inventory, path)

        def write() -> None:
            try:
                self._tree.set(path, data)
            except znodes.NodeMissing:
                self._tree.create(path, data)

        self._again(path, write)

    def _put(self, path: str, data: bytes) -> znodes.Operation:
        if self._tree.get(path) is None:
            return znodes.Create(path, data)
        return znodes.Set(path, data)

    def _again(self, path: str, change: Callable[[], T]) -> T:
        """Repeat a change that another one came before: a stale node that
        goes, or one that appears.

        :raises CoordinationDenied: this agent may not speak for the host.
        """
        for _ in range(_ATTEMPTS):
            try:
                return change()
            except exception.CoordinationDenied as error:
                if not error.path.startswith(self._paths.agent(self._host)):
                    raise  # a matter of its role
                raise self._denied(error.path) from None
            except znodes.NodeMissing:
                self._require_place()
            except znodes.NodeNotEmpty as error:
                # Nothing that an agent does. It goes on trying: perhaps
                # somebody takes them away.
                raise exception.CoordinationUnavailable(
                    f"{error.path} has children that nova_ha does not know: "
                    "delete them"
                ) from None
            except (znodes.NodeExists, exception.StaleVersion):
                continue
        raise exception.CoordinationUnavailable(
            f"{path} changes faster than it can be written"
        )

    def _require_place(self) -> None:
        place = self._paths.agent(self._host)
        if self._tree.get(place) is None:
            raise self._denied(place)

    def _denied(self, path: str) -> exception.CoordinationDenied:
        return exception.CoordinationDenied(
            path, _REMEDY.format(host=self._host)
        )

    # -- leaving -------------------------------------------------------------

    def goodbye(self, goodbye: model.Goodbye) -> None:
        path = self._paths.goodbye(self._host)
        data = codec.encode(goodbye, path)
        with self._lock:
            self._version = None
            self._again(path, lambda: self._leave(path, data))

    def _leave(self, path: str, data: bytes) -> None:
        beacon = self._paths.beacon(self._host)
        steps = [self._put(path, data)]
        there = self._tree.get(beacon)
        if there is not None and there.owner == self._tree.session:
            steps.append(znodes.Delete(beacon))
        self._tree.commit(steps)

    def close(self) -> None:
        self._tree.close()


def _gone(path: str) -> exception.CoordinationUnavailable:
    return exception.CoordinationUnavailable(
        f"{path} is gone, or another session's"
    )
