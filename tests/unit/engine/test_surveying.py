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

"""What of Nova a survey asks for."""

from unittest import mock

from nova_ha import ports
from nova_ha.core import actions
from nova_ha.engine import surveying
from tests import base
from tests.unit.core import builders as make


def gather(calls):
    return [call() for call in calls]


class SurveyingTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.compute = mock.create_autospec(ports.Compute, instance=True)
        self.compute.instances.return_value = [
            make.instance("i1", resources={"VCPU": 1}),
            make.instance("i2", resources={"VCPU": 1}),
        ]
        self.compute.migrations.return_value = [make.migration(1, "done")]
        self.compute.instance_migrations.return_value = [
            make.migration(1, "done"),
            make.migration(2, "failed"),
        ]
        self.compute.targets.return_value = []

    def ask(self, **changes):
        action = actions.TakeSurvey(host="a", case="case-a", **changes)
        return surveying.ask(self.compute, action, gather)

    def test_nothing_that_was_not_asked_for(self):
        survey = self.ask()
        self.assertIsNone(survey.instances)
        self.assertIsNone(survey.targets)
        self.assertIsNone(survey.power)
        self.assertEqual([1], [one.id for one in survey.migrations])
        self.compute.instances.assert_not_called()
        self.compute.targets.assert_not_called()

    def test_room_for_each_size_once(self):
        self.ask(instances=True, targets=True, requests=({"VCPU": 2},))
        self.compute.targets.assert_called_once_with(
            [{"VCPU": 1}, {"VCPU": 2}]
        )

    def test_each_record_once(self):
        survey = self.ask(instances=True, histories=True, pending=("i3",))
        self.assertEqual([1, 2], [one.id for one in survey.migrations])
        self.assertEqual(
            ["i1", "i2", "i3"],
            [
                call.args[0]
                for call in self.compute.instance_migrations.mock_calls
            ],
        )

    def test_what_is_gone_is_not_among_the_looks(self):
        self.compute.instance.side_effect = [make.instance("i1"), None]
        survey = self.ask(look_at=("i1", "i2"))
        self.assertEqual(["i1"], [one.id for one in survey.looks])
