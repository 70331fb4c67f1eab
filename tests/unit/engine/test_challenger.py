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
from nova_ha.core import events
from nova_ha.core import policy
from nova_ha.core import sources
from nova_ha.engine import challenger as challenger_mod
from nova_ha.engine import jobs
from nova_ha.engine import telling
from tests import base
from tests.fakes import cloud as fakes
from tests.unit.core import builders as make


class ChallengerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.jobs = []
        self.notifier = fakes.Notifier()
        self.challenger = challenger_mod.Challenger(
            policy.Policy(), self.jobs.append, telling.Teller(self.notifier)
        )

    def view(self, host, heard_at=0.0):
        view = make.present(host=host)
        dead = sources.Source(value="x", moved_at=0.0, looked_at=1000.0)
        return dataclasses.replace(
            view, heard_at=heard_at, sources={sources.NOVA: dead}
        )

    def hosts(self):
        return [job.host for job in self.jobs]

    def test_the_quietest_first_and_never_two_at_once(self):
        views = [self.view("a", 20.0), self.view("b", 10.0)]
        for now in (100.0, 100.0 + challenge.APART - 0.1):
            self.challenger.look(views, now)
        self.assertEqual(["b"], self.hosts())
        self.challenger.look(views, 100.0 + challenge.APART)
        self.assertEqual(["b", "a"], self.hosts())

    def test_what_is_asked_for(self):
        view = self.view("a", 20.0)
        self.challenger.look([view], 100.0)
        session = view.facts.beacon.session
        self.assertEqual(
            [jobs.ChallengeHost(host="a", session=session, quiet=80.0)],
            self.jobs,
        )

    def test_whoever_has_answered_is_left_alone_for_a_while(self):
        view = self.view("a")
        for now in (100.0, 100.0 + challenge.AGAIN - 1.0):
            self.challenger.look([view], now)
        self.assertEqual(["a"], self.hosts())
        self.challenger.look([view], 100.0 + challenge.AGAIN)
        self.assertEqual(["a", "a"], self.hosts())

    def test_another_term_begins_anew(self):
        self.challenger.look([self.view("a")], 100.0)
        self.challenger.forget()
        self.challenger.look([self.view("a")], 100.0)
        self.assertEqual(["a", "a"], self.hosts())

    def test_nobody_is_quiet(self):
        self.challenger.look([self.view("a", 90.0)], 100.0)
        self.assertEqual([], self.jobs)

    def test_it_is_told(self):
        for error in ("", "access denied: run nova-ha zk init"):
            self.challenger.take(
                events.Challenged(host="a", quiet=31.0, error=error)
            )
        self.assertEqual(["host.challenged"] * 2, self.notifier.codes())
        said = self.notifier.events[-1].message
        self.assertIn("for 31 s", said)
        self.assertIn("run nova-ha zk init", said)
