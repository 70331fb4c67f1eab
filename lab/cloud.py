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
"""A whole cloud: brought up, looked at, hurt, and taken down."""

import concurrent.futures
import dataclasses
import pathlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keystoneauth1 import session as auth_session
from novaclient import client as nova_client

from lab import files
from lab import nova_ha as lab_nova_ha
from lab import openrc
from lab import proc
from lab import process
from lab import steps as steps_mod
from lab.host import Host
from lab.host import HostSpec
from lab.services import base
from lab.services import glance
from lab.services import keystone
from lab.services import mariadb
from lab.services import memcached
from lab.services import neutron
from lab.services import nova as nova_service
from lab.services import placement
from lab.services import rabbitmq
from lab.services import zookeeper

FLAVOR = "lab.tiny"
IMAGE = "lab"

_RECORD = "cloud.json"


class Cloud:
    """One cloud in one directory.

    :param state_dir: everything it writes lies below; made when missing.
    :param hosts: hypervisors; their names are Nova's service host names.
    :param engines: number of nova-ha-engine processes.
    :param zookeepers: members of the ensemble.
    :param brokers: members of RabbitMQ's cluster.
    :param nova_ha: False for a plain cloud without nova_ha.
    :param liveness_filter: nova-scheduler asks nova_ha's filter as well.
    :param options: further nova_ha options by section.
    :param say: called with a line for each thing that starts.
    """

    def __init__(
        self,
        state_dir: pathlib.Path | str,
        hosts: Sequence[HostSpec],
        *,
        engines: int = 2,
        zookeepers: int = 1,
        brokers: int = 1,
        nova_ha: bool = True,
        liveness_filter: bool = True,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.state_dir = pathlib.Path(state_dir).resolve()
        self._specs = list(hosts)
        self._engines = engines
        self._zookeepers = zookeepers
        self._brokers = brokers
        self._with_nova_ha = nova_ha
        self._liveness_filter = nova_ha and liveness_filter
        self._options = dict(options or {})
        self._say = say
        self._began = time.monotonic()
        if (self.state_dir / _RECORD).exists():
            self._assemble()

    @classmethod
    def load(
        cls,
        state_dir: pathlib.Path | str,
        say: Callable[[str], None] = lambda line: None,
    ) -> "Cloud":
        """The cloud that was brought up in a directory.

        :raises lab.process.LabError: when there is none.
        """
        record = files.read_json(pathlib.Path(state_dir) / _RECORD)
        if not record:
            raise process.LabError(f"there is no cloud in {state_dir}")
        hosts = [HostSpec(**one) for one in record.pop("hosts")]
        return cls(state_dir, hosts, say=say, **record)

    # Life

    def up(self) -> None:
        """Bring it up from nothing; takes it down again when that fails.

        :raises lab.process.LabError: and says what did not come up, with
            the end of its log.
        """
        self._began = time.monotonic()
        self._clear()
        self._assemble()
        steps = steps_mod.Steps()
        try:
            self._start(steps)
            steps.finish()
            self.wait_hosts_up()
        except BaseException:
            # Steps that wait for what is gone now give up soon; what one
            # of them started meanwhile goes the second time.
            self.down()
            steps.abandon()
            self.down()
            raise
        self._tell(f"up, in {time.monotonic() - self._began:.1f} s")

    def down(self) -> None:
        """End every process of it; logs and journals stay.

        Finds them by the mark in their environment, so that it works after
        the death of whoever brought it up and never hits a stranger.
        Nothing needs an orderly end: the next one starts from nothing.

        :raises lab.process.LabError: when a process does not die.
        """
        process.kill_recorded(self.state_dir / "run")
        marker = f"{process.CLOUD_MARKER}={self.state_dir}"
        if left := proc.kill_marked(marker, timeout=20):
            raise process.LabError(f"{left} processes would not die")

    def __enter__(self) -> "Cloud":
        self.up()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.down()

    def _clear(self) -> None:
        """Take down what runs in the directory and empty it."""
        self.down()
        path = self.state_dir
        if path.exists() and any(path.iterdir()):
            if not (path / _RECORD).exists():
                raise process.LabError(
                    f"{path} is not empty and holds no cloud: name another "
                    "directory"
                )
            shutil.rmtree(path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        record = {
            "hosts": [dataclasses.asdict(spec) for spec in self._specs],
            "engines": self._engines,
            "zookeepers": self._zookeepers,
            "brokers": self._brokers,
            "nova_ha": self._with_nova_ha,
            "liveness_filter": self._liveness_filter,
            "options": self._options,
        }
        files.write_json(path / _RECORD, record)

    def _assemble(self) -> None:
        """Make the objects that stand for the parts; starts nothing."""
        site = self.site = base.Site.at(self.state_dir)
        for name in ("instances", "guests"):
            (site.shared / name).mkdir(parents=True, exist_ok=True)
        self.zookeeper = zookeeper.ZooKeeper(site, self._zookeepers)
        self.rabbitmq = rabbitmq.RabbitMQ(site, self._brokers)
        self.mariadb = mariadb.MariaDB(site)
        self.memcached = memcached.Memcached(site)
        self.neutron = neutron.Neutron(site)
        shared = (site, self.mariadb, self.memcached.address)
        self.keystone = keystone.Keystone(*shared)
        self.placement = placement.Placement(*shared)
        self.glance = glance.Glance(*shared)
        self.nova_ha = lab_nova_ha.NovaHa(
            site,
            zookeeper=self.zookeeper.hosts,
            transport_url=self.rabbitmq.transport_url,
            engines=self._engines if self._with_nova_ha else 0,
            options={**self.rabbitmq.client_options, **self._options},
        )
        self.nova_services = nova_service.Nova(
            *shared,
            self.rabbitmq,
            self.nova_ha.scheduler_options() if self._liveness_filter else {},
        )
        self.hosts = [Host(site, spec) for spec in self._specs]
        self._session = self.keystone.session()

    # Bringing it up. Steps that do not wait for each other run at the same
    # time; what each needs is in the order of the statements.

    def _start(self, steps: steps_mod.Steps) -> None:
        broker = steps.begin(self._rabbitmq_and_small_ones)
        self._tell("MariaDB")
        self.mariadb.start()
        users = steps.begin(self._told("Keystone", self.keystone.start))
        databases = steps.begin(self._databases)
        placing = steps.begin(self._placement_and_glance)
        bmcs = steps.begin(self._bmcs)
        for step in (broker, users, databases):
            step.result()
        self._tell("Nova: API, conductor, scheduler")
        self.nova_services.start()
        placing.result()
        bmcs.result()
        steps.begin(self._start_nova_ha)
        self._tell(f"{len(self.hosts)} hypervisors")
        for host in self.hosts:
            host.power_on()
        steps.begin(self._flavor_and_image)
        extra = {}
        if self._with_nova_ha:
            extra["NOVA_HA_CONFIG"] = str(self.nova_ha.config)
        openrc.write(self.site, extra)

    def _rabbitmq_and_small_ones(self) -> None:
        self._tell("RabbitMQ, ZooKeeper, memcached, a stand-in for Neutron")
        for part in (self.memcached, self.neutron, self.zookeeper):
            part.start()
        self.rabbitmq.start()

    def _databases(self) -> None:
        if self._with_nova_ha:
            self.nova_ha.prepare()
        self.nova_services.prepare()

    def _placement_and_glance(self) -> None:
        self._tell("Placement, Glance")
        for part in (self.placement, self.glance):
            part.prepare()
            part.start()

    def _bmcs(self) -> None:
        self._tell(f"{len(self.hosts)} BMCs")
        common = self.nova_services.common()
        for host in self.hosts:
            agent = None
            if self._with_nova_ha:
                agent = self.nova_ha.agent_config(host)
            host.prepare(common, agent)
            host.bmc.start()
        if self._with_nova_ha:
            self.nova_ha.write_topology(self.hosts)

    def _start_nova_ha(self) -> None:
        if self._with_nova_ha:
            self._tell(f"nova_ha: {self._engines} engines")
            self.nova_ha.create_tree(self.hosts)
            self.nova_ha.start_engines()

    def _flavor_and_image(self) -> None:
        self.nova().flavors.create(FLAVOR, ram=64, vcpus=1, disk=1)
        self.glance.create_image(self._session, IMAGE)

    def _told(self, line: str, step: Callable[[], None]) -> Callable[[], None]:
        def told() -> None:
            self._tell(line)
            step()

        return told

    def _tell(self, line: str) -> None:
        self._say(f"[{time.monotonic() - self._began:5.1f} s] {line}")

    # Using it

    def session(self) -> auth_session.Session:
        """An administrator's keystoneauth session."""
        return self._session

    def nova(self) -> Any:
        """A python-novaclient client for an administrator."""
        return nova_client.Client(openrc.MICROVERSION, session=self._session)

    def host(self, name: str) -> Host:
        """A hypervisor by name; raises KeyError."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def engine(self, number: int) -> process.Process:
        """A nova-ha-engine, counted from 1: kill, freeze, start it."""
        return self.nova_ha.engines[number - 1]

    @property
    def journals(self) -> pathlib.Path:
        """Where the guests write; for :mod:`lab.witness`."""
        return self.site.shared / "guests"

    def compute_states(self) -> dict[str, str]:
        """Nova's word on each nova-compute: "up" or "down"."""
        services = self.nova().services.list(binary="nova-compute")
        return {service.host: service.state for service in services}

    def wait_hosts_up(
        self, names: Sequence[str] | None = None, timeout: float = 120
    ) -> None:
        """Wait until Nova can use these hypervisors (all of them).

        :param timeout: seconds.
        :raises lab.process.LabError:
        """
        wanted = set(names or [host.name for host in self.hosts])

        def usable() -> bool:
            up = {
                name
                for name, state in self.compute_states().items()
                if state == "up"
            }
            return (
                wanted <= up
                and wanted <= self.nova_services.mapped_hosts()
                and wanted <= self.placement.offered_hosts()
            )

        try:
            process.wait_until(usable, timeout, "hypervisors", interval=0.3)
        except process.LabError as error:
            late = sorted(wanted - set(self.compute_states()))
            first = self.host(late[0] if late else sorted(wanted)[0])
            log = first.log_path("nova-compute")
            raise process.LabError(
                f"{error}; without a service: {', '.join(late) or 'none'}; "
                f"end of {log}:\n{process.log_tail(log)}"
            ) from error

    def boot_servers(
        self, number: int, on_host: str | None = None, prefix: str = "vm"
    ) -> list[Any]:
        """Boot servers and wait until all are ACTIVE.

        :param on_host: where, instead of where the scheduler likes.
        :raises lab.process.LabError: when one goes to ERROR.
        """
        if on_host is not None:
            self.wait_hosts_up([on_host])
        nova = self.nova()
        flavor = nova.flavors.find(name=FLAVOR)
        image = nova.glance.find_image(IMAGE)
        placed = {} if on_host is None else {"host": on_host}
        first = len(nova.servers.list(search_opts={"all_tenants": 1})) + 1

        def create(index: int) -> Any:
            name = f"{prefix}-{index}"
            return nova.servers.create(
                name, image, flavor, nics="none", **placed
            )

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            made = list(pool.map(create, range(first, first + number)))
        return [self.wait_server(one.id, "ACTIVE") for one in made]

    def wait_server(self, uuid: str, status: str, timeout: float = 120) -> Any:
        """Wait for a server's status; returns the server.

        :param timeout: seconds.
        :raises lab.process.LabError: also when it goes to ERROR instead.
        """
        nova = self.nova()
        server = nova.servers.get(uuid)

        def reached() -> bool:
            nonlocal server
            server = nova.servers.get(uuid)
            if server.status == "ERROR" and status != "ERROR":
                raise process.LabError(
                    f"{server.name} is in ERROR: {_fault(server)}"
                )
            return bool(server.status == status)

        what = f"{server.name} to become {status}"
        try:
            process.wait_until(reached, timeout, what, interval=0.2)
        except process.LabError as error:
            raise process.LabError(
                f"{error}; {_whereabouts(server)}"
            ) from None
        return server


def _whereabouts(server: Any) -> str:
    host = getattr(server, "OS-EXT-SRV-ATTR:host")
    task = getattr(server, "OS-EXT-STS:task_state")
    return f"it is {server.status} ({task or 'nothing under way'}) on {host}"


def _fault(server: Any) -> str:
    """Why a server is in ERROR. Of an error that is Nova's own mistake the
    message is no more than its class; the details say where."""
    fault = getattr(server, "fault", {})
    return "\n".join(
        str(fault[name]) for name in ("message", "details") if name in fault
    )


__all__ = ["Cloud", "Host", "HostSpec"]
