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

"""``nova-ha host maintenance --drain`` on a Nova in memory."""

import dataclasses
import unittest.mock

from nova_ha import exception
from nova_ha.assembly import nova as assembly
from nova_ha.cmd import process
from nova_ha.cmd.commands import drain
from tests.unit.cmd import test_cli
from tests.unit.core import builders as make


class FakeNova:
    """Moves everything at once, but what ``fails``."""

    def __init__(self, host):
        self.service = make.service(host)
        self.servers = []
        self.records = []
        self.fails = {}
        self.calls = []

    def services(self):
        return [make.service("cmp1"), self.service]

    def disable(self, service_id, reason):
        self.calls.append(("disable", service_id, reason))
        self.service = dataclasses.replace(
            self.service, disabled=True, disabled_reason=reason
        )

    def enable(self, service_id):
        self.calls.append(("enable", service_id))

    def instances(self, host):
        return [one for one in self.servers if one.host == host]

    def migrations(self, host):
        return [one for one in self.records if host in (one.source, one.dest)]

    def live_migrate(self, instance):
        self._move(instance, "live-migration", "completed")

    def cold_migrate(self, instance):
        self._move(instance, "migration", "finished")

    def confirm_migration(self, instance):
        self.calls.append(("confirm", instance))
        self.records = [
            dataclasses.replace(one, status="confirmed")
            for one in self.records
        ]

    def _move(self, instance, kind, status):
        self.calls.append((kind, instance))
        error = self.fails.get(instance)
        if error is not None:
            raise error
        self.records.append(
            make.migration(
                *(len(self.records) + 1, status, "cmp1", "cmp2"),
                instance=instance,
                kind=kind,
            )
        )
        self.servers = [
            dataclasses.replace(one, host="cmp1")
            if one.id == instance
            else one
            for one in self.servers
        ]


class DrainCase(test_cli.CliTest):
    def setUp(self):
        super().setUp()
        self.nova = FakeNova("cmp2")
        self.opened = self.enterContext(
            unittest.mock.patch.object(
                assembly, "open_compute", return_value=self.nova
            )
        )
        self.enterContext(unittest.mock.patch.object(drain, "INTERVAL", 0.001))

    def boot(self, *names, **changes):
        self.nova.servers += [
            make.instance(name, host="cmp2", **changes) for name in names
        ]

    def drain(self, *arguments):
        return self._run(
            *("--as", "jane", "host", "maintenance", "on", "cmp2"),
            *("--reason", "RAM", "--drain", *arguments),
        )

    def asked(self, kind):
        return [call[1] for call in self.nova.calls if call[0] == kind]


class DrainTest(DrainCase):
    def test_first_nothing_new_may_land(self):
        self.assertEqual(0, self.drain())
        self.assertEqual(("maintenance", "cmp2", True), self._changes()[0][:3])
        ((_, service, reason),) = self.nova.calls
        self.assertEqual("service-cmp2", service)
        self.assertRegex(reason, "^nova-ha: maintenance: .*RAM")
        self.assertIn("cmp2 is empty", self.output)

    def test_all_are_moved(self):
        self.boot("i1", "i2", "i3", "i4", "i5", "i6")
        self.assertEqual(0, self.drain())
        self.assertEqual(6, len(self.asked("live-migration")))
        self.assertIn("name-i6: has left", self.output)

    def test_what_is_left_is_named(self):
        self.boot("i1")
        self.boot("i2", vm_state="stopped")
        self.boot("i3", vm_state="suspended")
        self.assertEqual(1, self.drain())
        self.assertIn("name-i2: left: it is stopped", self.output)
        self.assertIn(
            "2 instances are left on cmp2: name-i2, name-i3", self.output
        )

    def test_stopped_ones_are_moved_and_confirmed(self):
        self.boot("i2", vm_state="stopped")
        self.assertEqual(0, self.drain("--cold"))
        self.assertEqual(["i2"], self.asked("migration"))
        self.assertEqual(["i2"], self.asked("confirm"))

    def test_one_that_nova_refuses(self):
        self.boot("i1", "i2")
        self.nova.fails["i1"] = exception.ComputeRefused("HTTP 409", 409)
        self.assertEqual(1, self.drain())
        self.assertEqual(1, self.asked("live-migration").count("i1"))
        self.assertIn("Nova refuses: HTTP 409", self.output)

    def test_an_answer_that_got_lost(self):
        self.boot("i1")
        self.nova.fails["i1"] = exception.ComputeUnavailable("no answer")

        def instances(host):
            """It has taken effect all the same."""
            if self.asked("live-migration"):
                self.nova.servers = []
            return self.nova.servers

        self.nova.instances = instances
        self.assertEqual(0, self.drain())
        self.assertEqual(["i1"], self.asked("live-migration"))
        self.assertIn("Nova does not answer", self.errors)

    def test_somebody_stops_it(self):
        self.boot("i1", "i2")

        def run(body, stop):
            """Ctrl-C comes while the first request is being sent."""
            move = self.nova.live_migrate
            self.nova.live_migrate = lambda one: (move(one), stop())
            body()

        with unittest.mock.patch.object(process, "run_until_signalled", run):
            self.assertEqual(1, self.drain())
        self.assertEqual(["i1"], self.asked("live-migration"))
        self.assertIn("No further move is begun", self.errors)

    def test_a_host_that_is_down(self):
        self.nova.service = make.service("cmp2", up=False)
        self.assertEqual(2, self.drain())
        self.assertIn("is not up", self.errors)
        self.assertEqual([], self._changes())

    def test_without_credentials(self):
        self.opened.side_effect = exception.ConfigError(
            "[nova] auth_type", "is not set"
        )
        self.assertEqual(2, self.drain())
        self.assertEqual([], self._changes())

    def test_it_can_be_repeated(self):
        self.drain()
        self.assertEqual(0, self.drain())
        self.assertEqual(1, len(self.asked("disable")))
        self.assertNotIn("before", self.output)

    def test_one_that_an_operator_has_disabled(self):
        self.nova.service = make.service(
            "cmp2", disabled=True, disabled_reason="broken fan"
        )
        self.assertEqual(0, self.drain())
        self.assertEqual([], self.nova.calls)
        self.assertIn("was disabled before (broken fan)", self.output)


class BackTest(DrainCase):
    def back(self):
        return self._run("host", "maintenance", "off", "cmp2")

    def _disabled(self, reason):
        self.nova.service = make.service(
            "cmp2", disabled=True, disabled_reason=reason
        )

    def test_what_the_drain_has_disabled_is_enabled(self):
        self.drain()
        self.assertEqual(0, self.back())
        self.assertEqual(["service-cmp2"], self.asked("enable"))
        self.assertIn("is enabled again", self.output)

    def test_what_others_have_is_not(self):
        self._disabled("broken fan")
        self.assertEqual(0, self.back())
        self.assertEqual([], self.nova.calls)
        self.assertIn("stays disabled (broken fan)", self.output)

    def test_what_is_enabled_is_left_alone(self):
        self.assertEqual(0, self.back())
        self.assertEqual([], self.nova.calls)

    def test_without_credentials(self):
        self.opened.side_effect = exception.ConfigError(
            "[nova] auth_type", "is not set"
        )
        self.assertEqual(0, self.back())
        self.assertEqual(1, len(self._changes()))

    def test_nova_does_not_answer(self):
        self.nova.services = unittest.mock.Mock(
            side_effect=exception.ComputeUnavailable("away")
        )
        self.assertEqual(2, self.back())
        self.assertIn("is back", self.output)
        self.assertIn("run it again", self.errors)
