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


import os
import pathlib

import fixtures

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import topology
from tests import base
from tests.unit.fencing import fakes

HOST = model.HostName("h")
OTHER = model.HostName("other")
ON, OFF = model.PowerState.ON, model.PowerState.OFF
UNKNOWN = model.PowerState.UNKNOWN

FILE = """\
devices:
  bmc: {driver: fake, address: bmc, password: %s}
  left: {driver: fake, address: left, password: secret}
  right: {driver: fake, address: right, password: secret}
  each: {driver: fake, address: 'bmc-{host}', password: secret}
hosts:
  h: {levels: [[bmc], [left, right]]}
  'pat*': {levels: [[each]]}
  '*ern': {levels: [[each]]}
"""


def permit() -> None:
    """A guard that lets everything pass."""


class TopologyTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(directory, "fencing.yaml")
        self._write(FILE % "secret")
        names = ("bmc", "left", "right", "bmc-pat1", "bmc-pat2")
        self.bmcs = {name: fakes.FakeBmc(name) for name in names}
        self.useFixture(
            fixtures.MonkeyPatch(
                "tests.unit.fencing.fakes.FakeDriver.bmcs", self.bmcs
            )
        )
        self.topology = self._open()

    def _write(self, content: str) -> None:
        # As an editor does: a new file in the place of the old one.
        draft = self.path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(content)
        draft.replace(self.path)

    def _open(self) -> topology.Topology:
        return topology.Topology(
            str(self.path),
            fakes.FakeClock(),
            find_driver=fakes.finder(fake=fakes.FakeDriver),
        )

    def _state(self) -> model.PowerState:
        return self.topology.power_state(HOST).state

    def _calls(self, name: str) -> list[str]:
        calls = list(self.bmcs[name].calls)
        self.bmcs[name].calls.clear()
        return calls

    # -- which devices -------------------------------------------------------

    def test_unknown_host(self) -> None:
        self.assertFalse(self.topology.has_device(OTHER))
        self.assertIs(UNKNOWN, self.topology.power_state(OTHER).state)

    def test_ambiguous_host_is_left_alone(self) -> None:
        host = model.HostName("pattern")
        self.assertFalse(self.topology.has_device(host))
        self.assertIn("as closely as", self.topology.power_state(host).error)
        outcome = self.topology.fence(host, permit)
        self.assertIn("as closely as", outcome.error)
        self.assertFalse(outcome.off_sent)

    def test_pattern_leads_each_host_to_its_own_device(self) -> None:
        one, two = model.HostName("pat1"), model.HostName("pat2")
        self.topology.fence(one, permit)
        self.assertIs(OFF, self.bmcs["bmc-pat1"].state)
        self.assertIs(ON, self.bmcs["bmc-pat2"].state)
        self.assertIs(ON, self.topology.power_state(two).state)
        self.assertIs(OFF, self.topology.power_state(one).state)

    # -- changes of the file -------------------------------------------------

    def test_wrong_password_is_sent_once_until_the_file_changes(self) -> None:
        self._write(FILE % "wrong")
        for name in ("left", "right"):
            self.bmcs[name].alive = False
        for _ in range(3):
            self.assertIs(UNKNOWN, self._state())
            self.topology.fence(HOST, permit)
        self.assertEqual(["status"], self._calls("bmc"))
        self._write(FILE % "secret")
        self.assertIs(ON, self._state())

    def test_changed_password_file_is_taken_up(self) -> None:
        secret = self.path.with_name("secret")
        secret.touch(mode=0o600)
        secret.write_text("wrong")
        for name in ("left", "right"):
            self.bmcs[name].alive = False
        self._write(FILE.replace("password: %s", "password_file: secret"))
        self.assertIn("credentials", self.topology.power_state(HOST).error)
        secret.write_text("secret")
        self.assertIs(ON, self._state())

    def test_bad_change_leaves_the_old_one_in_force(self) -> None:
        for content in ("devices: [", "devices: {}\nhosts: {h: {}}\n", ""):
            self._write(content)
            self.assertIs(ON, self._state())
            self.assertIn(str(self.path), self.topology.problem)
        os.unlink(self.path)
        self.assertIs(ON, self._state())
        self.assertNotEqual("", self.topology.problem)
        self._write(FILE % "secret")
        self.assertIs(ON, self._state())
        self.assertEqual("", self.topology.problem)

    def test_opened_file_is_noticed(self) -> None:
        self.path.chmod(0o644)
        self.assertIn("chmod 600", self.topology.problem)

    def test_unchanged_file_is_not_read_again(self) -> None:
        reads = []
        original = topology.configuration.load

        def load(*args):
            reads.append(args)
            return original(*args)

        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.fencing.configuration.load", load)
        )
        for _ in range(5):
            self._state()
        self.assertEqual([], reads)

    def test_missing_file_at_start(self) -> None:
        os.unlink(self.path)
        self.assertRaises(exception.ConfigError, self._open)
