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

"""Options of [zookeeper]."""

import os
import pathlib
from typing import Any

import fixtures
from oslo_config import cfg

from nova_ha import exception
from nova_ha.conf import zookeeper as options
from nova_ha.coordination import settings
from nova_ha.core import model
from tests import base


class SettingsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def conf(self, **values: Any) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        options.register_opts(conf)
        conf([], default_config_files=[], default_config_dirs=[])
        for name, value in values.items():
            conf.set_override(name, value, group="zookeeper")
            # Groups are shared by all ConfigOpts of a process.
            self.addCleanup(conf.clear_override, name, group="zookeeper")
        return conf

    def file(self, text: str, mode: int = 0o600) -> str:
        path = self.directory / "password"
        path.write_text(text)
        os.chmod(path, mode)
        return str(path)

    def refused(self, option: str, words: str, **values: Any) -> None:
        conf = self.conf(**values)
        error = self.assertRaises(
            exception.ConfigError, settings.from_conf, conf
        )
        for name in values:
            conf.clear_override(name, group="zookeeper")
        self.assertEqual(f"[zookeeper] {option}", error.option)
        self.assertIn(words, str(error))
        self.assertNotIn("s3cret", str(error))

    def test_defaults(self) -> None:
        made = settings.from_conf(
            self.conf(username="engine", password="s3cret")
        )
        self.assertEqual(
            ("127.0.0.1:2181", "default", 10.0, 15.0, True, False),
            (
                made.hosts,
                made.namespace,
                made.session_timeout,
                made.connect_timeout,
                made.verify,
                made.use_ssl,
            ),
        )
        self.assertNotIn("s3cret", repr(made))

    def test_password_file(self) -> None:
        for mode in (0o600, 0o640, 0o400):
            path = self.file("s3cret\n", mode)
            made = settings.from_conf(
                self.conf(username="engine", password_file=path)
            )
            self.assertEqual("s3cret", made.password)

    def test_password_files_that_cannot_be_used(self) -> None:
        for text, mode, words in (
            ("s3cret", 0o644, "is open to others (mode 644)"),
            ("s3cret", 0o660, "chmod 640"),
            ("\n", 0o600, "must hold one line"),
            ("s3cret\ns3cret\n", 0o600, "must hold one line"),
        ):
            path = self.file(text, mode)
            self.refused(
                "password_file", words, username="engine", password_file=path
            )
        self.refused(
            "password_file",
            "No such file",
            username="engine",
            password_file="/nowhere/at/all",
        )

    def test_credentials_are_needed(self) -> None:
        self.refused("username", "no credentials")
        self.refused("username", "password_file", username="engine")
        self.refused("username", "no credentials", password="s3cret")
        self.refused("username", "colon", username="a:b", password="s3cret")

    def test_no_servers(self) -> None:
        self.refused(
            "hosts", "empty", hosts=" ", username="a", password="s3cret"
        )

    def test_tls_files(self) -> None:
        account = {"username": "engine", "password": "s3cret"}
        self.refused("ca_file", "cannot be read", ca_file="/no", **account)
        path = self.file("x")
        self.refused("cert_file", "key_file", cert_file=path, **account)
        made = settings.from_conf(
            self.conf(cert_file=path, key_file=path, ca_file=path, **account)
        )
        self.assertEqual(path, made.ca_file)

    def test_other_sections_are_named(self) -> None:
        error = self.assertRaises(
            exception.ConfigError,
            settings.Settings,
            hosts="",
            section="[nova_ha] zookeeper_",
        )
        self.assertEqual("[nova_ha] zookeeper_hosts", error.option)

    def test_an_agent_has_a_second_credential(self) -> None:
        host = model.HostName("c1")
        role = {"username": "agent", "password": "s3cret"}
        shared = settings.for_agent(self.conf(**role), host)
        self.assertEqual((("agent", "s3cret"),), shared.credentials)
        path = self.file("own-s3cret\n")
        conf = self.conf(**role, host_password_file=path)
        self.assertEqual(
            (("agent", "s3cret"), ("agent@c1", "own-s3cret")),
            settings.for_agent(conf, host).credentials,
        )
        self.assertNotIn("s3cret", repr(settings.for_agent(conf, host)))
        # Nobody but an agent reads it.
        self.assertEqual(
            shared.credentials, settings.from_conf(conf).credentials
        )
        os.chmod(path, 0o644)
        error = self.assertRaises(
            exception.ConfigError, settings.for_agent, conf, host
        )
        self.assertEqual("[zookeeper] host_password_file", error.option)
