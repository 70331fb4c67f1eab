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

"""The compute adapter against Nova's own code, in this process.

Nova ships its test stack: API, conductor, scheduler, computes with a fake
driver, SQLite and the real Placement. Nothing of it is on a network.
"""

import contextlib
import os
import pathlib
import sys
import unittest

import nova.tests.functional  # must be the first of nova
from keystoneauth1 import loading
from nova import context as nova_context
from nova import objects
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import integrated_helpers
from oslo_config import cfg

import nova_ha.conf.nova
from nova_ha import clock
from nova_ha import exception
from nova_ha.compute import nova as compute
from nova_ha.core import model

HOSTS = [model.HostName(name) for name in ("cmp1", "cmp2", "cmp3")]


def link_configuration() -> None:
    """Nova's tests look for etc/nova/api-paste.ini beside the package."""
    package = pathlib.Path(nova.tests.functional.__file__).parents[3]
    link = package / "etc"
    target = pathlib.Path(sys.prefix) / "etc"
    if not (link / "nova").exists() and (target / "nova").is_dir():
        link.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):  # a faster worker
            os.symlink(target / "nova", link / "nova")


class InProcessNova(integrated_helpers.ProviderUsageBaseTestCase):
    """Three computes, and our adapter on top of the APIs."""

    compute_driver = "fake.SmallFakeDriver"
    microversion = "2.94"
    api_max_limit = 1000

    def setUp(self) -> None:
        link_configuration()
        super().setUp()
        self.flags(max_limit=self.api_max_limit, group="api")
        self.computes = {
            name: self._start_compute(host=name) for name in HOSTS
        }
        self.adapter = self.open_adapter()

    def open_adapter(self) -> compute.NovaCompute:
        conf = cfg.ConfigOpts()
        nova_ha.conf.nova.register_opts(conf)
        conf([])
        conf.set_override("auth_type", "admin_token", "nova")
        conf.register_opts(
            loading.get_auth_plugin_conf_options("admin_token"), group="nova"
        )
        conf.set_override("endpoint", self.api_fixture.base_url, "nova")
        conf.set_override("token", "admin", "nova")
        conf.set_override(
            "endpoint_override", self.api_fixture.base_url, "nova"
        )
        conf.set_override(
            "placement_endpoint_override",
            self.placement.fixture.endpoint,
            "nova",
        )
        adapter = compute.NovaCompute.from_conf(conf, clock.SystemClock(), 4)
        adapter._clients.session.additional_headers.update(
            {
                "X-Auth-User": "admin",
                "X-Auth-Project-Id": self.admin_api.project_id,
                "X-Roles": "reader,member,admin",
            }
        )
        return adapter

    def boot(self, host: str, count: int = 1) -> list[model.InstanceId]:
        return [
            model.InstanceId(
                self._create_server(host=host, networks="none")["id"]
            )
            for _ in range(count)
        ]

    def crash(self, host: model.HostName) -> str:
        """Stop a nova-compute and force its service down."""
        self.computes[host].stop()
        service_id = str(self.computes[host].service_ref.uuid)
        self.adapter.force_down(service_id, True)
        return service_id

    def down_cell(self) -> nova_fixtures.DownCellFixture:
        """The database of the only cell with computes is away."""
        (cell,) = [
            mapping
            for mapping in objects.CellMappingList.get_all(
                nova_context.get_admin_context()
            )
            if not mapping.is_cell0()
        ]
        return nova_fixtures.DownCellFixture([cell])

    def report_of(self, host: model.HostName) -> model.ServiceReport:
        return {r.host: r for r in self.adapter.services()}[host]


class TestServices(InProcessNova):
    def test_services_of_nova_compute_only(self) -> None:
        reports = self.adapter.services()
        self.assertEqual(HOSTS, sorted(r.host for r in reports))
        self.assertTrue(all(r.up for r in reports))
        self.assertEqual(
            str(self.computes["cmp1"].service_ref.uuid),
            self.report_of(HOSTS[0]).service_id,
        )

    def test_our_own_flags_are_no_report(self) -> None:
        before = self.report_of(HOSTS[0])
        service_id = self.crash(HOSTS[0])
        self.adapter.disable(service_id, "nova-ha case 1")
        record = objects.Service.get_by_id(
            nova_context.get_admin_context(),
            self.computes["cmp1"].service_ref.id,
        )
        if before.reported_at is not None:
            self.assertNotEqual(record.updated_at, before.reported_at)
        after = self.report_of(HOSTS[0])
        self.assertTrue(after.forced_down and after.disabled)
        self.assertEqual("nova-ha case 1", after.disabled_reason)
        self.assertEqual(before.reported_at, after.reported_at)
        self.assertEqual(
            before.reported_at, self.report_of(HOSTS[0]).reported_at
        )

    def test_flags_are_cleared(self) -> None:
        service_id = str(self.computes["cmp1"].service_ref.uuid)
        self.adapter.force_down(service_id, True)
        self.adapter.disable(service_id, "x" * 300)
        self.adapter.force_down(service_id, False)
        self.adapter.enable(service_id)
        report = self.report_of(HOSTS[0])
        self.assertFalse(report.forced_down or report.disabled)
        self.assertEqual("", report.disabled_reason)

    def test_unknown_service_is_refused(self) -> None:
        error = self.assertRaises(
            exception.ComputeRefused,
            self.adapter.enable,
            "3c9e2e2c-9f5c-4c7e-8d35-6f0e8c0c7f11",
        )
        self.assertEqual(404, error.status)

    def test_services_of_a_down_cell_are_missing(self) -> None:
        with self.down_cell():
            self.assertEqual([], list(self.adapter.services()))

    def test_hypervisor_types(self) -> None:
        self.assertEqual(
            {name: "fake" for name in HOSTS}, self.adapter.hypervisor_types()
        )


