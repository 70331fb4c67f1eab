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

"""Agents that say what a test wants; real ones are in ``tests/contract``."""

import json
import pathlib

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import agent_metadata
from nova_ha.fencing import fence_agent
from nova_ha.fencing import topology
from tests import base
from tests.unit.fencing import fakes

HOST = model.HostName("h")

METADATA = """\
<?xml version="1.0" ?>
<resource-agent name="fence_x" shortdesc="x">
<parameters>
 <parameter name="action" required="1"><content type="string"/></parameter>
 <parameter name="ip" required="1" obsoletes="ipaddr">
  <content type="string"/><shortdesc>Where</shortdesc></parameter>
 <parameter name="ipaddr" required="1" deprecated="1">
  <content type="string"/></parameter>
 <parameter name="ipport"><content type="integer" default="1"/></parameter>
 <parameter name="password"><content type="string"/></parameter>
 <parameter name="password_script"><content type="string"/></parameter>
 <parameter name="plug"><content type="string"/></parameter>
 <parameter name="power_timeout"><content type="second"/></parameter>
 <parameter name="ssl"><content type="boolean"/></parameter>
 <parameter name="version_of"><content type="select">
  <option value="1"/><option value="2c"/></content></parameter>
 <parameter name="delay"><content type="second"/></parameter>
 <parameter name="method"><content type="select">
  <option value="cycle"/></content></parameter>
 <parameter name="missing_as_off"><content type="boolean"/></parameter>
 <parameter name="network_fencing"><content type="boolean"/></parameter>
 <parameter name="verbose"><content type="boolean"/></parameter>
 %s
</parameters>
<actions>%s</actions></resource-agent>
"""
ACTIONS = "".join(
    f'<action name="{each}"/>' for each in ("on", "off", "reboot", "status")
)


def _parameter(name: str, default: str = "") -> str:
    return (
        f'<parameter name="{name}">'
        f'<content type="string" default="{default}"/></parameter>'
    )


