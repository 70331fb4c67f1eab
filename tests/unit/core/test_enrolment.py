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

from nova_ha.core import enrolment
from nova_ha.core import model
from tests import base
from tests.unit.core import builders as make


def engine(machine):
    return model.Contender(
        engine="c1:1", machine_id=machine, epoch=model.Epoch(1)
    )


class WantedTestCase(base.TestCase):
    def wanted(self, *, service=True, engines=(), beacon=None, **changes):
        view = make.present(
            facts=make.facts(beacon=beacon or make.beacon(), **changes)
        )
        return enrolment.wanted(
            view, make.service() if service else None, engines
        )

    def test_a_new_host(self):
        self.assertTrue(self.wanted(record=None))

    def test_a_host_that_is_enrolled(self):
        self.assertFalse(self.wanted())

    def test_not_without_a_live_agent(self):
        view = make.missing(facts=make.facts(record=None))
        self.assertFalse(enrolment.wanted(view, make.service(), ()))

    def test_not_without_a_nova_compute(self):
        self.assertFalse(self.wanted(record=None, service=False))

    def test_not_without_a_machine_id(self):
        self.assertFalse(
            self.wanted(record=None, beacon=make.beacon(machine_id=""))
        )

    def test_what_has_changed_is_brought_up_to_date(self):
        for changes in (
            {"machine_id": "another"},
            {"system_uuid": "another"},
            {"service_id": "another"},
        ):
            self.assertTrue(
                self.wanted(record=make.record(**changes)), changes
            )

    def test_what_its_agent_proves_is_kept(self):
        proven = make.record(proven_storage="nfs-1")
        for record, said, wanted in (
            (make.record(), "nfs-1", True),
            (proven, "nfs-1", False),
            (proven, "nfs-2", True),
            (proven, "", True),
            # Not to know is not to know better.
            (proven, None, False),
            # An update of nova_ha is no reason to write all records anew.
            (make.record(), "", False),
            # No agent has read that from a marker.
            (make.record(), "a name\nlike no other", False),
        ):
            beacon = make.beacon(storage=said)
            self.assertIs(
                wanted, self.wanted(record=record, beacon=beacon), said
            )

    def test_a_host_that_has_become_a_controller(self):
        self.assertTrue(self.wanted(engines=[engine("machine-a")]))
        protected = make.record(protected="it also runs: engine")
        self.assertFalse(
            self.wanted(record=protected, engines=[engine("machine-a")])
        )


class ProtectionTestCase(base.TestCase):
    def test_a_plain_hypervisor(self):
        self.assertEqual(
            "", enrolment.protection(make.beacon(), [engine("other")], "QEMU")
        )

    def test_ironic(self):
        for name in ("ironic", "Ironic"):
            self.assertIn(
                "ironic", enrolment.protection(make.beacon(), [], name)
            )

    def test_what_else_runs_there(self):
        beacon = make.beacon(colocated=("zookeeper", "controller"))
        self.assertEqual(
            "it also runs: controller, engine, zookeeper",
            enrolment.protection(beacon, [engine("machine-a")]),
        )


class EnrolTestCase(base.TestCase):
    def test_the_record(self):
        record = enrolment.enrol(
            make.beacon(system_uuid="uuid", storage="nfs-1"),
            make.service(),
            [engine("machine-a")],
            "QEMU",
            make.utc(5),
        )
        self.assertEqual(
            make.record(
                system_uuid="uuid",
                proven_storage="nfs-1",
                protected="it also runs: engine",
                enrolled_at=make.utc(5),
            ),
            record,
        )
