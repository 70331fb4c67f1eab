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

import fixtures

from nova_ha.core import events
from nova_ha.engine import enroller as enroller_mod
from nova_ha.engine import telling
from tests import base
from tests.fakes import cloud as fakes
from tests.unit.core import builders as make


class EnrollerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.jobs = []
        self.notifier = fakes.Notifier()
        self.enroller = enroller_mod.Enroller(
            self.jobs.append, telling.Teller(self.notifier)
        )
        facts = make.facts("a", record=None, beacon=make.beacon("a"))
        self.new = make.present(host="a", facts=facts)

    def look(self, view, now=0.0):
        self.enroller.look(view, make.fleet(view), now)

    def test_a_newcomer_is_enrolled_and_asked_for_again_later(self):
        self.look(self.new)
        self.look(self.new, now=4.9)
        self.assertEqual(1, len(self.jobs))
        self.look(self.new, now=5.0)
        self.assertEqual(2, len(self.jobs))

    def test_nothing_is_kept_of_one_that_is_enrolled_or_gone(self):
        for over in (
            lambda: self.look(make.present(host="a")),
            lambda: self.enroller.drop("a"),
            self.enroller.forget,
        ):
            self.look(self.new)
            self.enroller.take(events.Enrolled(host="a", error="no answer"))
            over()
            self.assertEqual({}, self.enroller._not_before)

    def test_not_without_an_agent_or_a_nova_compute(self):
        self.look(make.missing())
        self.look(make.present(host="a", service=None))
        self.assertEqual([], self.jobs)

    def test_the_same_failure_is_logged_once(self):
        log = self.useFixture(fixtures.FakeLogger())
        for error in ("unreadable", "unreadable", "no answer"):
            self.enroller.take(events.Enrolled(host="a", error=error))
        self.assertEqual(2, log.output.count("not enrolled"))

    def test_success_is_told(self):
        for protected in ("", "it also runs: engine"):
            record = make.record("a", protected=protected)
            self.enroller.take(events.Enrolled(host="a", record=record))
        self.assertEqual(
            ["host.enrolled", "host.protected"], self.notifier.codes()
        )

    def test_a_storage_in_doubt_is_told_once_as_long_as_it_is(self):
        def facts(proven):
            return make.facts(
                "a",
                record=make.record("a", storage_domain="nfs-2"),
                beacon=make.beacon("a", storage=proven),
            )

        for proven in ("nfs-1", "nfs-1", "nfs-2", "nfs-1"):
            self.look(make.present(host="a", facts=facts(proven)))
        self.assertEqual(["host.storage_in_doubt"] * 2, self.notifier.codes())
