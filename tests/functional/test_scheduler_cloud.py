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

"""Two nova-schedulers with two workers each, and servers that are booted all
the time while hosts and ZooKeeper fail.

Real daemons, with all our filters and weighers beside Nova's. The engine is
disarmed: nothing is fenced or forced down, so that what keeps requests off a
lost host is the view alone; Nova itself takes another ten seconds.
"""

import contextlib
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from novaclient import exceptions as nova_exceptions

from lab import cloud as lab_cloud
from lab import host as lab_host
from lab import process
from lab.services import base as services
from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import tree_store
from nova_ha.coordination import opening
from nova_ha.coordination import paths
from nova_ha.core import model
from tests import base
from tests.functional import test_scheduler_policies as policies

HOSTS = tuple(lab_cloud.HostSpec(f"cmp{number}") for number in range(1, 5))

WORKERS = 2

PAUSE = 0.3
"""Seconds between two boots."""

SOON = 3.0
"""Seconds after the expiry of its session in which a request may still land
on a host that is lost, on a machine that others use too. How soon it is
avoided is measured by ``make bench-scheduler``."""

AFTERWARDS = 6.0
"""Seconds for which servers are booted after that expiry."""

AGE = "nova_ha_view_age_seconds"


class SchedulerCloud(lab_cloud.Cloud):
    """With two schedulers that have more than one worker."""

    def _assemble(self) -> None:
        super()._assemble()
        options = self.nova_services._scheduler_options
        options["scheduler"] = {"workers": WORKERS}
        options["filter_scheduler"] |= {
            "enabled_filters": policies.FILTERS,
            "weight_classes": "nova.scheduler.weights.all_weighers,"
            "nova_ha.scheduler.all_weighers",
        }
        self.metrics_port = self.site.ports.get("scheduler-metrics")
        options["nova_ha"]["metrics_port"] = self.metrics_port
        self.second = self.site.server(
            "nova-scheduler-2",
            [
                services.BIN / "nova-scheduler",
                "--config-file",
                self.site.etc / "nova" / "scheduler.conf",
            ],
        )


class Load:
    """Boots one server after another, in a thread of its own.

    :ivar booted: when each was asked for, and its UUID.
    """

    def __init__(self, cloud: lab_cloud.Cloud) -> None:
        self._nova = cloud.nova()
        self._flavor = self._nova.flavors.find(name=lab_cloud.FLAVOR)
        self._image = self._nova.glance.find_image(lab_cloud.IMAGE)
        self._ended = threading.Event()
        self.booted: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE):
            began = time.monotonic()
            server = self._nova.servers.create(
                f"load-{len(self.booted)}",
                self._image,
                self._flavor,
                nics="none",
            )
            self.booted.append((began, server.id))

    def since(self, moment: float) -> list[str]:
        return [uuid for began, uuid in self.booted if began >= moment]