class TestInstances(InProcessNova):
    api_max_limit = 2  # several pages

    def test_all_of_a_host_with_what_they_hold(self) -> None:
        booted = self.boot("cmp1", 5)
        self.boot("cmp2")
        found = self.adapter.instances(HOSTS[0])
        self.assertEqual(sorted(booted), sorted(i.id for i in found))
        one = found[0]
        self.assertEqual("active", one.vm_state)
        self.assertTrue(one.launched)
        self.assertEqual(
            one.resources, self.adapter.instance(one.id).resources
        )
        self.assertIn("VCPU", one.resources)

    def test_none_on_an_empty_host(self) -> None:
        self.assertEqual([], list(self.adapter.instances(HOSTS[2])))

    def test_soft_deleted_ones_are_shown(self) -> None:
        self.flags(reclaim_instance_interval=3600)
        (instance,) = self.boot("cmp1")
        self.api.delete_server(instance)
        self._wait_for_state_change({"id": instance}, "SOFT_DELETED")
        (found,) = self.adapter.instances(HOSTS[0])
        self.assertEqual("soft-delete", found.vm_state)

    def test_a_down_cell_is_never_an_empty_host(self) -> None:
        self.adapter.instances(HOSTS[0])  # the hypervisors are known
        self.boot("cmp1", 2)
        with self.down_cell():
            self.assertRaises(
                exception.CellDown, self.adapter.instances, HOSTS[0]
            )
            self.assertRaises(
                exception.CellDown, self.adapter.instances, HOSTS[2]
            )

    def test_a_down_cell_and_nothing_known(self) -> None:
        self.boot("cmp1")
        with self.down_cell():
            self.assertRaises(
                exception.ComputeUnavailable, self.adapter.instances, HOSTS[0]
            )

    def test_unknown_host(self) -> None:
        self.assertRaises(
            exception.ComputeError, self.adapter.instances, "cmp9"
        )

    def test_unknown_instance(self) -> None:
        self.assertIsNone(
            self.adapter.instance("3c9e2e2c-9f5c-4c7e-8d35-6f0e8c0c7f11")
        )

    def test_one_instance_of_a_down_cell(self) -> None:
        (instance,) = self.boot("cmp1")
        with self.down_cell():
            self.assertRaises(
                exception.CellDown, self.adapter.instance, instance
            )


