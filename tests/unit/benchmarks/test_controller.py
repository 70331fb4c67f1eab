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

"""The benchmark of the controller runs; what it measures is its own affair."""

from unittest import mock

from benchmarks import controller
from tests import base


class ControllerTest(base.TestCase):
    def setUp(self):
        super().setUp()
        patch = mock.patch.object(controller, "HOST_SECONDS", 200)
        patch.start()
        self.addCleanup(patch.stop)

    def test_growth(self):
        found = controller.growth([5, 10], 1)
        self.assertEqual({"5", "10"}, found["growth"].keys())
