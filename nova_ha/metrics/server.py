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

"""``/metrics`` and ``/healthz`` over HTTP, on one port.

Each question has a thread, a few at a time, and a deadline. The engine's loop
never waits for any of them.
"""

import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from wsgiref import simple_server
from wsgiref import types as wsgi

import prometheus_client
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha.metrics import collector
from nova_ha.metrics import health
from nova_ha.metrics import meter as meter_mod

LOG = logging.getLogger(__name__)

AT_ONCE = 16
"""Questions that are answered at the same time; a further one is turned
away, so that whoever asks without end gets neither memory nor threads."""

DEADLINE = 5.0
"""Seconds that a connection may keep its thread waiting."""

_Request = socket.socket | tuple[bytes, socket.socket]
"""As :mod:`socketserver` has it."""

_TEXT = [("Content-Type", "text/plain; charset=utf-8")]


class Application:
    """What is answered, by path."""

    def __init__(
        self, meter: meter_mod.PrometheusMeter, clock: clock_mod.Clock
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._metrics = prometheus_client.make_wsgi_app(meter.registry)
        self._pages: Mapping[str, wsgi.WSGIApplication] = {
            "/metrics": self._metrics,
            "/healthz": self._health,
        }

    def __call__(
        self, environ: wsgi.WSGIEnvironment, start: wsgi.StartResponse
    ) -> Iterable[bytes]:
        page = self._pages.get(environ.get("PATH_INFO", ""))
        if page is None:
            start("404 Not Found", _TEXT)
            return [f"There are {', '.join(self._pages)}\n".encode()]
        return page(environ, start)

    def _health(
        self, environ: wsgi.WSGIEnvironment, start: wsgi.StartResponse
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("405 Method Not Allowed", [*_TEXT, ("Allow", "GET, HEAD")])
            return [b"GET or HEAD\n"]
        found = health.judge(self._meter.latest, self._clock.monotonic())
        body = found.to_json()
        start(
            "200 OK" if found.good else "503 Service Unavailable",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def view_application(age: Callable[[], float]) -> wsgi.WSGIApplication:
    """What a process that has no census answers, to whatever is asked.

    :param age: of its view of the hosts, seconds.
    """
    registry = prometheus_client.CollectorRegistry()
    registry.register(collector.HostsViewCollector(age))
    return prometheus_client.make_wsgi_app(registry)


class _Handler(simple_server.WSGIRequestHandler):
    timeout = DEADLINE

    def log_message(self, format: str, *args: object) -> None:
        LOG.debug("%s: %s", self.client_address[0], format % args)

    def address_string(self) -> str:
        """The address itself; names would have to be asked for."""
        return str(self.client_address[0])


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """Listens as soon as it is made, and answers once :meth:`start` was
    called.

    :raises OSError: the address cannot be used.
    """

    daemon_threads = True
    # Some releases of Python share a port among all who ask for it.
    allow_reuse_port = False

    def __init__(
        self, host: str, port: int, application: wsgi.WSGIApplication
    ) -> None:
        self.address_family, address = _resolve(host, port)
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """As the base class, without asking for the machine's full name:
        that can take long where names are not served."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])
        self.setup_environ()

    def start(
        self, spawn: Callable[[Callable[[], None], str], object]
    ) -> None:
        """Answer, in a thread that ``spawn`` makes."""
        spawn(self.serve_forever, "metrics")

    def stop(self) -> None:
        """Answer nobody any more; :meth:`start` was called before."""
        self.shutdown()
        self.server_close()

    def process_request(self, request: _Request, client: object) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client)

    def process_request_thread(
        self, request: _Request, client: object
    ) -> None:
        try:
            super().process_request_thread(request, client)
        finally:
            self._free.release()

    def handle_error(self, request: _Request, client: object) -> None:
        """Whoever asks has gone, or was too slow."""
        LOG.debug("No answer to %s: %s", client, sys.exception())


def _resolve(
    host: str, port: int
) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Family and address to listen on.

    :raises OSError: there is no such address.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return family, (str(address[0]), int(address[1]))
