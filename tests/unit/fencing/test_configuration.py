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


import pathlib

import fixtures

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base as fencing_base
from nova_ha.fencing import configuration
from nova_ha.fencing import ipmi
from nova_ha.fencing import operator
from nova_ha.fencing import redfish
from tests import base
from tests.unit.fencing import fakes

FIND = fakes.finder(
    fake=fakes.FakeDriver,
    ipmi=ipmi.IpmiDriver,
    operator=operator.OperatorDriver,
    redfish=redfish.RedfishDriver,
)


class ConfigurationTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "fencing.yaml"

    def _load(self, content: str) -> configuration.Configuration:
        self.path.touch(mode=0o600)
        self.path.write_text(content)
        return configuration.load(str(self.path), FIND)

    def _refused(self, content: str) -> exception.ConfigError:
        return self.assertRaises(exception.ConfigError, self._load, content)

    def _device(self, text: str) -> exception.ConfigError:
        return self._refused(f"devices:\n  d: {{{text}}}\n")

    def _hosts(self, text: str) -> configuration.Configuration:
        return self._load(
            "devices:\n"
            "  a: {driver: fake, address: a, password: p}\n"
            "  b: {driver: fake, address: b, password: p}\n"
            "  each: {driver: fake, address: '{host}', password: p}\n"
            "  every: {driver: fake, address: 'x{host}', password: p}\n"
            f"hosts: {{{text}}}\n"
        )

    # -- devices -------------------------------------------------------------

    def test_sample_is_valid(self) -> None:
        root = pathlib.Path(__file__).parents[3]
        sample = root / "etc/nova-ha/fencing.yaml.sample"
        config = self._load(sample.read_text())
        self.assertEqual(
            {"bmc-compute-1", "bmc-compute-2", "bmc-rack-7", "person"},
            set(config.devices),
        )

    def test_defaults_and_types(self) -> None:
        config = self._load(
            "devices: {d: {driver: ipmi, address: x, username: u,"
            " password: p}}"
        )
        values = config.devices["d"].parameters
        self.assertEqual(623, values.integer("port"))
        self.assertEqual("p", values.secret("password").reveal())
        self.assertIsNone(values["cipher_suite"])

    def test_empty_sections_are_allowed(self) -> None:
        config = self._load("devices:\nhosts:\n")
        self.assertEqual(({}, []), (config.devices, config.rules))

    def test_errors_name_place_and_remedy(self) -> None:
        fake = "driver: fake, address: a"
        for text, place, words in (
            ("address: a", "d", "no driver"),
            ("driver: nonsense", "d.driver", "there is no driver"),
            ("driver: 3", "d.driver", "must be a string"),
            (f"{fake}, password: p, colour: red", "d.colour", "not known"),
            (f"{fake}", "d", "lacks password or password_env or"),
            (f"{fake}, password: 12", "d.password", "must be a string"),
            (f"{fake}, password: p, port: '1'", "d.port", "integer"),
            (f"{fake}, password: p, port: 10", "d.port", "more than 9"),
            (f"{fake}, password: p, mode: c", "d.mode", "not one of a, b"),
            (f"{fake}, password: p, call_timeout: 0", "d.call_timeout", ""),
            (
                f"{fake}, password: p, fence_timeout: .nan",
                "d.fence_timeout",
                "",
            ),
        ):
            error = self._device(text)
            self.assertEqual(f"{self.path}:2: devices.{place}", error.option)
            self.assertIn(words, error.problem)

    def test_sections(self) -> None:
        for content, words in (
            ("[]", "must be a mapping"),
            ("device: {}", "is not known here"),
            ("devices: []", "must be a mapping"),
            ("devices: {d: ipmi}", "must be a mapping"),
            ("hosts: {h: [[d]]}", "must be a mapping"),
        ):
            self.assertIn(words, self._refused(content).problem)

    def test_driver_parameters(self) -> None:
        ipmi_device = "driver: ipmi, username: u, password: p"
        redfish_device = "driver: redfish, username: u, password: p"
        for text in (
            f"{ipmi_device}, address: '-x'",
            f"{ipmi_device}, address: a, privilege: ROOT",
            f"{ipmi_device}, address: a, cipher_suite: 99",
            f"{redfish_device}, address: bmc1",
            f"{redfish_device}, address: 'ftp://bmc1'",
            f"{redfish_device}, address: 'https://u:hunter2@bmc1'",
            f"{redfish_device}, address: 'https://bmc1:x'",
            f"{redfish_device}, address: 'https://b', system: one",
            f"{redfish_device}, address: 'https://b', auth: digest",
            f"{redfish_device}, address: 'https://b', verify_tls: 'no'",
        ):
            self.assertNotIn("hunter2", str(self._device(text)))

    def test_driver_that_cannot_be_loaded(self) -> None:
        def find(name: str) -> type[fencing_base.FenceDriver]:
            raise ImportError("needs sushy; pip install nova-ha[redfish]")

        self.path.touch(mode=0o600)
        self.path.write_text("devices: {d: {driver: redfish}}")
        error = self.assertRaises(
            exception.ConfigError, configuration.load, str(self.path), find
        )
        self.assertIn("pip install", error.problem)

    # -- secrets -------------------------------------------------------------

    def test_secret_from_file_and_environment(self) -> None:
        secret = self.directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text("from file\n")
        self.useFixture(fixtures.EnvironmentVariable("NOVA_HA_T", "from env"))
        config = self._load(
            "devices:\n"
            "  a: {driver: fake, address: a, password_file: secret}\n"
            "  b: {driver: fake, address: b, password_env: NOVA_HA_T}\n"
        )
        for name, expected in (("a", "from file"), ("b", "from env")):
            values = config.devices[name].parameters
            self.assertEqual(expected, values.secret("password").reveal())
        self.assertEqual((str(self.path), str(secret)), config.sources)

    def test_secret_sources_that_do_not_work(self) -> None:
        opened = self.directory / "opened"
        opened.write_text("hunter2")
        opened.chmod(0o644)
        empty = self.directory / "empty"
        empty.touch(mode=0o600)
        for text, key, words in (
            ("password_file: missing", "password_file", "cannot be read"),
            ("password_file: opened", "password_file", "others"),
            ("password_file: empty", "password_file", "not empty"),
            ("password_env: NOVA_HA_NO", "password_env", "not set"),
            ("password: a, password_env: B", "password_env", "together"),
            ("password: [hunter2]", "password", "must be a string"),
        ):
            error = self._device(f"driver: fake, address: a, {text}")
            self.assertEqual(f"{self.path}:2: devices.d.{key}", error.option)
            self.assertIn(words, error.problem)
            self.assertNotIn("hunter2", str(error))

    # -- hosts ---------------------------------------------------------------

    def test_levels(self) -> None:
        config = self._hosts("h: {levels: [[a, b], [each]]}")
        rule = config.rule_for(model.HostName("h"))
        self.assertEqual((("a", "b"), ("each",)), rule.levels)

    def test_bad_levels(self) -> None:
        for levels, words in (
            ("[a]", "is a list of devices"),
            ("a", "must be a list"),
            ("[]", "no level"),
            ("[[]]", "is a list of devices"),
            ("[[a], []]", "is a list of devices"),
            ("[[c]]", "there is no device 'c'"),
            ("[[a, a]]", "twice"),
            ("[[1]]", "must be a string"),
        ):
            error = self.assertRaises(
                exception.ConfigError, self._hosts, f"h: {{levels: {levels}}}"
            )
            self.assertIn(words, error.problem)
            self.assertIn(f"{self.path}:6: hosts.h", error.option)
        for text in ("h: {}", "h: {levels: [[a]], level: 1}"):
            self.assertRaises(exception.ConfigError, self._hosts, text)

    def test_most_specific_wins(self) -> None:
        config = self._hosts(
            "'*': {levels: [[each]]},"
            " 'cmp*': {levels: [[every]]},"
            " 'cmp-1*': {levels: [[each], [every]]},"
            " cmp-12: {levels: [[a]]}"
        )
        for host, pattern in (
            ("other", "*"),
            ("cmp", "cmp*"),
            ("cmp-2", "cmp*"),
            ("cmp-1", "cmp-1*"),
            ("cmp-12", "cmp-12"),
            ("cmp-12.az2", "cmp-1*"),
            ("CMP-12", "*"),
        ):
            rule = config.rule_for(model.HostName(host))
            self.assertEqual(pattern, rule.pattern, host)

    def test_ambiguous_match(self) -> None:
        config = self._hosts(
            "'cmp-*': {levels: [[each]]}, '*-cmp': {levels: [[every]]}"
        )
        self.assertIsNone(config.rule_for(model.HostName("x")))
        error = self.assertRaises(
            exception.ConfigError, config.rule_for, model.HostName("cmp-cmp")
        )
        self.assertIn("as closely as", error.problem)

    # -- one chassis is the proof of one host only ---------------------------

    def test_device_of_two_hosts(self) -> None:
        error = self.assertRaises(
            exception.ConfigError,
            self._hosts,
            "h1: {levels: [[a]]}, h2: {levels: [[b], [a]]}",
        )
        self.assertIn("device a", error.problem)
        self.assertIn("h1", error.problem)

    def test_same_chassis_under_two_names(self) -> None:
        error = self._refused(
            "devices:\n"
            "  a: {driver: ipmi, address: bmc, username: u, password: p}\n"
            "  b: {driver: ipmi, address: BMC, username: v, password: q}\n"
            "hosts:\n"
            "  h1: {levels: [[a]]}\n"
            "  h2: {levels: [[b]]}\n"
        )
        self.assertEqual(f"{self.path}:6: hosts.h2", error.option)
        self.assertIn("ipmi bmc port 623", error.problem)

    def test_one_device_for_a_pattern(self) -> None:
        error = self.assertRaises(
            exception.ConfigError, self._hosts, "'h*': {levels: [[a]]}"
        )
        self.assertIn("{host}", error.remedy)

    def test_host_only_in_what_is_no_address(self) -> None:
        error = self._refused(
            "devices:\n"
            "  a: {driver: ipmi, address: b, username: '{host}',"
            " password: p}\n"
            "hosts: {'h*': {levels: [[a]]}}\n"
        )
        self.assertIn("one device, for every host", error.problem)

    def test_systems_of_one_chassis_manager(self) -> None:
        device = (
            "{driver: redfish, address: 'https://m', username: u,"
            " password: p, system: /redfish/v1/Systems/%d}"
        )
        self._load(
            f"devices:\n  a: {device % 1}\n  b: {device % 2}\n"
            "hosts: {h1: {levels: [[a]]}, h2: {levels: [[b]]}}"
        )

    def test_two_ways_to_one_chassis_for_one_host(self) -> None:
        self._load(
            "devices:\n"
            "  a: {driver: ipmi, address: b, username: u, password: p}\n"
            "  b: {driver: ipmi, address: b, username: v, password: p}\n"
            "hosts: {h: {levels: [[a], [b]]}}\n"
        )
