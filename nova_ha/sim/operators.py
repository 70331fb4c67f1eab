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

"""The operator: the real commands' store, in a program of his own."""

import dataclasses
from collections.abc import Callable

from nova_ha import exception
from nova_ha.assembly import tree_store
from nova_ha.coordination import credentials
from nova_ha.coordination import paths as paths_mod
from nova_ha.coordination import tree
from nova_ha.core import model
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import zookeeper

NAME = "operator"

Act = Callable[[tree_store.TreeStore], object]


class Operator:
    """Does what ``nova-ha`` does. Each command takes its time; one that
    fails is told in the journal, as the command line would tell it."""

    def __init__(
        self,
        program: kernel_mod.Program,
        session: zookeeper.SimZnodes,
        paths: paths_mod.Paths,
        store: tree_store.TreeStore,
        journal: journal_mod.Journal,
    ) -> None:
        self._program = program
        self._session = session
        self._paths = paths
        self._store = store
        self._journal = journal

    def init(self) -> None:
        """``nova-ha zk init``, before anything else exists."""
        tree.init_tree(self._session, self._paths, zookeeper.IDS)

    def enrol(self, host: str) -> None:
        """``nova-ha zk enrol``, before its agent starts."""
        own = zookeeper.host_identity(host)
        name = model.HostName(host)
        credentials.enrol(self._session, self._paths, name, own)

    def arm(self) -> None:
        self._switch("arm", armed=True)

    def disarm(self) -> None:
        self._switch("disarm", armed=False)

    def pause(self) -> None:
        self._switch("pause", paused=True)

    def resume(self) -> None:
        self._switch("resume", paused=False)

    def _switch(
        self,
        command: str,
        armed: bool | None = None,
        paused: bool | None = None,
    ) -> None:
        self._do(
            command,
            "",
            lambda store: store.switch(
                by=NAME, reason="simulated", armed=armed, paused=paused
            ),
        )

    def confirm(self, host: str, boot: str = "") -> None:
        """Vouch that a host is off, in its open case.

        :param boot: the boot that is meant, if not that of the case.
        """

        def act(store: tree_store.TreeStore) -> None:
            case = store.picture().cases.get(model.HostName(host))
            if case is None:
                raise exception.CoordinationError(f"{host} has no open case")
            meant = model.BootId(boot or case.boot_id)
            store.confirm(
                dataclasses.replace(case, boot_id=meant),
                by=NAME,
                comment="simulated",
            )

        self._do("confirm", host, act)

    def maintenance(self, host: str, reason: str = "simulated") -> None:
        self._set_maintenance("maintenance", host, reason, on=True)

    def end_maintenance(self, host: str) -> None:
        self._set_maintenance("end-maintenance", host, "", on=False)

    def release(self, host: str) -> None:
        """Out of quarantine, and in spite of failed evacuations."""
        self._do(
            "release",
            host,
            lambda store: store.release(model.HostName(host), by=NAME),
        )

    def request(self, host: str, target: str, servers: str) -> None:
        """``nova-ha evacuate``.

        :param target: a host, or empty.
        :param servers: names, separated by spaces; empty: all.
        """
        request = model.EvacuationRequest(
            host=model.HostName(host),
            by=NAME,
            at=self._program.clock.utcnow(),
            target=model.HostName(target) if target else None,
            servers=tuple(map(model.InstanceId, servers.split())),
        )
        self._do("request", host, lambda store: store.request(request))

    def reserve(self, host: str) -> None:
        """Kept free for evacuated instances."""
        self._do(
            "reserve",
            host,
            lambda store: store.reserve(model.HostName(host), True),
        )

    def domains(self, host: str, failure: str, storage: str) -> None:
        """Which failure domain and which storage domain it belongs to."""
        self._do(
            "domains",
            host,
            lambda store: store.domains(
                model.HostName(host), failure=failure, storage=storage
            ),
        )

    def _set_maintenance(
        self, command: str, host: str, reason: str, *, on: bool
    ) -> None:
        self._do(
            command,
            host,
            lambda store: store.maintenance(
                model.HostName(host), on, by=NAME, reason=reason
            ),
        )

    def _do(self, command: str, host: str, act: Act) -> None:
        def body() -> None:
            try:
                act(self._store)
            except exception.NovaHaError as error:
                self._journal.note(
                    NAME, f"operator.{command}-failed", f"{host} {error}"
                )
            else:
                self._journal.note(
                    NAME, f"operator.{command}", host, host=host
                )

        self._program.spawn(body, command)
