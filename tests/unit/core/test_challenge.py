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

import dataclasses

from nova_ha.core import challenge
from nova_ha.core import liveness
from nova_ha.core import policy
from nova_ha.core import sources
from tests import base
from tests.unit.core import builders as make

POLICY = policy.Policy()
NOW = 100.0


class DueTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        view = make.present(host="a")
        self.quiet = dataclasses.replace(
            view,
            heard_at=NOW - challenge.QUIET,
            sources={**view.sources, sources.NOVA: self.nova()},
        )

    def nova(self, moved_at=NOW - 60.0, looked_at=NOW - 1.0):
        return sources.Source(
            value="x", moved_at=moved_at, looked_at=looked_at
        )

    def due(self, **changes):
        view = dataclasses.replace(self.quiet, **changes)
        return challenge.due(view, POLICY, NOW)

    def with_record(self, **changes):
        record = make.record("a", **changes)
        return dataclasses.replace(self.quiet.facts, record=record)

    def test_quiet_and_silent(self):
        self.assertTrue(self.due())

    def test_not_while_its_agent_writes(self):
        self.assertFalse(self.due(heard_at=NOW - challenge.QUIET + 0.1))

    def test_not_while_its_nova_compute_reports(self):
        nova = self.nova(moved_at=NOW - 5.0)
        self.assertFalse(self.due(sources={sources.NOVA: nova}))

    def test_not_while_nova_cannot_be_read(self):
        nova = self.nova(looked_at=NOW - sources.STALE - 0.1)
        self.assertFalse(self.due(sources={sources.NOVA: nova}))
        self.assertFalse(self.due(sources={}))

    def test_not_where_nothing_would_follow(self):
        for changes in ({"maintenance": "disk"}, {"protected": "engine"}):
            self.assertFalse(self.due(facts=self.with_record(**changes)))
        gone = dataclasses.replace(self.quiet.facts, record=None)
        self.assertFalse(self.due(facts=gone))

    def test_not_without_a_beacon(self):
        gone = dataclasses.replace(self.quiet.facts, beacon=None)
        self.assertFalse(self.due(facts=gone))


class HeardTestCase(base.TestCase):
    """What counts as a word of a host's own."""

    def setUp(self):
        super().setUp()
        self.facts = make.facts("a", beacon=make.beacon("a"))
        self.view = liveness.fold_facts(None, self.facts, 1.0, first_look=True)

    def fold(self, first_look=False, **changes):
        facts = dataclasses.replace(self.facts, **changes)
        return liveness.fold_facts(
            self.view, facts, 2.0, first_look=first_look
        ).heard_at

    def test_first_looks(self):
        self.assertEqual(1.0, self.view.heard_at)
        self.assertEqual(2.0, self.fold(first_look=True))

    def test_what_its_agent_writes(self):
        self.assertEqual(2.0, self.fold(inventory=make.inventory("a")))
        other = make.beacon("a", session=77)
        self.assertEqual(2.0, self.fold(beacon=other))
        self.assertEqual(2.0, self.fold(beacon=None))

    def test_what_others_write(self):
        record = make.record("a", reserved=True)
        self.assertEqual(1.0, self.fold(record=record))