class TestEvacuation(InProcessNova):
    def test_there_and_back(self) -> None:
        (instance,) = self.boot("cmp1")
        self.assertEqual([], list(self.adapter.migrations(HOSTS[0])))
        service_id = self.crash(HOSTS[0])
        self.adapter.evacuate(instance, HOSTS[2])
        self._wait_for_migration_status({"id": instance}, ["done"])

        for seen in (
            self.adapter.migrations(HOSTS[0]),  # as source
            self.adapter.migrations(HOSTS[2]),  # as destination
            self.adapter.instance_migrations(instance),
        ):
            (record,) = seen
            self.assertEqual("evacuation", record.kind)
            self.assertEqual("done", record.status)
            self.assertEqual(("cmp1", "cmp3"), (record.source, record.dest))
        self.assertEqual([], list(self.adapter.migrations(HOSTS[1])))
        self.assertEqual("cmp3", self.adapter.instance(instance).host)
        self.assertEqual([], list(self.adapter.instances(HOSTS[0])))

        error = self.assertRaises(
            exception.ComputeRefused,
            self.adapter.force_down,
            service_id,
            False,
        )
        self.assertEqual(400, error.status)
        self.computes["cmp1"] = self.restart_compute_service(
            self.computes["cmp1"]
        )
        (record,) = self.adapter.migrations(HOSTS[0])
        self.assertEqual("completed", record.status)
        self.adapter.force_down(service_id, False)

    def test_refused_while_the_service_is_up(self) -> None:
        (instance,) = self.boot("cmp1")
        self.assertRaises(
            exception.ComputeRefused,
            self.adapter.evacuate,
            instance,
            HOSTS[1],
        )
        self.assertEqual([], list(self.adapter.instance_migrations(instance)))

    def test_no_valid_host_is_an_error_record(self) -> None:
        (instance,) = self.boot("cmp1")
        self.crash(HOSTS[0])
        self.adapter.disable(self.crash(HOSTS[1]), "gone")
        self.adapter.evacuate(instance, HOSTS[1])
        self._wait_for_migration_status({"id": instance}, ["error"])
        (record,) = self.adapter.migrations(HOSTS[0])
        self.assertEqual(("error", "cmp2"), (record.status, record.dest))
        self._wait_for_state_change({"id": instance}, "ERROR")
        self.adapter.repair_state(instance)
        self.assertEqual("active", self.adapter.instance(instance).vm_state)

    def test_migrations_of_a_down_cell(self) -> None:
        (instance,) = self.boot("cmp1")
        self.crash(HOSTS[0])
        self.adapter.evacuate(instance, HOSTS[2])
        self._wait_for_migration_status({"id": instance}, ["done"])
        self.adapter.migrations(HOSTS[0])
        with self.down_cell():
            for host in HOSTS:  # with and without known records
                self.assertRaises(
                    exception.CellDown, self.adapter.migrations, host
                )
            self.assertRaises(
                exception.CellDown,
                self.adapter.instance_migrations,
                instance,
            )


class TestFacts(InProcessNova):
    """What the recovery must know of Nova's records; a Nova in which one of
    these fails needs another look at the recovery."""

    def leave_behind(self, instance: model.InstanceId) -> int:
        """A record ``accepted`` whose conductor has died."""
        record = objects.Migration(
            nova_context.get_admin_context(),
            source_compute="cmp1",
            source_node="cmp1",
            dest_compute="cmp2",
            instance_uuid=instance,
            status="accepted",
            migration_type="evacuation",
            user_id="admin",
            project_id=self.admin_api.project_id,
        )
        record.create()
        return int(record.id)

    def test_completed_does_not_mean_moved(self) -> None:
        """A source that comes back completes what has never happened."""
        (instance,) = self.boot("cmp1")
        self.crash(HOSTS[0])
        left = self.leave_behind(instance)
        self.computes["cmp1"] = self.restart_compute_service(
            self.computes["cmp1"]
        )
        (record,) = self.adapter.migrations(HOSTS[0])
        self.assertEqual((left, "completed"), (record.id, record.status))
        self.assertEqual("cmp1", self.adapter.instance(instance).host)

    def test_stale_record_takes_the_place_of_the_new_one(self) -> None:
        """The conductor goes on with any record that is ``accepted``: the
        old one becomes ``done``, the new one stays as it is."""
        (instance,) = self.boot("cmp1")
        self.crash(HOSTS[0])
        left = self.leave_behind(instance)
        self.adapter.evacuate(instance, HOSTS[2])
        self._wait_for_migration_status({"id": instance}, ["done"])
        new, old = self.adapter.instance_migrations(instance)
        self.assertEqual(
            (left, "done", "cmp3"), (old.id, old.status, old.dest)
        )
        self.assertEqual(("accepted", "cmp3"), (new.status, new.dest))
        self.assertEqual("cmp3", self.adapter.instance(instance).host)


class TestTargets(InProcessNova):
    def test_room_by_service_host(self) -> None:
        (before, *_) = self.adapter.targets([{"VCPU": 1, "MEMORY_MB": 64}])
        self.assertEqual("cmp1", before.host)
        (instance,) = self.boot("cmp1")
        held = self.adapter.instance(instance).resources
        (after, *_) = self.adapter.targets([{"VCPU": 1, "MEMORY_MB": 64}])
        self.assertEqual(
            {name: n - held.get(name, 0) for name, n in before.free.items()},
            after.free,
        )

    def test_no_room(self) -> None:
        self.assertEqual([], list(self.adapter.targets([{"VCPU": 10000}])))
        self.assertEqual([], list(self.adapter.targets([])))

    def test_larger_than_one_unit_may_be(self) -> None:
        """Two requests of which only the small one is offered."""
        total = self.computes["cmp1"].driver.vcpus
        targets = self.adapter.targets([{"VCPU": 1}, {"VCPU": total + 1}])
        self.assertEqual(HOSTS, [t.host for t in targets])
        for target in targets:
            self.assertEqual(total, target.free["VCPU"])


if __name__ == "__main__":
    unittest.main()
