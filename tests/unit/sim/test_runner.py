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

"""A script from its beginning to its verdict: the whole cloud runs."""

import logging

from nova_ha.core import fleet as fleet_mod
from nova_ha.sim import runner
from nova_ha.sim import script
from tests import base
from tests.unit.sim import scripts

RECOVERY = """
cloud: {hosts: 4, instances: 4}
minutes: 4.5
faults:
- {at: 30, crash: host-1}
- {when: case.evacuated, after: 10, power-on: host-1}
expect:
- {host: host-1, case: closed}
- {host: host-2, case: none}
- {instance: instance-1, on: [host-2, host-3, host-4]}
- {instance: instance-1, not_on: host-1}
- {instance: instance-2, on: host-2}
- {code: case.fenced, of: host-1, times: 1}
- {code: case.fenced, of: host-2, max: 0}
- {fenced: host-1}
"""


class RunnerTest(base.TestCase):
    def _run(self, text: str) -> runner.Result:
        return runner.run(scripts.parse(text))

    def test_a_recovery_that_is_as_expected(self) -> None:
        result = self._run(RECOVERY)
        self.assertEqual([], result.problems)
        self.assertTrue(result.ok)
        self.assertEqual(2, result.faults)
        self.assertEqual((), result.stuck)
        self.assertIn("host-1    crashed", "\n".join(result.trace))

    def test_the_same_script_and_seed_make_the_same_run(self) -> None:
        one, other = self._run(RECOVERY), self._run(RECOVERY)
        self.assertEqual(one.trace, other.trace)
        self.assertEqual(one.steps, other.steps)

    def test_everything_that_is_not_as_expected_is_told(self) -> None:
        result = self._run(
            """
            cloud: {hosts: 2, instances: 2}
            minutes: 0.5
            faults:
            - {at: 1, start-guest: host-2, instance: instance-1}
            - {at: 2, fail-check: [host-1, host-2]}
            expect:
            - {host: host-1, case: closed}
            - {instance: instance-1, on: host-2}
            - {instance: instance-1, on: []}
            - {instance: instance-1, not_on: host-1}
            - {code: case.opened, min: 2}
            - {code: case.opened, min: 2, max: 3}
            - {code: case.opened, of: host-1}
            - {code: fault.fail-check, max: 1}
            - {fenced: host-1}
            """
        )
        self.assertFalse(result.ok)
        self.assertEqual(
            [
                "line 8: the case of host-1 is none, not closed",
                "line 9: instance-1 runs on host-1 and host-2, not on host-2",
                "line 10: instance-1 runs on host-1 and host-2, "
                "not on no host",
                "line 11: instance-1 runs on host-1 and host-2",
                "line 12: case.opened: 0 times, not at least 2",
                "line 13: case.opened: 0 times, not 2 to 3",
                "line 14: case.opened of host-1: 0 times, not at least 1",
                "line 15: fault.fail-check: 2 times, not 0 to 1",
                "line 16: fenced: none, not host-1",
            ],
            list(result.failed),
        )

    def test_a_fault_that_never_happens_is_a_failure(self) -> None:
        result = self._run(
            "cloud: {hosts: 1}\nminutes: 0.1\nfaults:\n"
            "- {when: case.fenced, crash: host-1}"
        )
        self.assertEqual(
            ("line 4: crash never happened: it waits for case.fenced",),
            result.failed,
        )

    def test_a_case_that_is_still_open_is_told(self) -> None:
        result = self._run(
            "cloud: {hosts: 3, instances: 3}\nminutes: 1\nfaults:\n"
            "- {at: 1, crash: host-1}\nexpect:\n"
            "- {host: host-1, case: evacuated}"
        )
        self.assertTrue(result.ok, result.problems)
        self.assertEqual(["host-1"], [one.host for one in result.stuck])

    def test_what_nobody_could_have_known_has_to_be_allowed(self) -> None:
        text = (
            "cloud: {hosts: 3, instances: 3}\nminutes: 1\nfaults:\n"
            "- {at: 0, bmc: host-1, mode: lies-off}\n"
            "- {at: 1, cut: host-1, network: management}\n"
        )
        result = self._run(text)
        self.assertTrue(result.undetectable)
        self.assertIn("!!!!", "\n".join(result.trace))
        self.assertFalse(result.ok)
        allowed = self._run(f"{text}allow: undetectable\n")
        self.assertTrue(allowed.ok, allowed.problems)

    def test_a_mistake_that_the_product_has_caught_is_told(self) -> None:
        def broken(*_args: object, **_kwargs: object) -> None:
            raise ValueError("boom")

        self.patch(fleet_mod.Fleet, "fold", broken)
        result = self._run("cloud: {hosts: 1}\nminutes: 0.1")
        (problem,) = result.problems
        self.assertIn("mistake: ValueError in broken", problem)

    def test_logging_is_as_it_was(self) -> None:
        logger = logging.getLogger("nova_ha")
        before = (list(logger.handlers), logger.propagate)
        self._run("cloud: {hosts: 1}\nminutes: 0.1")
        self.assertEqual(before, (logger.handlers, logger.propagate))


class TriggerTest(base.TestCase):
    """Faults that wait for something to happen."""

    def _moments(self, text: str, code: str) -> list[float]:
        made = scripts.parse(f"cloud: {{hosts: 3}}\nminutes: 1\n{text}")
        entries = runner.run(made).entries
        return [round(one.at, 1) for one in entries if one.what == code]

    def test_the_first_the_second_and_some_time_after_it(self) -> None:
        crashes = self._moments(
            "faults:\n"
            "- {at: 5, stop-agent: host-1, for: 10}\n"
            "- {at: 7, stop-agent: host-2, for: 10}\n"
            "- {when: agent.stopped, crash: host-1}\n"
            "- {when: {code: agent.stopped, count: 2, after: 3},"
            " crash: host-2}\n",
            "machine.crashed",
        )
        self.assertEqual([5.0, 10.0], crashes)

    def test_only_of_one(self) -> None:
        crashes = self._moments(
            "faults:\n"
            "- {at: 5, stop-agent: host-1}\n"
            "- {at: 9, stop-agent: host-2}\n"
            "- {when: agent.stopped, of: host-2, crash: host-3}\n",
            "machine.crashed",
        )
        self.assertEqual([9.0], crashes)

    def test_for_so_long(self) -> None:
        text = "faults:\n- {at: 5, freeze: host-1, for: 4}\n"
        self.assertEqual([9.0], self._moments(text, "machine.thawed"))

    def test_an_engine_may_die_of_its_own_words(self) -> None:
        text = (
            "faults:\n- {at: 5, crash: host-1}\n"
            "- {when: case.opened, kill: [engine-1, engine-2]}\n"
        )
        self.assertEqual(2, len(self._moments(text, "engine.killed")))


class ResultTest(base.TestCase):
    def test_nothing_has_gone_wrong(self) -> None:
        made = scripts.parse(scripts.CLOUD)
        result = runner.Result(script=made, entries=(), steps=0, faults=0)
        self.assertTrue(result.ok)
        self.assertEqual([], result.trace)
        self.assertEqual(script.SECONDS, result.script.seconds)
