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

"""Contrary evidence: what other sources say against a death."""

import dataclasses

from nova_ha.core import sources
from nova_ha.core import verdict
from nova_ha.core.model import PowerState
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind
from tests.unit.core import builders as make
from tests.unit.core import test_verdict

NOW = test_verdict.NOW
NOVA = sources.NOVA


class OtherSourcesTestCase(test_verdict.VerdictTestCase):
    """Nova's report is silent; what another source shows of the host."""

    PATIENT = dataclasses.replace(make.POLICY, patience=10.0)

    def missing(self, since=60.0, **source):
        values = {
            "value": "7",
            "moved_at": NOW - 1.0,
            "looked_at": NOW,
            "moves": 1,
            "promised": 2.0,
        } | source
        heartbeat = sources.Source(**values)
        return make.missing(
            since=since,
            sources={
                NOVA: make.silent_source(NOW),
                sources.STORAGE: heartbeat,
            },
        )

    def test_one_that_moves_shows_that_the_host_is_cut_off(self):
        found = self.check(
            VerdictKind.ISOLATED, Reason.ISOLATED, self.missing()
        )
        self.assertEqual("its storage heartbeat moves", found.detail)
        self.assertFalse(verdict.suspect(found))

    def test_it_is_fenced_where_the_operator_wants_that(self):
        fence = dataclasses.replace(make.POLICY, fence_isolated=True)
        found = self.check(
            VerdictKind.DOWN, Reason.ISOLATED, self.missing(), policy=fence
        )
        self.assertTrue(verdict.suspect(found))
        self.check(
            VerdictKind.UNKNOWN,
            Reason.WINDOW,
            self.missing(since=fence.window - 0.1),
            policy=fence,
        )

    def test_novas_word_comes_first(self):
        view = self.missing()
        nova = dataclasses.replace(make.silent_source(NOW), moved_at=NOW - 5)
        view = dataclasses.replace(view, sources={**view.sources, NOVA: nova})
        self.check(VerdictKind.AGENT_LOST, Reason.SOURCE_MOVES, view)

    def test_one_that_is_not_silent_yet_blocks(self):
        for moves in (0, 3):
            view = self.missing(since=0.5, moves=moves, moved_at=NOW - 3.9)
            found = self.check(
                VerdictKind.UNKNOWN, Reason.SOURCE_NOT_SILENT, view
            )
            self.assertEqual("storage", found.detail)
        view = self.missing(moves=0, moved_at=NOW - 4.0)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_one_that_cannot_be_read_is_not_required(self):
        view = self.missing(since=5.0, moved_at=NOW - 12, looked_at=NOW - 11)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_but_what_lived_when_it_was_last_read_is_not_dead(self):
        view = self.missing(since=60.0, moved_at=NOW - 12, looked_at=NOW - 11)
        self.check(VerdictKind.ISOLATED, Reason.ISOLATED, view)

    def test_drivers_are_given_time_for_a_first_look(self):
        for view in (
            make.missing(since=9.9),
            self.missing(since=9.9, moved_at=NOW - 50, looked_at=NOW - 10),
        ):
            self.check(
                VerdictKind.UNKNOWN, Reason.WINDOW, view, policy=self.PATIENT
            )
        self.check(
            VerdictKind.DOWN,
            Reason.ALL_SILENT,
            make.missing(since=10.0),
            policy=self.PATIENT,
        )
        view = self.missing(since=5.0, moved_at=NOW - 50)
        self.check(
            VerdictKind.DOWN, Reason.ALL_SILENT, view, policy=self.PATIENT
        )

    def test_a_move_after_it_read_off_makes_the_reading_void(self):
        view = dataclasses.replace(
            self.missing(),
            power=make.power(PowerState.OFF),
            power_began=NOW - 2.0,
        )
        self.check(VerdictKind.ISOLATED, Reason.ISOLATED, view)
