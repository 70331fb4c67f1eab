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

"""``nova-ha evacuate --dry-run`` on a store and a Nova in memory."""

import dataclasses
import json
import unittest.mock

from nova_ha import exception
from nova_ha.assembly import nova as assembly
from nova_ha.core import model
from nova_ha.core.model import CaseState
from tests.unit.cmd import test_cli_evacuate
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.core import builders as make


def instance(number, **changes):
    values = {
        "name": f"vm-{number}",
        "host": "cmp2",
        "resources": {"VCPU": 1},
        "image": "cirros",
    } | changes
    return make.instance(samples.GUEST.format(number), **values)


class DryRunTest(test_cli_evacuate.EvacuateCase):
    def setUp(self):
        super().setUp()
        self.nova = unittest.mock.Mock(
            spec_set=[
                "services",
                "instances",
                "migrations",
                "instance_migrations",
                "targets",
            ]
        )
        self.nova.services.return_value = [
            make.service("cmp1"),
            make.service("cmp2", up=False),
        ]
        self.nova.instances.return_value = [instance(1), instance(2)]
        self.nova.migrations.return_value = []
        self.nova.instance_migrations.return_value = []
        self.nova.targets.return_value = [
            model.Target(host="cmp1", free={"VCPU": 1})
        ]
        self.opened = self.enterContext(
            unittest.mock.patch.object(
                assembly, "open_compute", return_value=self.nova
            )
        )
        with self.conf.open("a") as file:
            file.write("[evacuation]\nshared_disks = true\n")

    def look(self, *arguments, host="cmp2"):
        """Returns the exit status and what was shown."""
        status = self._run(
            *("evacuate", host, "--dry-run", "-f", "json", *arguments)
        )
        self.assertEqual([], self._changes())
        return status, json.loads(self.output)

    def test_some_move_and_some_have_no_room(self):
        status, shown = self.look()
        self.assertEqual(1, status)
        self.assertIsNone(shown["refused"])
        first, second = shown["instances"]
        self.assertEqual(
            ("moves", 1, "cmp1"),
            (first["outcome"], first["turn"], first["target"]),
        )
        self.assertEqual(("waits", None), (second["outcome"], second["turn"]))
        self.assertIn("no live host has room", second["why"])

    def test_all_would_move(self):
        self.nova.targets.return_value = [
            model.Target(host="cmp1", free={"VCPU": 9})
        ]
        status, shown = self.look()
        self.assertEqual(0, status)
        self.assertTrue(shown["complete"])

    def test_as_people_read_it(self):
        self.assertEqual(1, self._run("evacuate", "cmp2", "--dry-run"))
        self.assertIn("would be followed", self.output)
        self.assertIn("confirm-fenced cmp2", self.output)
        self.assertRegex(self.output, r"\| 1 +\|.*vm-1 .*moves .*cmp1")

    def test_a_live_host(self):
        self.nova.services.return_value = [
            make.service("cmp1"),
            make.service("cmp2"),
        ]
        self.nova.targets.return_value = [
            model.Target(host="cmp2", free={"VCPU": 9})
        ]
        status, shown = self.look(host="cmp1")
        self.assertEqual(1, status)
        self.assertIn("the agent of cmp1 has a beacon", shown["refused"])
        self.assertTrue(shown["agent_alive"])
        self.assertEqual(
            "up: no fencing while it reports", shown["nova_compute"]
        )

    def test_what_is_left_and_why(self):
        self.nova.instances.return_value = [
            instance(1, vm_state="paused"),
            instance(2, vm_state="suspended"),
        ]
        moved, left = self.look()[1]["instances"]
        self.assertIn("os-resetState", moved["why"])
        self.assertEqual("left", left["outcome"])
        self.assertIn("saved memory", left["why"])

    def test_one_that_was_off_in_error(self):
        self.nova.instances.return_value = [
            instance(1, vm_state="error", power_state=4)
        ]
        (one,) = self.look()[1]["instances"]
        self.assertIn("os-stop", one["why"])

    def test_one_that_another_host_may_run(self):
        self.store.pictured = samples.picture(
            samples.facts("cmp1", guests=("x",)),
            samples.facts("cmp2", present=False),
        )
        self.nova.instances.return_value = [instance(1)]
        self.nova.migrations.return_value = [
            make.migration(
                *(7, "failed", "cmp1", "cmp2"),
                instance=instance(1).id,
                kind="live-migration",
            )
        ]
        (one,) = self.look()[1]["instances"]
        self.assertEqual("asks first", one["outcome"])

    def test_only_what_is_named(self):
        first, second = self.look("--server", instance(2).id)[1]["instances"]
        self.assertEqual(
            (2, "moves"), (int(first["id"][-1]), first["outcome"])
        )
        self.assertIn("has named other instances", second["why"])

    def test_an_open_case_with_its_proof(self):
        self._put(
            samples.case(
                state=CaseState.PARTIAL.value, evidence=make.evidence()
            )
        )
        self.assertIn("given: power-off", self.look()[1]["proof"])

    def test_the_levels_of_the_host(self):
        self.assertIn("not known here", self.look()[1]["fence_levels"])
        topology = self.directory / "fencing.yaml"
        topology.touch(mode=0o600)
        topology.write_text(
            "devices:\n  me: {driver: operator}\n"
            "hosts:\n  'cmp*': {levels: [[me]]}\n"
        )
        self.assertEqual("level 1: me", self.look()[1]["fence_levels"])

    def test_while_disarmed(self):
        self.store.pictured = dataclasses.replace(
            self.store.pictured, control=model.Control()
        )
        self.look()
        self.assertIn("disarmed", self.errors)

    def test_no_instances(self):
        self.nova.instances.return_value = []
        self.assertEqual(0, self._run("evacuate", "cmp2", "--dry-run"))
        self.assertIn("Nova books no instance there", self.output)

    def test_nova_does_not_answer(self):
        self.nova.instances.side_effect = exception.ComputeUnavailable("away")
        self.assertEqual(2, self._run("evacuate", "cmp2", "--dry-run"))
        self.assertEqual("ERROR: away\n", self.errors)

    def test_a_host_that_is_not_enrolled(self):
        self.store.pictured = samples.picture(
            dataclasses.replace(samples.facts("cmp2"), record=None)
        )
        self.assertEqual(2, self._run("evacuate", "cmp2", "--dry-run"))
        self.assertIn("cmp2 is not enrolled", self.errors)


class CredentialsTest(test_cli_evacuate.EvacuateCase):
    def test_without_them(self):
        self.assertEqual(2, self._run("evacuate", "cmp2", "--dry-run"))
        self.assertIn("[nova] auth_type: is not set", self.errors)
