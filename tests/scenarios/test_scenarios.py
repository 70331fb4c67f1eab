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

"""Each scenario goes as it is told; together they show all there is.

A trace that has changed and is right is written anew with ``nova-ha simulate
run --update tests/scenarios``, and read before it is committed.
"""

import pathlib
from collections.abc import Mapping

from nova_ha.core.transitions import TRANSITIONS
from nova_ha.sim import golden
from nova_ha.sim import runner
from nova_ha.sim import script_file
from tests import base
from tests.scenarios import stories

NUMBERS = range(1, 12)
"""Of the invariants, as the design has them."""

README_LINES = 2
README_WIDTH = 160

UNSHOWN: Mapping[stories.Change, str] = {}
"""Rows of the table that no scenario can show, with the reason."""


class Scenario:
    """What is tested of each of them."""

    folder: pathlib.Path

    def test_goes_as_it_is_told(self):
        file = str(self.folder / script_file.FILE)
        result = runner.run(script_file.load(file))
        self.assertEqual([], result.problems)
        changed = golden.differences(file, result.trace)
        self.assertEqual([], changed, "\n".join(changed))

    def test_says_what_it_is_about(self):
        text = (self.folder / "README").read_text(encoding="utf-8")
        lines = text.splitlines()
        self.assertEqual(README_LINES, len(lines), text)
        for line in lines:
            self.assertTrue(line.endswith("."), line)
            self.assertTrue(len(line) <= README_WIDTH, line)

    def test_expects_something(self):
        self.assertTrue(script_file.load(str(self.folder)).expect)


def _case(folder: pathlib.Path) -> type:
    """A class of its own, so that workers share the scenarios out."""
    name = folder.name.replace("-", "_")
    members = {"folder": folder, "__module__": __name__}
    return type(name, (Scenario, base.TestCase), members)


globals().update({one.__name__: one for one in map(_case, stories.folders())})


class TogetherTestCase(base.TestCase):
    def test_every_transition_is_shown(self):
        shown = stories.all_changes()
        missing = set(TRANSITIONS) - shown - set(UNSHOWN)
        self.assertEqual(
            [], sorted(f"{one} -> {other}" for one, other in missing)
        )

    def test_no_transition_is_excused_without_need(self):
        self.assertEqual(set(), set(UNSHOWN) & stories.all_changes())
        self.assertEqual(set(), set(UNSHOWN) - set(TRANSITIONS))

    def test_every_transition_that_is_shown_is_in_the_table(self):
        self.assertEqual(set(), stories.all_changes() - set(TRANSITIONS))

    def test_every_invariant_is_shown(self):
        shown = stories.invariants()
        self.assertEqual(sorted(NUMBERS), sorted(shown))
        known = {folder.name for folder in stories.folders()}
        for number, names in shown.items():
            self.assertTrue(names, number)
            self.assertEqual(set(), set(names) - known, number)
