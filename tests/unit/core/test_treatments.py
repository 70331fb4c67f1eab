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

from nova_ha.core import treatments
from nova_ha.core.rules import RESETTABLE
from nova_ha.core.rules import Rules
from nova_ha.core.treatments import Way
from tests import base
from tests.unit.core import builders as make

PAGE = pathlib.Path(__file__).parents[3] / "doc/source/concepts/instances.rst"

DEFAULT = Rules()


class MatrixTestCase(base.TestCase):
    def way(self, vm_state, task_state=None):
        instance = make.instance(vm_state=vm_state, task_state=task_state)
        return treatments.row_for(instance).way

    def test_whatever_they_are_doing(self):
        for vm_state in ("active", "stopped", "error"):
            for task in (None, "rebooting", "image_snapshot", "rebuilding"):
                self.assertIs(Way.EVACUATE, self.way(vm_state, task))

    def test_what_is_being_deleted_is_left(self):
        for vm_state in ("active", "stopped", "error", "paused"):
            for task in ("deleting", "soft-deleting"):
                self.assertIs(Way.LEAVE, self.way(vm_state, task))

    def test_a_state_that_is_new_is_left(self):
        self.assertIs(Way.LEAVE, self.way("levitating"))

    def test_what_can_be_reset_is_what_options_offer(self):
        self.assertEqual(
            set(RESETTABLE),
            {
                state
                for row in treatments.MATRIX
                if row.way is Way.RESET
                for state in row.vm_states
            },
        )

    def test_resetting_is_up_to_the_operator(self):
        suspended = make.instance(vm_state="suspended")
        self.assertIn("saved memory", treatments.left(suspended, DEFAULT))
        rules = Rules(reset_states=("suspended",))
        self.assertEqual("", treatments.left(suspended, rules))
        paused = make.instance(vm_state="paused")
        self.assertEqual("", treatments.left(paused, DEFAULT))
        self.assertIn("paused: ", treatments.left(paused, rules))
        self.assertTrue(treatments.to_be_reset(paused))

    def test_what_has_never_been_started(self):
        error = make.instance(vm_state="error", launched=False)
        self.assertEqual(
            treatments.NEVER_STARTED, treatments.left(error, DEFAULT)
        )

    def test_the_documentation_has_every_row(self):
        """In the same order, with the same words."""
        text = " ".join(PAGE.read_text(encoding="utf-8").split())
        place = 0
        for row in treatments.MATRIX:
            for words in (
                ", ".join(row.vm_states),
                ", ".join(row.task_states),
                row.way.value,
                row.reason,
            ):
                found = text.find(words, place)
                self.assertNotEqual(-1, found, words)
                place = found
