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

from nova_ha.sim import services
from tests import base


class ShutGate(services.Gate):
    """Permits when the test says so."""

    def __init__(self) -> None:
        self.permits: list[services.Call] = []

    def ask(self, permit: services.Call) -> None:
        self.permits.append(permit)

    def cancel(self) -> None:
        self.permits.clear()


class ServiceTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.goes = True
        self.told: list[str] = []
        self.service = services.Service(lambda: self.goes)
        self.service.starts.append(lambda: self.told.append("start"))
        self.service.stops.append(lambda: self.told.append("stop"))
        self.service.kills.append(lambda: self.told.append("kill"))

    def _tells(self, *expected: str) -> None:
        self.assertEqual(list(expected), self.told)
        self.told.clear()

    def test_is_started_and_ended_once(self) -> None:
        service = self.service
        for act, running, *expected in (
            (service.stop, False),
            (service.kill, False),
            (service.start, True, "start"),
            (service.start, True),
            (service.kill, False, "kill"),
            (service.kill, False),
            (service.start, True, "start"),
            (service.stop, False, "stop"),
            (service.kill, False),
        ):
            act()
            self._tells(*expected)
            self.assertIs(running, service.running)

    def test_machine_that_stands_still_can_only_lose_it(self) -> None:
        self.service.start()
        self._tells("start")
        self.goes = False
        self.service.stop()
        self._tells()
        self.service.kill()
        self._tells("kill")
        self.service.start()
        self._tells()

    def test_gate_is_asked_once_and_delays_the_start(self) -> None:
        gate = self.service.gate = ShutGate()
        self.service.start()
        self.service.start()
        self.assertFalse(self.service.running)
        (permit,) = gate.permits
        permit()
        self._tells("start")
        self.assertTrue(self.service.running)

    def test_start_that_is_called_off(self) -> None:
        gate = self.service.gate = ShutGate()
        for end in (self.service.stop, self.service.kill):
            self.service.start()
            (permit,) = gate.permits
            end()
            self.assertEqual([], gate.permits)
            permit()
            self._tells()
            self.assertFalse(self.service.running)

    def test_gate_is_passed_by_where_it_has_long_run(self) -> None:
        gate = self.service.gate = ShutGate()
        self.service.start_at_once()
        self.assertEqual([], gate.permits)
        self._tells("start")
