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

"""What HAProxy and Prometheus are told of an engine's process."""

import json
import urllib.error
import urllib.request

from prometheus_client import parser

from lab.services import base as services
from tests import zookeeper_server
from tests.functional import programs


class EngineHealthTest(programs.ProgramsTestCase):
    def setUp(self):
        super().setUp()
        self.write("fencing.yaml", "devices: {}\nhosts: {}\n")
        self.write_conf("operator")
        self.make_tree()
        site = services.Site.at(self.directory / "site")
        self.port = site.ports.get("metrics")
        self.write_conf(
            "engine",
            zookeeper={"tick": 0.1},
            nova={
                "auth_type": "none",
                "endpoint_override": "http://127.0.0.1:1",
            },
            metrics={"port": self.port},
        )
        self.start_engine()

    def ask(self, page):
        url = f"http://127.0.0.1:{self.port}/{page}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def becomes(self, status):
        zookeeper_server.wait_until(
            lambda: self.ask("healthz")[0] == status, 40, self.engine_log
        )
        return json.loads(self.ask("healthz")[1])

    def numbers(self):
        status, text = self.ask("metrics")
        self.assertEqual(200, status, text)
        families = parser.text_string_to_metric_families(text)
        return {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if not sample.labels
        }

    def test_it_leads_and_loses_zookeeper(self):
        self.wait_for_log("engine.leading")
        found = self.becomes(200)
        self.assertTrue(found["leading"])
        numbers = self.numbers()
        self.assertEqual(
            (1, found["epoch"], 0),
            (
                numbers["nova_ha_leader"],
                numbers["nova_ha_epoch"],
                numbers["nova_ha_armed"],
            ),
        )
        self.server.stop()
        found = self.becomes(503)
        self.assertIn("ZooKeeper", found["problems"][0])
        self.assertEqual(0, self.numbers()["nova_ha_leader"])
        self.server.start()
        self.assertTrue(self.becomes(200)["healthy"])
