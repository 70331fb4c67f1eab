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

import unittest.mock

import stevedore
from oslo_config import cfg

from nova_ha import clock
from nova_ha import exception
from nova_ha.agent import guests
from nova_ha.agent.checks import compute_service
from nova_ha.agent.checks import instances_path
from nova_ha.assembly import agent as assembly
from nova_ha.conf import agent as agent_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.core import agent_policy
from tests import base


class TestAgentAssembly(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = cfg.ConfigOpts()
        agent_conf.register_opts(self.conf)
        zookeeper_conf.register_opts(self.conf)
        self.conf([], default_config_files=[])
        self.clock = clock.SystemClock()

    def _set(self, **options):
        for name, value in options.items():
            self.conf.set_override(name, value, group="agent")
            # All ConfigOpts share a group's options, overrides included.
            self.addCleanup(self.conf.clear_override, name, group="agent")

    def _refused(self, function, *arguments):
        return self.assertRaises(
            exception.ConfigError, function, self.conf, *arguments
        )

    def test_the_defaults_of_policy_and_options_agree(self):
        self.assertEqual(
            agent_policy.AgentPolicy(), assembly.policy(self.conf)
        )

    def test_colocated_services(self):
        for given, expected in (
            (["auto"], None),
            (["none"], ()),
            (["Engine", "zookeeper"], ("engine", "zookeeper")),
        ):
            self._set(colocated_services=given)
            self.assertEqual(expected, assembly.colocated(self.conf))
        for given in (["engin"], ["none", "engine"], ["auto", "none"], []):
            self._set(colocated_services=given)
            error = self._refused(assembly.colocated)
            self.assertEqual("[agent] colocated_services", error.option)

    def test_the_default_checks_leave_out_libvirt_without_an_uri(self):
        self.assertEqual(
            [
                compute_service.ComputeServiceCheck,
                instances_path.InstancesPathCheck,
            ],
            [type(c) for c in assembly.checks(self.conf, self.clock)],
        )

    def test_an_unknown_driver_is_named_with_those_known(self):
        self._set(checks=["compute_service", "fan_speed"])
        error = self._refused(assembly.checks, self.clock)
        self.assertEqual("[agent] checks", error.option)
        self.assertIn("'fan_speed'", error.problem)
        self.assertIn("instances_path", error.remedy)
        self._set(guests_driver="vmware")
        error = self._refused(assembly.guests, self.clock)
        self.assertEqual("[agent] guests_driver", error.option)
        self.assertIn("command, libvirt", error.remedy)

    def test_a_broken_driver_is_named(self):
        self._set(guests_driver="command")
        with unittest.mock.patch.object(
            stevedore.DriverManager,
            "_load_one_plugin",
            side_effect=ImportError("no module frobnicate"),
        ):
            error = self._refused(assembly.guests, self.clock)
        self.assertIn("command cannot be loaded", error.problem)
        self.assertIn("frobnicate", error.problem)

    def test_guests_by_command(self):
        self._set(guests_driver="command", guests_command="true")
        source = assembly.guests(self.conf, self.clock)
        self.assertIsInstance(source, guests.CommandGuests)
        self.assertEqual(frozenset(), source.running())

    def test_libvirt_guests_without_the_library_say_what_to_do(self):
        with unittest.mock.patch.dict("sys.modules", {"libvirt": None}):
            error = self._refused(assembly.guests, self.clock)
        self.assertEqual("[agent] guests_driver", error.option)
        self.assertIn("nova-ha[libvirt]", error.remedy)
