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

"""A case keeps what has happened in it."""

from nova_ha.core import model
from nova_ha.core import story
from nova_ha.core import transitions
from nova_ha.core import work as work_mod
from nova_ha.core.model import CaseState
from tests import base
from tests.unit.core import builders as make


def line(number):
    return story.line(make.utc(number), "case.held", f"number {number}")


class BoundsTestCase(base.TestCase):
    def test_the_middle_of_a_long_story_is_left_out(self):
        told = ()
        for number in range(1000):
            told = story.longer(told, line(number))
        kept = [int(one.message.split()[1]) for one in told]
        self.assertEqual(story.FIRST + story.LATEST, len(kept))
        self.assertEqual(list(range(story.FIRST)), kept[: story.FIRST])
        self.assertEqual(999, kept[-1])

    def test_texts_are_bounded(self):
        told = story.line(make.utc(0), "case.held", "x" * 10000)
        self.assertEqual(story.WORDS, len(told.message))


class WritingTestCase(base.TestCase):
    def bench(self, step=None, at=1000.0):
        return work_mod.Work(
            step.case if step else make.case(),
            step.progress if step else work_mod.Progress(),
            make.world(make.missing()),
            make.now(at),
            transitions.TRANSITIONS,
        )

    def told(self, step):
        return [(one.code, one.message) for one in step.case.story]

    def test_a_change_is_kept_with_its_time(self):
        work = self.bench()
        work.enter(CaseState.FENCING, "all silent")
        (kept,) = work.finish().case.story
        self.assertEqual(
            (make.utc(1000), "case.fencing", "all silent"),
            (kept.at, kept.code, kept.message),
        )

    def test_what_changes_nothing_waits_for_the_next_save(self):
        work = self.bench()
        work.arrived("ForceDown", "no answer")
        step = work.finish()
        self.assertFalse(step.changed)
        self.assertEqual([], self.told(step))
        work = self.bench(step, at=1001.0)
        work.enter(CaseState.FENCING, "all silent")
        step = work.finish()
        self.assertEqual(
            [
                ("action.failed", "ForceDown failed: no answer"),
                ("case.fencing", "all silent"),
            ],
            self.told(step),
        )
        self.assertEqual((), step.progress.unwritten)

    def test_what_moves_tell_themselves_is_left_out(self):
        work = self.bench()
        work.update(message="changed")
        work.tell_move(make.move(), "instance.evacuating")
        work.tell_move(
            make.move(reason="no room"),
            "instance.held",
            model.Severity.WARNING,
        )
        work.tell("case.waiting", "for an operator")
        self.assertEqual(
            [("instance.held", "i1: no room")], self.told(work.finish())
        )
