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

"""The port for metrics, from its options."""

import socket

from oslo_config import cfg

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import metrics
from nova_ha.conf import metrics as metrics_conf
from tests import base


class OpenedTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = cfg.ConfigOpts()
        metrics_conf.register_opts(self.conf)
        self.conf([], project="nova-ha-test", default_config_files=[])

    def override(self, name, value):
        self.conf.set_override(name, value, group="metrics")
        # The group is the module's own, and outlives this configuration.
        self.addCleanup(self.conf.clear_override, name, group="metrics")

    def opened(self):
        return metrics.opened(self.conf, clock.SystemClock())

    def test_none_unless_a_port_is_given(self):
        with self.opened() as meter:
            self.assertIsNone(meter.latest)

    def test_a_port_is_free_again_afterwards(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.override("port", port)
        for _ in range(2):
            with self.opened():
                socket.create_connection(("127.0.0.1", port)).close()

    def test_a_port_in_use_is_an_error_that_names_it(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.override("port", port)
            error = self.assertRaises(
                exception.ConfigError, self.opened().__enter__
            )
        self.assertIn("[metrics]", str(error))
        self.assertIn(f"127.0.0.1 port {port}: Address already", str(error))

    def test_an_address_of_another_machine_too(self):
        self.override("port", 1)
        self.override("host", "192.0.2.1")
        self.assertRaises(exception.ConfigError, self.opened().__enter__)
