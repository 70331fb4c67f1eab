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


"""States that Nova shows of instances: changed before and after."""

from nova_ha import exception
from nova_ha.core import actions
from nova_ha.core import model
from tests.unit.core import builders as make
from tests.unit.engine import test_performer

ON = test_performer.ON


class StopTestCase(test_performer.PerformerTestCase):
    def test_what_was_off_is_stopped_again(self):
        for vm_state, calls in (
            ("active", [("stop", "b0")]),
            ("error", [("repair", "b0"), ("stop", "b0")]),
            ("stopped", []),
        ):
            self.cloud.calls.clear()
            self.cloud.servers["b0"] = make.instance(
                "b0", host="b", vm_state=vm_state
            )
            self.act(
                actions.Repair(instance="b0", target="b", stop=True, **ON)
            )
            self.assertEqual(calls, self.cloud.calls, vm_state)


class ResetTestCase(test_performer.PerformerTestCase):
    def setUp(self):
        super().setUp()
        self.cloud.servers["a0"] = make.instance("a0", vm_state="paused")
        self.sent = []
        self.cloud.evacuate = lambda *one: self.sent.append(one)

    def evacuate(self, **changes):
        return self.act(
            actions.Evacuate(
                **({"instance": "a0", "target": "b", "reset": True} | changes),
                **ON,
            )
        )

    def test_it_is_reset_and_then_sent(self):
        self.assertTrue(self.evacuate().accepted)
        self.assertEqual([("repair", "a0")], self.cloud.calls)
        self.assertEqual([("a0", "b")], self.sent)

    def test_once_is_enough(self):
        self.evacuate()
        self.evacuate()
        self.assertEqual([("repair", "a0")], self.cloud.calls)
        self.assertEqual(2, len(self.sent))

    def test_what_is_not_to_be_reset_is_not(self):
        self.evacuate(reset=False)
        for changes in ({"host": "b"}, {"vm_state": "resized"}):
            self.cloud.servers["a0"] = make.instance(
                "a0", **({"vm_state": "paused"} | changes)
            )
            self.evacuate()
        self.assertEqual([], self.cloud.calls)

    def test_what_was_not_reset_is_certainly_not_sent(self):
        self.cloud.repair_state = self.raises(
            exception.ComputeUnavailable("timed out")
        )
        event = self.evacuate()
        self.assertEqual((False, True), (event.accepted, event.refused))
        self.assertIn("timed out", event.error)
        self.assertEqual([], self.sent)

    def test_a_lease_that_ends_meanwhile(self):
        def deposed(instance):
            self.cloud.epoch = model.Epoch(2)

        self.cloud.repair_state = deposed
        self.assertTrue(self.evacuate().refused)
        self.assertEqual([], self.sent)
