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

"""The [nova_ha] options of nova.conf become settings of a session."""

import os

import fixtures
from oslo_config import cfg

from nova_ha import exception
from nova_ha.assembly import view
from nova_ha.conf import scheduler
from tests import base


class TestSettings(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = cfg.ConfigOpts()
        scheduler.register_opts(self.conf)
        self.conf([])
        folder = self.useFixture(fixtures.TempDir())
        self.file = folder.join("password")
        with open(self.file, "w") as file:
            file.write("secret\n")
        os.chmod(self.file, 0o640)
        self.set(zookeeper_password_file=self.file)

    def set(self, **values: object) -> None:
        for name, value in values.items():
            self.conf.set_override(name, value, "nova_ha")

    def test_all_options_arrive(self) -> None:
        self.set(
            zookeeper_hosts="zk1:2181",
            zookeeper_namespace="RegionOne",
            zookeeper_session_timeout=4.0,
            zookeeper_use_ssl=True,
            zookeeper_verify=False,
        )
        settings = view.settings(self.conf)
        self.assertEqual("zk1:2181", settings.hosts)
        self.assertEqual("RegionOne", settings.namespace)
        self.assertEqual(4.0, settings.session_timeout)
        self.assertEqual("scheduler", settings.username)
        self.assertEqual("secret", settings.password)
        self.assertTrue(settings.use_ssl)
        self.assertFalse(settings.verify)

    def test_errors_name_the_option_of_nova_conf(self) -> None:
        self.set(zookeeper_ca_file="/does/not/exist")
        error = self.assertRaises(
            exception.ConfigError, view.settings, self.conf
        )
        self.assertEqual("[nova_ha] zookeeper_ca_file", error.option)
        os.chmod(self.file, 0o644)
        error = self.assertRaises(
            exception.ConfigError, view.settings, self.conf
        )
        self.assertEqual("[nova_ha] zookeeper_password_file", error.option)