class AgentTestCase(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "fencing.yaml"
        self.path.touch(mode=0o600)

    def _install(
        self, script: str, more: str = "", actions: str = ACTIONS
    ) -> None:
        """An agent that keeps what it was told, and runs a script."""
        agent = self.directory / "fence_x"
        (self.directory / "xml").write_text(METADATA % (more, actions))
        agent.write_text(
            "#!/bin/sh\n"
            "told=$(cat)\n"
            f'case "$told" in *action=metadata*) cat {self.directory}/xml;'
            "exit;; esac\n"
            f'echo "$told" > {self.directory}/told\n'
            f'echo "$*" > {self.directory}/arguments\n'
            f"{script}\n"
        )
        agent.chmod(0o755)

    def _topology(self, **parameters: object) -> topology.Topology:
        device = {
            "driver": "fence_agent",
            "agent": "fence_x",
            "agent_directories": str(self.directory),
            "ip": "192.0.2.1",
            "password": "hunter2",
            "call_timeout": 5,
            **parameters,
        }
        device = {k: v for k, v in device.items() if v is not None}
        self.path.write_text(
            json.dumps(
                {
                    "devices": {"d": device},
                    "hosts": {HOST: {"levels": [["d"]]}},
                }
            )
        )
        return topology.Topology(
            str(self.path),
            clock.SystemClock(),
            find_driver=fakes.finder(fence_agent=fence_agent.FenceAgentDriver),
        )

    def _driver(self, **parameters: object) -> fence_agent.FenceAgentDriver:
        [[device]] = self._topology(**parameters).levels(HOST)
        return device._driver

    def _told(self) -> dict[str, str]:
        lines = (self.directory / "told").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


class ActionsTest(AgentTestCase):
    def test_everything_is_told_by_standard_input(self) -> None:
        self._install("echo Status: ON")
        driver = self._driver(ipport=7, ssl=True, plug=" 3=a")
        self.assertIs(model.PowerState.ON, driver.power_state())
        self.assertEqual(
            {
                "ip": "192.0.2.1",
                "ipport": "7",
                "password": "hunter2",
                "plug": '" 3=a"',
                "power_timeout": "1",
                "ssl": "1",
                "action": "status",
            },
            self._told(),
        )
        arguments = (self.directory / "arguments").read_text()
        self.assertEqual("\n", arguments)

    def test_exit_status_and_words_must_agree(self) -> None:
        for words, code, state in (
            ("Status: ON", 0, model.PowerState.ON),
            ("Status: OFF", 2, model.PowerState.OFF),
            ("Status: OFF", 0, None),
            ("Status: OFF", 1, None),
            ("Status: ON", 2, None),
            ("OFF", 2, None),
            ("", 2, None),
            ("", 0, None),
            ("Status: OFF or so", 2, None),
            ("Status: ON\nStatus: OFF", 2, None),
            ("Status: OFF\nStatus: ON", 0, None),
            ("a warning\nStatus: OFF", 2, model.PowerState.OFF),
        ):
            self._install(f"echo '{words}'; exit {code}")
            driver = self._driver()
            if state is None:
                self.assertRaises(
                    exception.DeviceProtocolError, driver.power_state
                )
            else:
                self.assertIs(state, driver.power_state())

    def test_commands(self) -> None:
        for action in ("off", "on"):
            self._install("echo Success")
            getattr(self._driver(), f"power_{action}")()
            self.assertEqual(action, self._told()["action"])

    def test_command_that_takes_its_time_is_accepted(self) -> None:
        self._install("echo Failed: Timed out waiting to power OFF >&2;exit 1")
        self._driver().power_off()

    def test_words_of_agents(self) -> None:
        for words, kind in (
            ("Unable to connect/login to fencing device", "Unreachable"),
            ("Failed: Unable to obtain correct plug status", "Unreachable"),
            ("Max retries exceeded with url: /x", "Unreachable"),
            ("Connection timed out", "Timeout"),
            ("does not have the correct privileges to do", "Refused"),
            ("409 Client Error: Conflict for url", "WrongState"),
            ("401 Client Error: Unauthorized for url", "Credentials"),
            ("Failed: You have to set login password", "Credentials"),
            ("port 4010 burst", "ProtocolError"),
            ("", "ProtocolError"),
        ):
            self._install(
                f"echo '2026-11-21 10:00:00,1 ERROR: {words}' >&2;exit 1"
                if words
                else "exit 1"
            )
            error = self.assertRaises(
                exception.DeviceError, self._driver().power_state
            )
            self.assertEqual(f"Device{kind}", type(error).__name__, words)
            self.assertTrue(error.problem.startswith(words), error.problem)

    def test_secret_in_the_agents_own_words_is_masked(self) -> None:
        self._install("echo 'pass a%20b, or a b, is bad' >&2; exit 1")
        error = self.assertRaises(
            exception.DeviceError, self._driver(password="a b").power_off
        )
        self.assertEqual("pass ***, or ***, is bad", error.problem)

    def test_hanging_agent_is_killed_with_its_children(self) -> None:
        child = self.directory / "child"
        self._install(f"sleep 1000 & echo $! > {child}; exit 0")
        driver = self._driver(call_timeout=0.5)
        self.assertRaises(exception.DeviceTimeout, driver.power_off)
        self.assertTrue(fakes.ends(int(child.read_text())))

    def test_agent_that_was_removed(self) -> None:
        self._install("")
        driver = self._driver()
        (self.directory / "fence_x").unlink()
        self.assertRaises(exception.DeviceUnreachable, driver.power_state)


class ParametersTest(AgentTestCase):
    def _refused(self, **parameters: object) -> str:
        error = self.assertRaises(
            exception.ConfigError, self._topology, **parameters
        )
        self.assertNotIn("hunter2", str(error))
        return str(error)

    def test_what_the_agent_describes_is_checked(self) -> None:
        self._install("")
        for parameters, words in (
            ({"ip": None}, "devices.d: lacks ip"),
            ({"ipport": "7"}, "devices.d.ipport: must be an integer"),
            ({"ssl": 1}, "devices.d.ssl: must be true or false"),
            ({"power_timeout": -1}, "less than 0"),
            ({"version_of": "3"}, "not one of 1, 2c"),
            ({"plugg": "1"}, "did you mean plug?"),
            ({"ipaddr": "x"}, "is an old name: write ip"),
            ({"password": 5}, "devices.d.password: must be a string"),
        ):
            self.assertIn(words, self._refused(**parameters))

    def test_what_would_weaken_the_proof_is_barred(self) -> None:
        self._install("")
        for parameters in (
            {"action": "status"},
            {"method": "cycle"},
            {"delay": 5},
            {"missing_as_off": True},
            {"network_fencing": True},
            {"verbose": True},
        ):
            self.assertIn("must not be set", self._refused(**parameters))

    def test_script_only_if_allowed(self) -> None:
        self._install("")
        script = {"password_script": "/bin/true"}
        self.assertIn("allow_scripts", self._refused(**script))
        self._topology(allow_scripts=True, **script)

    def test_password_from_a_file(self) -> None:
        self._install("echo Status: ON")
        secret = self.directory / "secret"
        secret.write_text("from file\n")
        secret.chmod(0o644)
        source = {"password": None, "password_file": str(secret)}
        self.assertIn("others than its owner", self._refused(**source))
        secret.chmod(0o600)
        self._driver(**source).power_state()
        self.assertEqual("from file", self._told()["password"])

    def test_agents_that_cannot_prove(self) -> None:
        no_status = '<action name="off"/><action name="on"/>'
        fabric = ACTIONS.replace('"on"', '"on" automatic="1"')
        for actions, words in (
            (no_status, "has no action status"),
            (fabric, "that is no power-off"),
        ):
            self._install("", actions=actions)
            self.assertIn(words, self._refused())

    def test_agents_whose_off_is_none(self) -> None:
        for name, default, words in (
            ("crosscableip", "", "does not answer pings"),
            ("status_file", "", "a file of this machine"),
            ("sbd_path", "", "a message on a disk"),
            ("instance_filtering", "", "asks Nova"),
            ("missing_as_off", "1", "off that it does not find"),
        ):
            self._install("", more=_parameter(name, default))
            error = self._refused()
            self.assertIn(words, error)
            self.assertIn("that proves nothing", error)

    def test_agents_that_call_a_suspended_machine_off(self) -> None:
        self._install("")
        (self.directory / "fence_x").rename(
            self.directory / "fence_vmware_soap"
        )
        error = self._refused(agent="fence_vmware_soap")
        self.assertIn("fence_vmware_soap calls a suspended machine", error)

    def test_agents_that_show_the_password(self) -> None:
        for name, program in (
            ("lanplus", "ipmitool"),
            ("snmp_version", "the SNMP tools"),
            ("amttool_path", "amttool"),
            ("vmware_type", "vmrun"),
        ):
            self._install("", more=_parameter(name))
            self.assertIn(f"{program} with the password", self._refused())
            self._topology(allow_exposed_password=True)

    def test_system_must_be_named(self) -> None:
        systems = '<parameter name="systems_uri"><content type="string"/>'
        self._install("", more=f"{systems}</parameter>")
        self.assertIn("lacks systems_uri", self._refused())

    def test_agents_that_are_none(self) -> None:
        self._install("")
        agent = self.directory / "fence_x"
        self.assertIn("did you mean fence_x", self._refused(agent="fence_y"))
        agent.chmod(0o775)
        self.assertIn("changed by others", self._refused())
        agent.chmod(0o644)
        self.assertIn("not a program", self._refused())
        for script in ("echo no; exit 1", "echo '<a/>'"):
            agent.write_text(f"#!/bin/sh\n{script}\n")
            agent.chmod(0o755)
            self.assertIn("gives no metadata", self._refused())

    def test_agent_is_asked_once_for_each_version_of_it(self) -> None:
        self._install("")
        path = str(self.directory / "fence_x")
        first = agent_metadata.read(path)
        self.assertIs(first, agent_metadata.read(path))
        self._install("# a new version")
        self.assertIsNot(first, agent_metadata.read(path))


class ChassisTest(AgentTestCase):
    def _chassis(self, **parameters: object) -> str:
        config = self._topology(**parameters)._loaded.config
        return config.devices["d"].chassis

    def test_plugs_are_told_apart_and_users_are_not(self) -> None:
        self._install("")
        one = self._chassis(plug="1")
        self.assertNotEqual(one, self._chassis(plug="2"))
        self.assertNotEqual(one, self._chassis(plug="1", ipport=2))
        self.assertEqual(one, self._chassis(plug="1", password="other"))
        self.assertNotIn("hunter2", one)

    def test_plug_by_host(self) -> None:
        self._install("echo Status: ON")
        self._driver(plug="{host}").power_state()
        self.assertEqual("h", self._told()["plug"])
