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

from nova_ha.core import model
from nova_ha.core import publication
from nova_ha.core.model import CaseState
from tests import base
from tests.unit.core import builders as make


class PublicationTestCase(base.TestCase):
    def of(self, verdict, case=None, **world):
        return publication.of(
            "a", verdict, case, make.world(**world), make.now()
        )

    def test_a_host_that_is_plainly_alive_is_not_published(self):
        self.assertIsNone(self.of(make.ALIVE))
        self.assertIsNone(self.of(None))

    def test_of_a_live_host_the_flags_of_an_operator_are(self):
        for flags, reason in (
            ({"forced_down": True}, "operator-forced-down"),
            (
                {"disabled": True, "disabled_reason": "RAM"},
                "operator-disabled",
            ),
        ):
            found = self.of(make.ALIVE, services={"a": make.service(**flags)})
            self.assertEqual(reason, found.verdict.reason.value)
            self.assertTrue(found.schedulable)

    def test_those_of_nova_and_of_ours_are_not(self):
        for reason in ("AUTO: libvirt", "nova-ha: case x"):
            service = make.service(disabled=True, disabled_reason=reason)
            self.assertIsNone(self.of(make.ALIVE, services={"a": service}))

    def test_nor_one_that_is_not_enrolled(self):
        self.assertIsNone(self.of(make.verdict("hands-off", "not-enrolled")))

    def test_a_live_host_with_a_case_is(self):
        case = make.case(state=CaseState.SOAKING, message="60 s to go")
        found = self.of(make.ALIVE, case)
        self.assertEqual(
            ("case-a", CaseState.SOAKING, False, "60 s to go"),
            (found.case, found.case_state, found.schedulable, found.message),
        )

    def test_a_hold_is_said_first(self):
        case = make.case(hold=model.Hold.STORM, message="storm: 2 of 4")
        message = self.of(make.verdict(), case).message
        self.assertEqual("held (storm): storm: 2 of 4", message)

    def test_a_case_without_a_message_explains_its_verdict(self):
        message = self.of(make.verdict(), make.case()).message
        self.assertIn("all sources are silent", message)

    def test_where_instances_may_still_be_placed(self):
        for kind, reason, detail, schedulable in (
            ("degraded", "checks-failed", "", False),
            ("rebooted", "new-boot", "", False),
            ("away", "goodbye", "stop", True),
            ("away", "goodbye", "shutdown", False),
            ("unknown", "window", "", False),
            ("agent-lost", "source-moves", "", False),
            ("down", "all-silent", "", False),
            ("hands-off", "maintenance", "", False),
            ("hands-off", "protected", "", False),
            ("hands-off", "operator-disabled", "", True),
            ("hands-off", "operator-forced-down", "", True),
        ):
            found = self.of(make.verdict(kind, reason, detail))
            self.assertEqual(schedulable, found.schedulable, reason)

    def test_advice(self):
        found = self.of(make.verdict("degraded", "checks-failed", "nfs: x"))
        self.assertIn("(nfs: x); mend", found.message)

    def test_what_would_be_done(self):
        found = self.of(make.verdict(), control=model.Control())
        self.assertIn("would fence it, but: disarmed", found.message)
        self.assertNotIn("would", self.of(make.verdict()).message)

    def test_the_time_alone_is_no_news(self):
        one, two = (
            publication.of(
                "a", make.verdict(), None, make.world(), make.now(at)
            )
            for at in (1.0, 2.0)
        )
        self.assertTrue(publication.same(one, two))
        self.assertFalse(publication.same(one, None))
        self.assertTrue(publication.same(None, None))
        other = self.of(make.verdict(), make.case())
        self.assertFalse(publication.same(one, other))

    def test_each_verdict_has_a_code(self):
        self.assertEqual(set(model.VerdictKind), set(publication.CODES))
        codes = [code for code, _ in publication.CODES.values()]
        self.assertEqual(len(codes), len(set(codes)))
