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

from nova_ha.core import domains
from nova_ha.core import sources
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from tests import base
from tests.unit.core import builders as make

NOW = 1000.0


def member(host, domain="rack", since=60.0, **changes):
    """A host of the domain that is silent."""
    facts = make.facts(host, record=make.record(host, failure_domain=domain))
    return make.missing(NOW, since, facts=facts, **changes)


def heard(host, domain="rack"):
    facts = make.facts(
        host,
        record=make.record(host, failure_domain=domain),
        beacon=make.beacon(host),
    )
    return make.present(host=host, facts=facts)


class DomainsTestCase(base.TestCase):
    def blocked(self, *views, host="a", cases=(), verdicts=None):
        world = make.world(*views, cases=cases, verdicts=verdicts)
        return domains.blocks(
            world.fleet.views[host],
            world.fleet,
            world.verdicts,
            world.cases,
            make.POLICY,
        )

    def test_all_of_a_domain_at_once(self):
        block = self.blocked(member("a"), member("b"), make.present(host="c"))
        self.assertIs(BrakeRule.FAILURE_DOMAIN, block.rule)
        self.assertEqual("rack", block.domain)
        for words in ("all 2 hosts", "failure domain rack", "a, b"):
            self.assertIn(words, block.message)

    def test_one_of_them_is_heard(self):
        self.assertIsNone(self.blocked(member("a"), member("b"), heard("c")))

    def test_one_of_them_still_reports(self):
        for kind, reason in (
            ("agent-lost", "source-moves"),
            ("isolated", "isolated"),
            ("unknown", "life-seen"),
        ):
            said = {"b": make.verdict(kind, reason)}
            self.assertIsNone(
                self.blocked(member("a"), member("b"), verdicts=said)
            )

    def test_one_that_is_away_on_purpose_says_nothing(self):
        away = {"c": make.verdict("away", "goodbye")}
        self.assertIsNotNone(
            self.blocked(member("a"), member("b"), member("c"), verdicts=away)
        )

    def test_a_domain_of_one_host(self):
        self.assertIsNone(self.blocked(member("a"), member("b", "other")))

    def test_hosts_without_a_domain_have_nothing_in_common(self):
        self.assertIsNone(self.blocked(member("a", ""), member("b", "")))

    def test_one_of_them_is_out_since_long(self):
        self.assertIsNone(self.blocked(member("a"), member("b", since=200.0)))

    def test_three_of_which_one_is_out_since_long(self):
        self.assertIsNotNone(
            self.blocked(member("a"), member("b"), member("c", since=900.0))
        )

    def test_one_that_was_recovered_before_the_first_look(self):
        case = make.case(
            "b", state=CaseState.EVACUATED, evidence=make.evidence()
        )
        other = member("b", settling=True)
        self.assertIsNone(self.blocked(member("a"), other, cases=[case]))
        # A suspect of the first look may have gone with it.
        self.assertIsNotNone(self.blocked(member("a"), other))

    def test_a_successor_is_told_by_the_case(self):
        recovered = make.case(
            "b", state=CaseState.EVACUATED, evidence=make.evidence()
        )
        own = make.case("a", silent_domain="rack")
        views = member("a"), member("b", settling=True)
        self.assertIsNotNone(self.blocked(*views, cases=[recovered, own]))


class SecondSignTestCase(base.TestCase):
    def sign(self, **changes):
        silent = make.silent_source(NOW)
        view = make.missing(
            NOW,
            sources={
                sources.NOVA: silent,
                "storage": dataclasses.replace(silent, **changes),
            },
        )
        return domains.second_sign(view, make.POLICY)

    def test_a_source_that_had_moved_and_is_silent(self):
        self.assertTrue(self.sign())

    def test_one_that_never_moved_says_nothing(self):
        self.assertFalse(self.sign(moves=0))

    def test_nor_does_one_that_was_not_looked_at_since(self):
        self.assertFalse(self.sign(looked_at=NOW - 61, moved_at=NOW - 500))

    def test_one_that_moves_is_none(self):
        self.assertFalse(self.sign(moved_at=NOW - 1))

    def test_novas_report_goes_the_way_of_the_beacon(self):
        silent = make.silent_source(NOW)
        view = make.missing(NOW, sources={sources.NOVA: silent})
        self.assertFalse(domains.second_sign(view, make.POLICY))
