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

"""``nova-ha evacuate`` on a store in memory."""

import dataclasses

from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import MoveState
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples


class EvacuateCase(test_cli.CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("cmp2", present=False)
        )

    def requests(self):
        return [call[1] for call in self._changes() if call[0] == "request"]

    def _put(self, case):
        self.store.pictured = dataclasses.replace(
            self.store.pictured, cases={case.host: case}
        )


class EvacuateTest(EvacuateCase):
    def test_it_is_asked_for(self):
        self.assertEqual(0, self._run("--as", "jane", "evacuate", "cmp2"))
        self.assertEqual(
            [
                model.EvacuationRequest(
                    host="cmp2", by="jane", at=self.store.pictured.at
                )
            ],
            self.requests(),
        )

    def test_what_is_named(self):
        self._run(
            *("evacuate", "cmp2", "--target", "cmp1"),
            *("--server", "s1", "--server", "s2"),
        )
        (asked,) = self.requests()
        self.assertEqual(("cmp1", ("s1", "s2")), (asked.target, asked.servers))

    def test_a_live_host_is_refused(self):
        self.assertEqual(2, self._run("evacuate", "cmp1"))
        self.assertIn("refused: the agent of cmp1 has a beacon", self.errors)
        self.assertEqual([], self.requests())

    def test_a_target_that_is_not_known(self):
        arguments = ("evacuate", "cmp2", "--target", "cmp9")
        self.assertEqual(2, self._run(*arguments))
        self.assertEqual([], self.requests())

    def test_a_host_on_its_way_back(self):
        case = samples.case(state="soaking")
        self._put(case)
        self.assertEqual(2, self._run("evacuate", "cmp2"))
        self.assertIn("is soaking", self.errors)

    def test_while_disarmed(self):
        self.store.pictured = dataclasses.replace(
            self.store.pictured, control=model.Control()
        )
        self.assertEqual(0, self._run("evacuate", "cmp2"))
        self.assertIn("disarmed", self.errors)


class WaitTest(EvacuateCase):
    def setUp(self):
        super().setUp()
        self.end = None
        self.left = MoveState.DONE
        follow = self.store.request

        def request(asked):
            follow(asked)
            if self.end is not None:
                self._put(
                    samples.case(
                        state=self.end.value,
                        request=asked,
                        surveyed=True,
                        moves=(
                            samples.move(1, MoveState.DONE),
                            samples.move(2, self.left),
                        ),
                    )
                )
            return asked

        self.store.request = request

    def test_until_all_have_moved(self):
        self.end = CaseState.EVACUATED
        self.assertEqual(0, self._run("evacuate", "cmp2", "--wait"))
        self.assertIn("evacuated: what the case says", self.output)

    def test_until_nothing_more_is_moved(self):
        self.end, self.left = CaseState.PARTIAL, MoveState.FAILED
        self.assertEqual(1, self._run("evacuate", "cmp2", "--wait"))

    def test_the_named_ones_have_moved(self):
        self.end, self.left = CaseState.PARTIAL, MoveState.SKIPPED
        named = samples.move(1, MoveState.DONE).instance
        arguments = ("evacuate", "cmp2", "--server", named, "--wait")
        self.assertEqual(0, self._run(*arguments))

    def test_a_host_that_is_back_already(self):
        self.end = CaseState.RETURNING
        self.assertEqual(0, self._run("evacuate", "cmp2", "--wait"))

    def test_one_that_an_engine_has_refused(self):
        self.assertEqual(2, self._run("evacuate", "cmp2", "--wait"))
        self.assertIn("no case follows it", self.output)
