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

"""A bus in memory, with an engine's end and a command's."""

import pathlib
import tempfile
import unittest.mock

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock
from nova_ha.assembly import notify
from nova_ha.assembly import tree_store
from nova_ha.conf import nova as nova_conf
from nova_ha.conf import rpc as rpc_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.rpc import bus
from nova_ha.rpc import client
from nova_ha.rpc import server
from tests import base
from tests.unit.cmd import test_cli_samples as samples

CONF = """
[DEFAULT]
transport_url = fake://
[zookeeper]
namespace = {namespace}
username = engine
password = the-engines-own-password
[rpc]
enabled = true
timeout = 5
auth_strategy = noauth
zookeeper_password_file = {directory}/operator
[oslo_policy]
policy_file = {directory}/policy.yaml
"""


def write_conf(directory, namespace):
    """Write the options of an engine; returns the file."""
    password = directory / "operator"
    password.write_text("the-operators-password\n")
    password.chmod(0o600)
    file = directory / "nova-ha.conf"
    file.write_text(CONF.format(namespace=namespace, directory=directory))
    return file


class BusCase(base.TestCase):
    """Has a configuration and a store; each test a topic of its own."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.file = write_conf(self.directory, self.id().rpartition(".")[2])
        self.conf = self.configured()
        self.clock = clock.SystemClock()
        self.store = samples.FakeStore(samples.recovering())

    def configured(self, **changes):
        """The options of a process; ``changes`` are of [rpc]."""
        conf = cfg.ConfigOpts()
        for module in (nova_conf, rpc_conf, zookeeper_conf):
            module.register_opts(conf)
        notify.register_opts(conf)
        conf([], project="nova-ha-test", default_config_files=[str(self.file)])
        for name, value in changes.items():
            conf.set_override(name, value, group="rpc")
            # The group is the module's own, and outlives this configuration.
            self.addCleanup(conf.clear_override, name, group="rpc")
        return conf

    def serve(self, conf=None):
        """Have an engine answer from the store."""
        conf = conf or self.conf
        self.enterContext(
            unittest.mock.patch.object(
                tree_store, "connect", return_value=self.store
            )
        )
        engine = server.Server(conf, self.clock)
        self.addCleanup(engine.stop)
        engine.run()
        return engine

    def open(self, by="jane@ctl9", conf=None):
        """The store of a command."""
        return client.open_store(conf or self.conf, self.clock, by)

    def raw(self, conf=None):
        """A client that sends what it likes."""
        conf = conf or self.conf
        return oslo_messaging.get_rpc_client(
            bus.transport(conf),
            oslo_messaging.Target(
                topic=f"nova_ha_engine.{conf.zookeeper.namespace}"
            ),
            timeout=5,
        )
