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

"""Storage heartbeats of the simulator, and what engines make of them."""

from nova_ha.core import events
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim import runner
from nova_ha.sim import shared_storage
from tests import base
from tests.unit.sim import scripts
from tests.unit.sim import test_agents


class ShareTest(test_agents.AgentsCase):
    """One agent writes, one engine reads."""

    heartbeats = True

    def setUp(self) -> None:
        super().setUp()
        self.engine = kernel_mod.Program(self.kernel, "engine")
        self.reader = shared_storage.Reader(
            self.share, self.engine, "engine", 2.0
        )
        self.looks: list[events.Event] = []
        self.reader.start(self.looks.append)

    def _seen(self) -> set[object]:
        """What the looks of the last seconds have shown of the host."""
        return {
            look.sign.value
            for event in self.looks
            for look in event.looks.values()
        }

    def _seen_in(self, seconds: float) -> set[object]:
        self.looks.clear()
        self._after(seconds)
        return self._seen()

    def test_it_moves_while_the_agent_lives(self) -> None:
        self.assertEqual(3, len(self._seen_in(6.0)))
        self.machine.kill_agent()
        self._after(1.0)
        self.assertEqual(1, len(self._seen_in(6.0)))

    def test_it_stands_still_while_its_storage_is_away(self) -> None:
        self.networks.cut(test_agents.HOST, network.Network.STORAGE)
        self._after(3.0)
        self.assertEqual(1, len(self._seen_in(6.0)))
        self.networks.join(test_agents.HOST, network.Network.STORAGE)
        self._after(3.0)
        self.assertEqual(3, len(self._seen_in(6.0)))

    def test_an_engine_whose_storage_is_away_sees_nothing(self) -> None:
        self.networks.cut("engine", network.Network.STORAGE)
        self._after(3.0)
        self.assertEqual(set(), self._seen_in(6.0))
        self.assertEqual([None], self._asked())
        self.networks.join("engine", network.Network.STORAGE)
        self._after(3.0)
        self.assertEqual(3, len(self._seen_in(6.0)))

    def test_one_host_at_once(self) -> None:
        (before,) = self._asked()
        self._after(3.0)
        (after,) = self._asked()
        self.assertNotEqual(before.value, after.value)
        self.assertEqual(2.0, after.gap)

    def _asked(self) -> list[object]:
        answers: list[object] = []
        self.engine.spawn(
            lambda: answers.append(self.reader.read(test_agents.HOST)), "ask"
        )
        self._after(3.0)
        return answers


class IsolatedTest(base.TestCase):
    """A host that is cut off from the management network only."""

    def _run(self, isolated: str, fault: str) -> runner.Result:
        made = scripts.parse(
            f"""
            cloud: {{hosts: 3, instances: {{host-1: 1}}, heartbeats: true}}
            policy: {{isolated: {isolated}}}
            minutes: 1.5
            faults: [{fault}]
            """
        )
        result = runner.run(made)
        self.assertEqual([], result.problems)
        return result

    def _codes(self, result: runner.Result) -> set[str]:
        return {one.what for one in result.entries if one.at >= 0.0}

    def test_it_is_left_alone(self) -> None:
        fault = "{at: 10, cut: host-1, network: management}"
        codes = self._codes(self._run("wait", fault))
        self.assertIn("host.isolated", codes)
        self.assertNotIn("bmc.off-sent", codes)

    def test_it_is_fenced_where_the_operator_wants_that(self) -> None:
        fault = "{at: 10, cut: host-1, network: management}"
        codes = self._codes(self._run("fence", fault))
        self.assertIn("case.evacuated", codes)

    def test_a_dead_one_is_fenced_all_the_same(self) -> None:
        codes = self._codes(self._run("wait", "{at: 10, crash: host-1}"))
        self.assertIn("case.evacuated", codes)
        self.assertNotIn("host.isolated", codes)
