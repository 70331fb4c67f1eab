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

"""Requests that change something, and the clients that send them."""

import threading
from http import server
from typing import Any
from unittest import mock

import fixtures
from keystoneauth1 import exceptions as ks_exc
from keystoneauth1 import loading
from oslo_config import cfg

import nova_ha.conf.nova
from nova_ha import exception
from nova_ha.compute import nova
from nova_ha.compute import session
from tests import base
from tests.unit.compute import fake_api

SERVICE = "3c9e2e2c-9f5c-4c7e-8d35-6f0e8c0c7f11"
SECRET = "hunter2-and-more"


def configuration(kind: str | None = "password", **options: Any) -> Any:
    conf = cfg.ConfigOpts()
    nova_ha.conf.nova.register_opts(conf)
    conf([])
    conf.set_override("auth_type", kind, "nova")
    if kind is not None:
        conf.register_opts(
            loading.get_auth_plugin_conf_options(kind), group="nova"
        )
    for name, value in options.items():
        conf.set_override(name, value, "nova")
    return conf


def complete(**options: Any) -> Any:
    return configuration(
        auth_url="http://127.0.0.1:9/v3",
        username="nova-ha",
        password=SECRET,
        user_domain_name="Default",
        project_name="service",
        project_domain_name="Default",
        **options,
    )


class TestClients(base.TestCase):
    def test_all_share_one_session(self) -> None:
        clients = session.open_clients(complete(), 16)
        self.assertIs(clients.session, clients.nova.session)
        self.assertIs(clients.session, clients.placement.session)
        self.assertIs(clients.session, clients.novaclient.client.session)

    def test_answer_and_token_fit_the_time_out(self) -> None:
        clients = session.open_clients(complete(request_timeout=9.0), 16)
        self.assertAlmostEqual(6.0, clients.session.timeout)

    def test_no_credentials(self) -> None:
        for kind in (None, "password"):
            with self.subTest(kind=kind):
                error = self.assertRaises(
                    exception.ConfigError,
                    session.open_clients,
                    configuration(kind),
                    4,
                )
                self.assertEqual("[nova] auth_type", error.option)

    def test_unknown_kind(self) -> None:
        conf = configuration(None)
        conf.set_override("auth_type", "tea-leaves", "nova")
        error = self.assertRaises(
            exception.ConfigError, session.open_clients, conf, 4
        )
        self.assertEqual("[nova] auth_type", error.option)

    def test_key_without_certificate(self) -> None:
        conf = complete(keyfile="/etc/key.pem")
        error = self.assertRaises(
            exception.ConfigError, session.open_clients, conf, 4
        )
        self.assertEqual("[nova] keyfile", error.option)

    def test_password_is_not_shown(self) -> None:
        clients = session.open_clients(complete(), 4)
        self.assertNotIn(SECRET, repr(clients))
        adapter = nova.NovaCompute.from_conf(
            complete(request_timeout=1.0), fake_api.FakeClock(), 4
        )
        log = self.useFixture(fixtures.FakeLogger(level=0))
        error = self.assertRaises(
            exception.ComputeUnavailable, adapter.services
        )
        self.assertNotIn(SECRET, str(error) + log.output)


class TestConnections(base.TestCase):
    """A pool that is too small would open a connection for each request."""

    def test_as_many_are_kept_as_there_are_threads(self) -> None:
        threads, rounds = 24, 3
        barrier = threading.Barrier(threads)
        opened = []

        class Handler(server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                opened.append(self.client_address)
                super().setup()

            def do_GET(self) -> None:
                barrier.wait(10)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        listener = server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        listener.daemon_threads = True
        listener.request_queue_size = threads
        self.addCleanup(listener.server_close)
        self.addCleanup(listener.shutdown)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{listener.server_port}"
        conf = configuration("none", endpoint=url, endpoint_override=url)
        clients = session.open_clients(conf, threads)

        def read() -> None:
            for _ in range(rounds):
                clients.nova.get("/")

        workers = [threading.Thread(target=read) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        self.assertEqual(threads, len(opened))


class TestChanges(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = fake_api.FakeClock()
        self.client = mock.Mock()
        self.session = mock.Mock()
        self.compute = nova.NovaCompute(
            session.Clients(
                session=self.session,
                nova=mock.Mock(),
                placement=mock.Mock(),
                novaclient=self.client,
            ),
            self.clock,
            request_timeout=30.0,
            page_size=100,
        )

    def test_calls(self) -> None:
        self.compute.force_down(SERVICE, True)
        self.compute.disable(SERVICE, "é" * 300)
        self.compute.enable(SERVICE)
        self.compute.evacuate("a", "cmp2")
        self.compute.repair_state("a")
        self.compute.stop_instance("a")
        self.client.services.force_down.assert_called_once_with(SERVICE, True)
        self.client.services.disable_log_reason.assert_called_once_with(
            SERVICE, "é" * 255
        )
        self.client.services.enable.assert_called_once_with(SERVICE)
        self.client.servers.evacuate.assert_called_once_with("a", host="cmp2")
        self.client.servers.reset_state.assert_called_once_with("a", "active")
        self.client.servers.stop.assert_called_once_with("a")

    def test_moves_of_a_live_host(self) -> None:
        self.compute.live_migrate("a")
        self.compute.cold_migrate("a")
        self.compute.confirm_migration("a")
        servers = self.client.servers
        servers.live_migrate.assert_called_once_with(
            "a", host=None, block_migration="auto"
        )
        servers.migrate.assert_called_once_with("a")
        servers.confirm_resize.assert_called_once_with("a")

    def test_sent_once_whatever_happens(self) -> None:
        self.client.servers.evacuate.side_effect = ks_exc.ConnectFailure("x")
        self.assertRaises(
            exception.ComputeUnavailable, self.compute.evacuate, "a", "cmp2"
        )
        self.client.servers.evacuate.assert_called_once()

    def keystone_takes(self, seconds: float) -> None:
        def authenticate() -> None:
            self.clock.now += seconds

        self.session.get_auth_headers.side_effect = authenticate

    def test_slow_keystone(self) -> None:
        self.keystone_takes(10.1)
        error = self.assertRaises(
            exception.ComputeUnavailable, self.compute.evacuate, "a", "cmp2"
        )
        self.assertIn("not sent", str(error))
        self.client.servers.evacuate.assert_not_called()

    def test_keystone_is_in_time(self) -> None:
        self.keystone_takes(9.9)
        self.compute.evacuate("a", "cmp2")
        self.client.servers.evacuate.assert_called_once()

    def test_keystone_refuses(self) -> None:
        self.session.get_auth_headers.side_effect = ks_exc.Unauthorized()
        self.assertRaises(
            exception.ComputeRefused, self.compute.enable, SERVICE
        )
        self.client.services.enable.assert_not_called()
