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
import tempfile

from nova_ha.agent import colocated
from nova_ha.core import model
from tests import base
from tests.unit.agent import fakes

ELSEWHERE = "192.0.2.1:2181"  # TEST-NET: never an address of ours


class TestRoleFinder(base.TestCase):
    def setUp(self):
        super().setUp()
        self.beacons = fakes.FakeBeacons()
        self.proc = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )

    def _finder(self, given=None, zookeeper=ELSEWHERE):
        return colocated.RoleFinder(
            self.beacons,
            "machine-1",
            given=given,
            zookeeper_hosts=zookeeper,
            proc=self.proc,
        )

    def _engine(self, machine_id):
        self.beacons.engines = [
            model.Contender(
                engine="e", machine_id=machine_id, epoch=model.Epoch(1)
            )
        ]

    def _process(self, *words):
        directory = self.proc / "4711"
        directory.mkdir()
        (directory / "cmdline").write_bytes("\0".join(words).encode())

    def test_a_plain_hypervisor_has_none(self):
        self._engine("machine-2")
        self._process("/usr/bin/python3", "/usr/bin/nova-compute")
        finder = self._finder()
        self.assertFalse(finder.refresh())
        self.assertEqual((), finder.roles)

    def test_an_engine_is_known_by_its_machine(self):
        self._engine("machine-1")
        finder = self._finder()
        self.assertTrue(finder.refresh())
        self.assertEqual(("engine",), finder.roles)

    def test_a_role_once_seen_stays(self):
        self._engine("machine-1")
        finder = self._finder()
        finder.refresh()
        self.beacons.engines = []
        self.assertFalse(finder.refresh())
        self.assertEqual(("engine",), finder.roles)

    def test_roles_add_up(self):
        self._engine("machine-1")
        finder = self._finder()
        finder.refresh()
        self.beacons.engines = []
        self._process("/usr/bin/nova-conductor")
        self.assertTrue(finder.refresh())
        self.assertEqual(("controller", "engine"), finder.roles)

    def test_without_zookeeper_the_rest_is_found(self):
        self.beacons.error = fakes.UNAVAILABLE
        finder = self._finder(zookeeper="127.0.0.1:2181")
        self.assertTrue(finder.refresh())
        self.assertEqual(("zookeeper",), finder.roles)

    def test_controller_processes(self):
        for words, expected in (
            (("/usr/bin/python3", "/usr/bin/nova-conductor"), True),
            (("nova-apiuWSGI worker 1",), True),
            (("/usr/bin/nova-api-metadata", "--config-file", "x"), True),
            (("less", "--quiet", "--", "/etc/nova-api.conf"), False),
            (("/usr/bin/nova-compute",), False),
        ):
            with self.subTest(words):
                self._process(*words)
                self.assertIs(expected, colocated.runs_controller(self.proc))
                (self.proc / "4711/cmdline").unlink()
                self.assertFalse(colocated.runs_controller(self.proc))
                (self.proc / "4711").rmdir()

    def test_given_roles_are_believed_and_nothing_is_looked_for(self):
        self._engine("machine-1")
        for given in ((), ("controller", "zookeeper")):
            finder = self._finder(given, "127.0.0.1:2181")
            self.assertFalse(finder.refresh())
            self.assertEqual(given, finder.roles)
        self.assertEqual([], self.beacons.calls)


class TestIsLocal(base.TestCase):
    def test_addresses(self):
        for hosts, expected in (
            ("127.0.0.1:2181", True),
            ("127.0.0.1", True),
            (f"{ELSEWHERE}, 127.0.0.1:2181/chroot", True),
            (ELSEWHERE, False),
            ("", False),
            ("no.such.name.invalid:2181", False),
        ):
            with self.subTest(hosts):
                self.assertIs(expected, colocated.is_local(hosts))

    def test_ipv6_in_brackets(self):
        asked = []

        def can_bind(_family, address):
            asked.append(address)
            return False

        colocated.is_local("[2001:db8::1]:2181", can_bind)
        self.assertEqual(["2001:db8::1"], asked)
