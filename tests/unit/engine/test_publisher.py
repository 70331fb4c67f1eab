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
from nova_ha.core import model
from nova_ha.engine import publisher as publisher_mod
from tests import base
from tests.unit.core import builders as make


def published(host):
    return model.PublishedVerdict(
        host=host, verdict=make.verdict(), at=make.utc(0)
    )


class PublisherTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.jobs = []
        self.publisher = publisher_mod.Publisher(self.jobs.append)

    def answer(self, error="", now=0.0):
        job = self.jobs.pop(0)
        self.publisher.take(
            events.Published(host=job.host, verdict=job.verdict, error=error),
            now,
        )

    def test_a_change_is_published_once(self):
        down = published("a")
        self.publisher.look("a", down, 0.0)
        self.publisher.look("a", down, 1.0)
        self.assertEqual(1, len(self.jobs))
        self.answer()
        self.publisher.look("a", down, 2.0)
        self.assertEqual([], self.jobs)

    def test_what_changed_meanwhile_comes_after_it(self):
        self.publisher.look("a", published("a"), 0.0)
        self.publisher.look("a", None, 0.0)
        self.answer()
        self.publisher.look("a", None, 0.0)
        self.assertIsNone(self.jobs[0].verdict)

    def test_a_failure_is_tried_again(self):
        down = published("a")
        self.publisher.look("a", down, 0.0)
        self.answer(error="no answer", now=5.0)
        self.assertEqual({"a"}, set(self.publisher.restless))
        self.publisher.look("a", down, 5.5)
        self.assertEqual([], self.jobs)
        self.publisher.look("a", down, 6.0)
        self.assertEqual(1, len(self.jobs))

    def test_an_outage_is_logged_once(self):
        log = self.useFixture(fixtures.FakeLogger())
        for host in "abc":
            self.publisher.look(host, published(host), 0.0)
            self.answer(error="no answer")
        self.assertEqual(1, log.output.count("no answer"))

    def test_nothing_is_kept_of_what_is_done(self):
        for verdict in (published("a"), None):
            self.publisher.look("a", verdict, 0.0)
            self.answer()
        self.assertEqual({}, self.publisher.published)
        self.assertEqual(set(), set(self.publisher.restless))

    def test_it_goes_on_from_what_is_published(self):
        self.publisher.start([published("a")])
        self.publisher.look("a", published("a"), 0.0)
        self.assertEqual([], self.jobs)
