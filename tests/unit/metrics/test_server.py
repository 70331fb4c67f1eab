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

"""The port itself, on loopback."""

import http.client
import json
import socket

from nova_ha import clock as clock_mod
from nova_ha.core import census
from nova_ha.metrics import meter as meter_mod
from nova_ha.metrics import server as server_mod
from tests import base


class ServerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = clock_mod.SystemClock()
        self.meter = meter_mod.PrometheusMeter(self.clock)
        self.server = self.listen("127.0.0.1")

    def listen(self, host):
        application = server_mod.Application(self.meter, self.clock)
        server = server_mod.Server(host, 0, application)
        server.start(self.clock.spawn)
        self.addCleanup(server.stop)
        return server

    def count(self, connected=True):
        self.meter.count(
            census.Census(taken_at=self.clock.monotonic(), connected=connected)
        )

    def ask(self, path, method="GET"):
        address = self.server.server_address[:2]
        connection = http.client.HTTPConnection(*address, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_metrics(self):
        self.count()
        status, body = self.ask("/metrics")
        self.assertEqual(200, status)
        self.assertIn(b"nova_ha_zookeeper_connected 1.0", body)

    def test_health_is_good(self):
        self.count()
        status, body = self.ask("/healthz")
        self.assertEqual(200, status)
        self.assertEqual([], json.loads(body)["problems"])

    def test_health_is_bad_and_says_why(self):
        for prepare in (lambda: None, lambda: self.count(connected=False)):
            prepare()
            status, body = self.ask("/healthz")
            self.assertEqual(503, status)
            self.assertEqual(1, len(json.loads(body)["problems"]))

    def test_a_head_request_has_no_body(self):
        self.count()
        self.assertEqual((200, b""), self.ask("/healthz", "HEAD"))

    def test_nothing_can_be_changed_here(self):
        self.assertEqual(405, self.ask("/healthz", "POST")[0])
        self.assertEqual(405, self.ask("/metrics", "POST")[0])

    def test_other_paths(self):
        self.assertEqual(404, self.ask("/")[0])

    def test_whoever_says_nothing_keeps_nobody_waiting(self):
        for _ in range(server_mod.AT_ONCE // 2):
            silent = socket.create_connection(self.server.server_address)
            self.addCleanup(silent.close)
        self.count()
        self.assertEqual(200, self.ask("/healthz")[0])

    def test_a_crowd_is_turned_away(self):
        for _ in range(server_mod.AT_ONCE):
            self.server._free.acquire()
        self.assertRaises(OSError, self.ask, "/healthz")
        self.server._free.release()
        self.assertEqual(503, self.ask("/healthz")[0])

    def test_a_mistake_of_ours_ends_in_an_error_not_in_silence(self):
        self.meter.latest = object()
        self.assertEqual(500, self.ask("/healthz")[0])
        self.assertEqual(500, self.ask("/metrics")[0])

    def test_ipv6(self):
        try:
            self.server = self.listen("::1")
        except OSError:
            self.skipTest("this machine has no IPv6")
        self.assertEqual(503, self.ask("/healthz")[0])
