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

"""Workers that serve the age of their view."""

import socket
import urllib.request
from collections.abc import Callable

import fixtures
from oslo_config import cfg

from nova_ha import clock as clock_mod
from nova_ha.assembly import view as view_assembly
from nova_ha.assembly import view_metrics
from nova_ha.conf import scheduler
from nova_ha.metrics import server as server_mod
from tests import base


class ServeTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger("nova_ha"))
        self.servers: list[server_mod.Server] = []
        start = server_mod.Server.start

        def remembered(server: server_mod.Server, spawn: object) -> None:
            start(server, spawn)
            self.servers.append(server)
            self.addCleanup(server.stop)

        self.useFixture(
            fixtures.MonkeyPatch(
                "nova_ha.metrics.server.Server.start", remembered
            )
        )
        self.conf = cfg.ConfigOpts()
        scheduler.register_opts(self.conf)
        self.conf([])

    def serve(self, age: Callable[[], float], **options: object) -> None:
        for name, value in options.items():
            self.conf.set_override(name, value, "nova_ha")
        view_metrics.serve(self.conf, clock_mod.SystemClock(), age)

    def answer(self, server: server_mod.Server) -> str:
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read(), "utf-8")

    def busy(self) -> int:
        """A port that somebody else has."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        return int(taken.getsockname()[1])

    def test_no_port_unless_asked_for(self) -> None:
        self.serve(lambda: 1.0)
        self.assertEqual([], self.servers)

    def test_each_worker_has_its_own_port(self) -> None:
        port = self.busy()
        self.serve(lambda: 2.5, metrics_port=port)
        self.serve(lambda: float("inf"))
        one, other = self.servers
        self.assertTrue(port < one.server_port < other.server_port)
        name = 'nova_ha_view_age_seconds{view="hosts"}'
        self.assertIn(f"{name} 2.5\n", self.answer(one))
        self.assertIn(f"{name} +Inf\n", self.answer(other))

    def test_no_port_is_free(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.assembly.view_metrics.WORKERS", 1)
        )
        self.serve(lambda: 1.0, metrics_port=self.busy())
        self.assertEqual([], self.servers)
        self.assertIn("[nova_ha] metrics_host", self.log.output)
        self.assertIn("in use", self.log.output)

    def test_address_of_another_machine(self) -> None:
        self.serve(
            lambda: 1.0, metrics_host="192.0.2.1", metrics_port=self.busy()
        )
        self.assertEqual([], self.servers)
        self.assertIn("from 192.0.2.1 port", self.log.output)

    def test_the_view_of_a_worker(self) -> None:
        """Also where ZooKeeper cannot be reached for want of a password."""
        self.conf.set_override("metrics_port", self.busy(), "nova_ha")
        view = view_assembly.open_view(self.conf, clock_mod.SystemClock())
        self.assertEqual([], self.servers)
        view.snapshot()
        view.snapshot()
        (server,) = self.servers
        self.assertIn("+Inf", self.answer(server))
