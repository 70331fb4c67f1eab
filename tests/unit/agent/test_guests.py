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

import types

from nova_ha import clock
from nova_ha import exception
from nova_ha.agent import guests
from tests import base
from tests.unit.agent import fakes

OTHER = "6f3c3a2c-58f7-4b43-9b9e-5a5c1ab4a002"


def command(script):
    return guests.CommandGuests(argv=["sh", "-c", script], deadline=10.0)


class TestCommandGuests(base.TestCase):
    def _unknown(self, script):
        source = command(script)
        return str(self.assertRaises(exception.GuestsUnknown, source.running))

    def test_uuids_one_a_line(self):
        source = command(f"echo {fakes.GUEST}; echo {OTHER.upper()}")
        self.assertEqual({fakes.GUEST, OTHER}, source.running())

    def test_no_output_means_no_guests(self):
        self.assertEqual(frozenset(), command("true").running())

    def test_anything_else_means_unknown(self):
        for script in (
            "exit 1",
            f"echo {fakes.GUEST}; exit 1",
            "echo",
            f"echo {fakes.GUEST}; echo",
            f"echo {fakes.GUEST} running",
            f"printf {fakes.GUEST[:-1]}",
            "echo 'error: failed to connect'",
            "kill -9 $$",
            r"printf '\377'",
        ):
            with self.subTest(script):
                self.assertIn("guests command", self._unknown(script))

    def test_is_run_without_a_shell(self):
        source = guests.CommandGuests.from_settings(
            {
                "guests_command": f"echo '{fakes.GUEST}' ';' false",
                "guests_deadline": 10.0,
            },
            fakes.FakeClock(),
        )
        self.assertRaises(exception.GuestsUnknown, source.running)

    def test_bad_settings(self):
        for text in ("", "echo 'unbalanced"):
            error = self.assertRaises(
                exception.ConfigError,
                guests.CommandGuests.from_settings,
                {"guests_command": text, "guests_deadline": 1.0},
                fakes.FakeClock(),
            )
            self.assertEqual("[agent] guests_command", error.option)


class FakeLibvirtError(Exception):
    pass


def fake_libvirt(uuids=(), error=None):
    def open_read_only(uri):
        if error:
            raise FakeLibvirtError(error)
        domains = [
            types.SimpleNamespace(UUIDString=lambda uuid=uuid: uuid)
            for uuid in uuids
        ]
        return types.SimpleNamespace(
            listAllDomains=lambda flags: domains if flags == 1 else None,
            numOfDomains=lambda: len(domains),
            close=lambda: None,
        )

    return types.SimpleNamespace(
        VIR_CONNECT_LIST_DOMAINS_ACTIVE=1,
        libvirtError=FakeLibvirtError,
        openReadOnly=open_read_only,
    )


class TestLibvirtGuests(base.TestCase):
    def _source(self, library):
        return guests.LibvirtGuests(
            library=library,
            uri="qemu:///system",
            deadline=10.0,
            clock=clock.SystemClock(),
        )

    def test_active_domains(self):
        source = self._source(fake_libvirt([fakes.GUEST, OTHER.upper()]))
        self.assertEqual({fakes.GUEST, OTHER}, source.running())
        self.assertEqual(frozenset(), self._source(fake_libvirt()).running())

    def test_an_error_means_unknown(self):
        source = self._source(fake_libvirt(error="no socket"))
        error = self.assertRaises(exception.GuestsUnknown, source.running)
        self.assertIn("no socket", str(error))
