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

"""Nova's own scheduler loads the filter through our function, and obeys it.

Nova runs in this process. There is a ZooKeeper only where a test says so;
elsewhere what the filter would know from it is set.
"""

import dataclasses
import os
import types
from unittest import mock

import fixtures
import nova.tests.functional  # must be the first of nova
from nova import exception as nova_exception
from nova import objects
from nova.scheduler import host_manager
from nova.tests.functional import integrated_helpers

from nova_ha import clock
from nova_ha import scheduler
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import credentials
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings
from nova_ha.coordination import tree
from nova_ha.coordination import view
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import view as core_view
from nova_ha.scheduler.filters import liveness
from tests import zookeeper_server
from tests.functional import test_nova_in_process

AVAILABLE = [
    "nova.scheduler.filters.all_filters",
    "nova_ha.scheduler.all_filters",
]
BAD = core_view.HostView(schedulable=False, reason="its agent is gone")


class WithFilter(integrated_helpers.ProviderUsageBaseTestCase):
    """A Nova whose nova.conf is as our installation guide says."""

    compute_driver = "fake.SmallFakeDriver"
    microversion = "2.94"

    def setUp(self) -> None:
        test_nova_in_process.link_configuration()
        enabled = nova.conf.CONF.filter_scheduler.enabled_filters
        self.flags(
            available_filters=AVAILABLE,
            weight_classes=[
                "nova.scheduler.weights.all_weighers",
                "nova_ha.scheduler.all_weighers",
            ],
            enabled_filters=[*enabled, "HostLivenessFilter"],
            group="filter_scheduler",
        )
        super().setUp()
        self.computes = {
            host: self._start_compute(host) for host in ("cmp1", "cmp2")
        }

    def boot(self, expected: str = "ACTIVE", **kwargs: str) -> str | None:
        """Boot a server; where did it go?"""
        server = self._create_server(
            networks="none", expected_state=expected, **kwargs
        )
        host: str | None = server["OS-EXT-SRV-ATTR:host"]
        self.latest = server
        return host


class TestLoading(WithFilter):
    def test_namespace_holds_the_filter(self) -> None:
        self.assertIn(liveness.HostLivenessFilter, scheduler.all_filters())

    def test_host_manager_enables_it(self) -> None:
        manager = host_manager.HostManager()
        names = [type(one).__name__ for one in manager.enabled_filters]
        self.assertEqual("HostLivenessFilter", names[-1])

    def test_misspelt_filter_is_refused_by_nova(self) -> None:
        self.flags(
            enabled_filters=["HostLivenesFilter"], group="filter_scheduler"
        )
        self.assertRaises(
            nova_exception.SchedulerHostFilterNotFound,
            host_manager.HostManager,
        )

    def test_making_filters_opens_nothing(self) -> None:
        """The scheduler forks its workers afterwards."""
        with mock.patch.object(view.LivenessView, "_start") as start:
            host_manager.HostManager()
        start.assert_not_called()


class TestFiltering(WithFilter):
    def setUp(self) -> None:
        self.hosts: dict[str, core_view.HostView] = {}
        self.recoveries: dict[str, model.PublishedVerdict] = {}
        patch = mock.patch.object(
            view.LivenessView,
            "snapshot",
            lambda _view: view.ViewSnapshot(
                hosts=self.hosts,
                recoveries=self.recoveries,
                age=0.1,
                connected=True,
            ),
        )
        patch.start()
        self.addCleanup(patch.stop)
        super().setUp()

    def test_boots_avoid_an_excluded_host(self) -> None:
        self.hosts["cmp1"] = BAD
        self.assertEqual({"cmp2"}, {self.boot() for _ in range(3)})

    def test_no_host_left(self) -> None:
        self.hosts |= {"cmp1": BAD, "cmp2": BAD}
        self.boot(expected="ERROR")
        self.assertIn("No valid host", self.latest["fault"]["message"])

    def test_evacuations_avoid_an_excluded_host(self) -> None:
        self.boot(host="cmp1")
        self.computes["cmp1"].stop()
        self.api.put_service_force_down(
            self.computes["cmp1"].service_ref.uuid, True
        )
        self.hosts["cmp2"] = BAD
        self.api.post_server_action(self.latest["id"], {"evacuate": {}})
        self._wait_for_migration_status(self.latest, ["error"])
        del self.hosts["cmp2"]
        self.api.post_server_action(self.latest["id"], {"evacuate": {}})
        self._wait_for_migration_status(self.latest, ["done"])

    def recover(self, host: str) -> None:
        """As if the engine had this host in recovery."""
        self.recoveries[host] = model.PublishedVerdict(
            host=model.HostName(host),
            verdict=model.Verdict(
                kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
            ),
            case=model.CaseId("case"),
            case_state=model.CaseState.EVACUATING,
            at=clock.SystemClock().utcnow(),
        )

    def test_evacuations_are_held_to_the_announced_target(self) -> None:
        self._start_compute("cmp3")
        self.boot(host="cmp1")
        self.computes["cmp1"].stop()
        self.api.put_service_force_down(
            self.computes["cmp1"].service_ref.uuid, True
        )
        self.recover("cmp1")
        self.api.post_server_action(self.latest["id"], {"evacuate": {}})
        self._wait_for_migration_status(self.latest, ["error"])
        self.recoveries["cmp1"] = dataclasses.replace(
            self.recoveries["cmp1"], targets={self.latest["id"]: "cmp3"}
        )
        self.api.post_server_action(self.latest["id"], {"evacuate": {}})
        self._wait_for_migration_status(self.latest, ["done"])
        server = self.api.get_server(self.latest["id"])
        self.assertEqual("cmp3", server["OS-EXT-SRV-ATTR:host"])

    def test_rebuild_in_place_is_let_through(self) -> None:
        """Another image makes Nova ask the filters about the same host."""
        self.boot(host="cmp1")
        self.hosts["cmp1"] = BAD
        other = "a2459075-d96c-40d5-893e-577ff92e721c"
        self.assertNotEqual(other, self.latest["image"]["id"])
        self._rebuild_server(self.latest, other)


