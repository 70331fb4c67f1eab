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

import unittest.mock

import stevedore

from nova_ha import exception
from nova_ha.evidence import base as evidence_base
from nova_ha.evidence import loader
from nova_ha.evidence import services
from nova_ha.evidence import storage
from tests import base
from tests.fakes import cloud as fakes


class LoaderTestCase(base.TestCase):
    def load(self, *names):
        cloud = fakes.Cloud()
        return loader.load(
            names,
            evidence_base.Surroundings(
                clock=cloud.clock,
                compute=cloud,
                settings={
                    "storage_path": "/srv/instances",
                    "interval": 2.0,
                    "service_poll_interval": 1.0,
                },
            ),
        )

    def refused(self, *names):
        error = self.assertRaises(exception.ConfigError, self.load, *names)
        self.assertEqual(loader.OPTION, error.option)
        return error

    def test_each_once_in_the_order_given(self):
        self.assertEqual(
            [services.ServiceReports, storage.StorageHeartbeats],
            [type(one) for one in self.load("nova", "storage", "nova")],
        )

    def test_novas_is_required(self):
        self.assertIn("no host", self.refused("storage").remedy)
        self.refused()

    def test_an_unknown_one_is_named_with_those_known(self):
        error = self.refused("nova", "lldp")
        self.assertIn("lldp", error.problem)
        self.assertIn("nova, storage", error.remedy)

    def test_a_broken_one_is_named(self):
        with unittest.mock.patch.object(
            stevedore.DriverManager,
            "_load_one_plugin",
            side_effect=ImportError("no module frobnicate"),
        ):
            self.assertIn("frobnicate", self.refused("nova").problem)
