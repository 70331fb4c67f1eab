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

"""Which candidates pass."""

import dataclasses
import datetime

from nova_ha.core import model
from nova_ha.core import view
from nova_ha.scheduler import selection
from tests import base

BAD = view.HostView(schedulable=False, reason="its agent is gone")
GOOD = view.HostView(schedulable=True)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    hosts: dict[str, view.HostView]
    recoveries: dict[str, model.PublishedVerdict] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True)
class HostState:
    host: str


CANDIDATES = [HostState(name) for name in ("cmp1", "cmp2", "cmp3")]
SNAPSHOT = Snapshot({"cmp1": BAD, "cmp2": GOOD})


class TestSelection(base.TestCase):
    def test_bad_hosts_are_rejected_unknown_ones_are_not_ours(self) -> None:
        chosen = selection.select(CANDIDATES, SNAPSHOT)
        self.assertEqual(["cmp2", "cmp3"], [one.host for one in chosen])


def recovery(
    state: model.CaseState, **targets: str
) -> dict[str, model.PublishedVerdict]:
    return {
        "cmp9": model.PublishedVerdict(
            host="cmp9",
            verdict=model.Verdict(
                kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
            ),
            case="case",
            case_state=state,
            targets=targets,
            at=datetime.datetime.now(datetime.UTC),
        )
    }


class TestMoves(base.TestCase):
    """A second evacuation of an instance must not end on a second host."""

    def select(
        self,
        recoveries: dict[str, model.PublishedVerdict],
        leaving: str = "cmp9",
        named: bool = False,
    ) -> list[str]:
        snapshot = Snapshot({}, recoveries=recoveries)
        move = selection.Move("vm", (leaving,), named)
        return [c.host for c in selection.select(CANDIDATES, snapshot, move)]

    def test_everybody_is_held_to_the_announced_target(self) -> None:
        for state in (model.CaseState.EVACUATING, model.CaseState.EVACUATED):
            for named in (False, True):
                known = recovery(state, vm="cmp2")
                self.assertEqual(["cmp2"], self.select(known, named=named))

    def test_before_the_target_is_chosen_nobody_else_chooses(self) -> None:
        known = recovery(model.CaseState.FENCED, other="cmp2")
        self.assertEqual([], self.select(known))
        self.assertEqual(3, len(self.select(known, named=True)))

    def test_other_moves_are_free(self) -> None:
        known = recovery(model.CaseState.EVACUATED, other="cmp2")
        self.assertEqual(3, len(self.select(known)))
        known = recovery(model.CaseState.EVACUATED, vm="cmp2")
        self.assertEqual(3, len(self.select(known, leaving="cmp8")))