class TestWithoutZooKeeper(WithFilter):
    def test_fails_open(self) -> None:
        self.assertIsNotNone(self.boot())


class TestWithoutZooKeeperClosed(WithFilter):
    def setUp(self) -> None:
        # Registers the group.
        liveness.HostLivenessFilter()
        self.flags(fail_closed=True, group="nova_ha")
        super().setUp()

    def test_fails_closed(self) -> None:
        self.boot(expected="ERROR")


class TestWithZooKeeper(WithFilter):
    """Agents' beacons, a tree with ACLs, and the filter's own session."""

    passwords = {role: f"{role}-has-this-long-password" for role in acl.Role}
    paths = paths_module.Paths("RegionOne")

    def setUp(self) -> None:
        self.server = zookeeper_server.ZooKeeperServer()
        self.addCleanup(self.server.destroy)
        self.server.start()
        operator = self.open(acl.Role.OPERATOR)
        tree.init_tree(operator, self.paths, acl.identities(self.passwords))
        self.agents = {}
        for host in (model.HostName("cmp1"), model.HostName("cmp2")):
            own = acl.identity(acl.host_user(host), f"{host}-alone")
            credentials.enrol(operator, self.paths, host, own)
            record = model.HostRecord(host=host, machine_id=f"machine-{host}")
            operator.create(self.paths.host(host), codec.encode(record))
            self.agents[host] = self.show_beacon(record)
        self.configure()
        super().setUp()

    def open(self, role: acl.Role, **own: str) -> kazoo_znodes.KazooZnodes:
        session = opening.new_session(
            settings.Settings(
                hosts=self.server.hosts,
                namespace=self.paths.namespace,
                session_timeout=2.0,
                username=role,
                password=self.passwords[role],
                **own,
            ),
            clock.SystemClock(),
        )
        self.addCleanup(session.close)
        session.start()
        return session

    def show_beacon(
        self, record: model.HostRecord
    ) -> kazoo_znodes.KazooZnodes:
        session = self.open(
            acl.Role.AGENT,
            host_username=acl.host_user(record.host),
            host_password=f"{record.host}-alone",
        )
        agent = beacons.ZooKeeperBeacons(session, self.paths, record.host)
        agent.show(
            model.Beacon(
                host=record.host,
                boot_id=model.BootId("boot-1"),
                machine_id=record.machine_id,
            )
        )
        return session

    def configure(self) -> None:
        """As in nova.conf."""
        liveness.HostLivenessFilter()  # registers the group
        secret = self.useFixture(fixtures.TempDir()).join("password")
        with open(secret, "w") as file:
            file.write(self.passwords[acl.Role.SCHEDULER])
        os.chmod(secret, 0o640)
        self.flags(
            zookeeper_hosts=self.server.hosts,
            zookeeper_namespace=self.paths.namespace,
            zookeeper_session_timeout=2.0,
            zookeeper_password_file=secret,
            group="nova_ha",
        )

    def passing(self) -> set[str]:
        """What Nova's scheduler passes, all else being equal."""
        manager = self.scheduler_service.manager.host_manager
        (ours,) = [
            one
            for one in manager.enabled_filters
            if isinstance(one, liveness.HostLivenessFilter)
        ]
        states = [types.SimpleNamespace(host=h) for h in self.agents]
        spec = objects.RequestSpec(scheduler_hints={})
        if ours._view.snapshot().age == float("inf"):
            return set()  # not read yet
        return {one.host for one in ours.filter_all(states, spec)}

    def test_host_whose_agent_is_gone(self) -> None:
        zookeeper_server.wait_until(
            lambda: self.passing() == {"cmp1", "cmp2"}, 10
        )
        self.agents[model.HostName("cmp1")].close()
        zookeeper_server.wait_until(lambda: self.passing() == {"cmp2"}, 10)
        self.assertEqual({"cmp2"}, {self.boot() for _ in range(3)})

    def test_zookeeper_dies(self) -> None:
        """What is known stays in use for a while, then all hosts pass."""
        self.agents[model.HostName("cmp1")].close()
        zookeeper_server.wait_until(lambda: self.passing() == {"cmp2"}, 10)
        self.server.stop()
        self.assertEqual("cmp2", self.boot())
