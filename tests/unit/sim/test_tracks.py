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

"""What has become of hosts and engines, at any time."""

from nova_ha.core import model
from nova_ha.sim import tracks
from tests import base
from tests.unit.sim.test_trace import entry
from tests.unit.sim.test_trace import told


class TrackTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.track = tracks.Track("a")
        self.track.enter(1.0, "b")
        self.track.enter(2.0, "b")
        self.track.enter(3.0, "c")

    def test_at_a_moment(self) -> None:
        found = [self.track.at(moment) for moment in (0.0, 1.0, 2.9, 3.0)]
        self.assertEqual(["a", "b", "b", "c"], found)
        self.assertEqual("c", self.track.now)

    def test_within_a_span_its_beginning_counts_and_its_end_does_not(
        self,
    ) -> None:
        self.assertEqual(["a", "b"], self.track.between(0.0, 3.0))
        self.assertEqual(["b"], self.track.between(1.0, 2.0))
        self.assertEqual(["c"], self.track.between(5.0, 6.0))


class TracksTest(base.TestCase):
    def test_a_machine_and_its_guests(self) -> None:
        host = tracks.Tracks(
            [
                entry(-9.0, "a", "guest.started"),
                entry(1.0, "a", "machine.crashed"),
                entry(1.0, "a", "guest.stopped"),
                entry(2.0, "a", "machine.power-off"),
                entry(3.0, "a", "machine.power-on"),
                entry(4.0, "a", "machine.booted"),
            ]
        ).hosts["a"]
        machine = tracks.Machine
        self.assertEqual(
            [
                machine.UP,
                machine.CRASHED,
                machine.OFF,
                machine.BOOTING,
                machine.UP,
            ],
            host.machine.states,
        )
        self.assertEqual([0, 1, 0], host.guests.states)

    def test_a_case_goes_on_after_a_hold_where_it_was(self) -> None:
        case = (
            tracks.Tracks(
                [
                    told(1.0, "case.opened", ""),
                    told(2.0, "case.evacuating", ""),
                    told(3.0, "case.held", ""),
                    told(4.0, "case.resumed", ""),
                    told(5.0, "case.closed", ""),
                ]
            )
            .hosts["host-1"]
            .case
        )
        self.assertIs(tracks.Case.HELD, case.at(3.5))
        self.assertIs(tracks.Case.EVACUATING, case.at(4.5))
        self.assertIs(tracks.Case.NONE, case.now)

    def test_one_engine_leads_at_a_time(self) -> None:
        engines = tracks.Tracks(
            [
                entry(0.0, "e1", "engine.started"),
                entry(0.0, "e2", "engine.started"),
                entry(1.0, "e1", "engine.leading"),
                entry(2.0, "e1", "engine.frozen"),
                entry(3.0, "e2", "engine.leading"),
                entry(4.0, "e1", "engine.thawed"),
                entry(5.0, "e2", "engine.killed"),
            ]
        ).engines
        engine = tracks.Engine
        self.assertIs(engine.LEADS, engines["e1"].at(1.5))
        self.assertIs(engine.FROZEN, engines["e1"].at(3.5))
        self.assertIs(engine.STANDBY, engines["e1"].now)
        self.assertIs(engine.GONE, engines["e2"].now)

    def test_the_ensemble(self) -> None:
        track = tracks.Tracks(
            [
                entry(1.0, "zookeeper", "zookeeper.election"),
                entry(2.0, "zookeeper", "zookeeper.elected"),
                entry(3.0, "zookeeper", "zookeeper.stopped"),
            ]
        ).zookeeper
        self.assertIs(tracks.Ensemble.ELECTS, track.at(1.0))
        self.assertIs(tracks.Ensemble.SERVES, track.at(2.5))
        self.assertIs(tracks.Ensemble.STOPPED, track.now)

    def test_every_open_state_of_a_case_is_drawn(self) -> None:
        for state in model.CaseState:
            code = f"case.{state.value.replace('-', '_')}"
            track = tracks.Tracks([told(1.0, code, "")])
            ended = state in (
                model.CaseState.CLOSED,
                model.CaseState.CANCELLED,
            )
            case = track.hosts["host-1"].case
            self.assertEqual(ended, case.now is tracks.Case.NONE, state)

    def test_no_two_states_look_alike(self) -> None:
        for kind in (
            tracks.Machine,
            tracks.Case,
            tracks.Engine,
            tracks.Ensemble,
        ):
            signs = [state.value for state in kind]
            self.assertEqual(len(signs), len(set(signs)))
