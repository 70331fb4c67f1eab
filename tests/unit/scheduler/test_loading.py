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

"""Classes come from the namespace; bad ones do not stop the scheduler."""

from importlib import metadata
from unittest import mock

import fixtures

from nova_ha.scheduler import loading
from tests import base


class Own:
    """A class of ours."""


class ComputeFilter:
    """Named as one of Nova's."""


NOT_A_CLASS = "oops"


def entry_point(name: str, value: str) -> metadata.EntryPoint:
    return metadata.EntryPoint(
        name=name, value=value, group="nova_ha.test.namespace"
    )


HERE = "tests.unit.scheduler.test_loading"


class TestLoading(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger("nova_ha"))

    def load(self, *values: str) -> list[type]:
        points = [
            entry_point(f"plugin{number}", value)
            for number, value in enumerate(values)
        ]
        with mock.patch(
            "stevedore.ExtensionManager.list_entry_points",
            return_value=points,
        ):
            return loading.load("nova_ha.test.namespace", [ComputeFilter])

    def test_class(self) -> None:
        self.assertEqual(
            ["Own"], [one.__name__ for one in self.load(f"{HERE}:Own")]
        )
        self.assertEqual("", self.log.output)

    def test_broken_one_is_named_and_skipped(self) -> None:
        found = self.load("nova_ha.no_such_module:Filter", f"{HERE}:Own")
        self.assertEqual(["Own"], [one.__name__ for one in found])
        self.assertIn("plugin0 (nova_ha.no_such_module", self.log.output)

    def test_name_of_nova_is_refused(self) -> None:
        self.assertEqual([], self.load(f"{HERE}:ComputeFilter"))
        self.assertIn("has the name of Nova's", self.log.output)

    def test_second_of_a_name_is_refused(self) -> None:
        found = self.load(f"{HERE}:Own", f"{HERE}:Own")
        self.assertEqual(1, len(found))
        self.assertIn("has the name of plug-in plugin0", self.log.output)

    def test_not_a_class(self) -> None:
        self.assertEqual([], self.load(f"{HERE}:NOT_A_CLASS"))
        self.assertIn("is no class", self.log.output)