class SchedulerCloudTest(base.TestCase):
    cloud: SchedulerCloud
    store: tree_store.TreeStore

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory(prefix="nova-ha-scheduler-")
        cls.addClassCleanup(directory.cleanup)
        cls.cloud = SchedulerCloud(directory.name, HOSTS, engines=1)
        cls.addClassCleanup(cls.cloud.down)
        cls.cloud.up()
        cls.cloud.second.start()
        clock = nova_clock.SystemClock()
        settings = cls.cloud.nova_ha.settings("operator")
        session = opening.new_session(settings, clock)
        session.start()
        cls.addClassCleanup(session.close)
        cls.store = tree_store.TreeStore(
            session, paths.Paths(settings.namespace), clock
        )
        cls.store.switch(by="test", reason="only watch", armed=False)

    def setUp(self) -> None:
        super().setUp()
        self.nova = self.cloud.nova()
        for host in self.cloud.hosts:
            if not host.unit_alive("boot"):
                host.power_off()
                host.power_on()
        self.cloud.wait_hosts_up()
        self.wait(self.all_there, "all agents")
        for server in self.nova.servers.list():
            # What was deleted by the test before may be on its way.
            with contextlib.suppress(nova_exceptions.NotFound):
                server.delete()

    @contextlib.contextmanager
    def load(self) -> Iterator[Load]:
        load = Load(self.cloud)
        try:
            self.wait(lambda: len(load.booted) > 8, "the first boots")
            yield load
        finally:
            load.stop()

    # -- what is --

    def there(self, host: lab_host.Host) -> bool:
        """Whether the host's session lives; True while nobody knows."""
        with contextlib.suppress(exception.CoordinationError):
            known = self.store.picture().hosts.get(model.HostName(host.name))
            return known is not None and known.beacon is not None
        return True

    def all_there(self) -> bool:
        return all(self.there(host) for host in self.cloud.hosts)

    def wait(self, condition: Any, what: str, timeout: float = 120) -> None:
        process.wait_until(condition, timeout, what, interval=0.1)

    def expiry(self, host: lab_host.Host) -> float:
        """Wait for the end of a host's session; returns the moment."""
        self.wait(lambda: not self.there(host), f"{host.name}'s expiry")
        return time.monotonic()

    def assert_active(self, servers: list[str], but: lab_host.Host) -> None:
        """All of them run, on other hosts than that."""
        self.assertNotEqual([], servers)
        for uuid in servers:
            server = self.cloud.wait_server(uuid, "ACTIVE")
            found = getattr(server, "OS-EXT-SRV-ATTR:host")
            self.assertNotEqual(but.name, found)

    # -- the tests --

    def test_a_host_is_killed_while_servers_are_booted(self) -> None:
        lost = self.cloud.hosts[0]
        with self.load() as load:
            lost.kill()
            gone = self.expiry(lost)
            time.sleep(AFTERWARDS)
        self.assert_active(load.since(gone + SOON), but=lost)

    def test_zookeeper_stops_stalls_and_restarts_under_load(self) -> None:
        lost = self.cloud.hosts[1]
        (server,) = self.cloud.zookeeper.members
        began = time.monotonic()
        with self.load() as load:
            server.kill()
            time.sleep(3.0)
            self.cloud.zookeeper.start()
            self.wait(self.all_there, "all agents")
            server.freeze()
            time.sleep(3.0)
            server.thaw()
            lost.kill()
            gone = self.expiry(lost)
            time.sleep(AFTERWARDS)
        # The host dies after those; it may take some of them with it.
        early = [one for one in load.since(began)][:8]
        for uuid in early:
            self.assertNotEqual("ERROR", self.nova.servers.get(uuid).status)
        self.assert_active(load.since(gone + SOON), but=lost)

    def test_without_an_engine(self) -> None:
        """A lost beacon alone takes a host out."""
        lost = self.cloud.hosts[2]
        engine = self.cloud.engine(1)
        engine.kill()
        self.addCleanup(engine.start)
        with self.load() as load:
            lost.kill()
            gone = self.expiry(lost)
            time.sleep(AFTERWARDS)
        self.assert_active(load.since(gone + SOON), but=lost)

    def test_each_worker_serves_the_age_of_its_view(self) -> None:
        with self.load():
            self.wait(
                lambda: len(self.ages()) == 2 * WORKERS, "every worker's age"
            )
            self.wait(lambda: max(self.ages()) < 10.0, "views that are young")

    def ages(self) -> list[float]:
        """What is served on the first ports."""
        found = []
        first = self.cloud.metrics_port
        for port in range(first, first + 4 * WORKERS):
            with contextlib.suppress(OSError):
                url = f"http://127.0.0.1:{port}/metrics"
                with urllib.request.urlopen(url, timeout=5) as answer:
                    text = str(answer.read(), "utf-8")
                found += [
                    float(line.rpartition(" ")[2])
                    for line in text.splitlines()
                    if line.startswith(f"{AGE}{{")
                ]
        return found
