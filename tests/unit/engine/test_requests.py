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

"""What becomes of operators' requests, without a controller."""

import dataclasses

from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import model
from nova_ha.core import work
from nova_ha.engine import jobs
from nova_ha.engine import open_cases
from nova_ha.engine import requests
from nova_ha.engine import telling
from tests import base
from tests.fakes import cloud
from tests.unit.core import builders as make

REQUEST = model.EvacuationRequest(host="a", by="admin", at=make.utc(1000))
REFUSED = "host.request_refused"


class RequestsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.submitted = []
        self.notifier = cloud.Notifier()
        self.requests = requests.Requests(
            self.submitted.append, telling.Teller(self.notifier)
        )
        self.fleet = fleet_mod.Fleet()
        self.put(make.facts())

    def put(self, facts):
        event = events.HostsRead(hosts={"a": facts}, complete=True)
        self.fleet.fold(event, 1000.0)

    def read(self, *asked):
        return self.requests.take(
            events.RequestsRead(requests={one.host: one for one in asked})
        )

    def wanted(self, one=None, seconds=1000.0):
        return self.requests.wanted("a", one, self.fleet, make.now(seconds))

    def of(self, **changes):
        """A saved case of the host."""
        values = {"request": None, **changes}
        case = make.case(**values)
        return open_cases.OpenCase(case, work.Progress(), version=3)

    # -- without a case --

    def test_a_case_is_to_be_opened(self):
        self.assertEqual({"a"}, self.read(REQUEST))
        self.assertEqual(REQUEST, self.wanted())
        self.assertEqual([], self.submitted)

    def test_nothing_is_asked(self):
        self.assertIsNone(self.wanted())

    def test_one_that_is_refused_is_told_and_taken_away(self):
        self.put(make.facts(beacon=make.beacon()))
        self.read(REQUEST)
        self.assertIsNone(self.wanted())
        self.assertEqual([REFUSED], self.notifier.codes())
        self.assertEqual(
            [jobs.DropRequest(host="a", request=REQUEST)], self.submitted
        )

    def test_told_once_while_it_cannot_be_taken_away(self):
        self.put(make.facts(beacon=make.beacon()))
        self.read(REQUEST)
        for seconds in (0.0, 1.0, 6.0, 12.0):
            self.assertIsNone(self.wanted(seconds=1000.0 + seconds))
            self.requests.take(events.RequestDropped(host="a", error="no"))
        self.assertEqual(3, len(self.submitted))
        self.assertEqual([REFUSED], self.notifier.codes())

    def test_the_next_one_is_told_again(self):
        self.put(make.facts(beacon=make.beacon()))
        for asked in (REQUEST, dataclasses.replace(REQUEST, by="jane")):
            self.read(asked)
            self.wanted()
            self.assertEqual(set("a"), self.read())
        self.assertEqual([REFUSED, REFUSED], self.notifier.codes())

    def test_another_term_tells_it_again(self):
        self.put(make.facts(beacon=make.beacon()))
        self.read(REQUEST)
        self.wanted()
        self.requests.forget()
        self.wanted()
        self.assertEqual([REFUSED, REFUSED], self.notifier.codes())
        self.assertEqual(2, len(self.submitted))

    # -- with one --

    def test_a_case_that_has_it_takes_it_away(self):
        self.read(REQUEST)
        self.assertIsNone(self.wanted(self.of(request=REQUEST)))
        self.assertEqual(1, len(self.submitted))
        self.assertEqual([], self.notifier.codes())

    def test_not_before_that_case_is_saved(self):
        self.read(REQUEST)
        saved = self.of(request=REQUEST)
        for unsaved in (
            dataclasses.replace(saved, version=None),
            dataclasses.replace(saved, saving=True),
        ):
            self.assertIsNone(self.wanted(unsaved))
        self.assertEqual([], self.submitted)

    def test_one_that_is_about_to_take_it(self):
        self.read(REQUEST)
        self.assertIsNone(self.wanted(self.of()))
        self.assertEqual([], self.submitted)

    def test_one_that_takes_none_any_more(self):
        self.read(REQUEST)
        back = self.of(state=model.CaseState.SOAKING)
        for seconds in (1000.0, 1006.0):
            self.assertIsNone(self.wanted(back, seconds))
        self.assertEqual([REFUSED], self.notifier.codes())
        self.assertIn("is soaking", self.notifier.events[0].message)
        self.assertEqual(2, len(self.submitted))
