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


"""A Redfish service that answers whatever a test wants: what the emulator
cannot be made to say (409, 5xx, lies, nonsense, drops of bytes)."""

import base64
import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator

UUID = "22222222-2222-4222-8222-222222222222"
SYSTEM = "/redfish/v1/Systems/1"


def basic(username: str, password: str) -> str:
    """The Authorization header of basic authentication."""
    known = f"{username}:{password}".encode()
    return "Basic " + base64.b64encode(known).decode()


class RedfishStub:
    """One or more systems in memory. Change the fields while it runs."""

    USERNAME = "admin"

    def __init__(self) -> None:
        self.password = "secret"
        self.power: object = "On"
        self.obeys = True
        self.reset_status = 204
        self.off_anyway = False
        self.get_statuses: list[int] = []
        """Statuses of the next requests for the system, then 200."""
        self.body: bytes | None = None
        """Sent instead of the system's own JSON."""
        self.drip = False
        """Send a byte a while, without ever ending."""
        self.redirects: dict[str, str] = {}
        """Where requests are sent on to (307), by path."""
        self.systems = {SYSTEM: UUID}
        self.resets: list[object] = []
        self.requests: list[str] = []
        self.sessions = 0
        self.closing = threading.Event()

    @contextlib.contextmanager
    def running(self, certificate: str = "") -> Iterator[str]:
        """Serve on a free loopback port; gives the URL.

        :param certificate: file with key and certificate: serve HTTPS.
        """
        handler = type("Handler", (_Handler,), {"stub": self})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True
            )
            scheme = "https"
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}
        )
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.server_port}"
        finally:
            self.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def system(self, path: str) -> dict[str, object]:
        return {
            "@odata.id": path,
            "Id": path.rpartition("/")[2],
            "Name": "system",
            "UUID": self.systems[path],
            "PowerState": self.power,
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{path}/Actions/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": ["On", "ForceOff"],
                }
            },
        }

    def reset(self, kind: object) -> None:
        self.resets.append(kind)
        if (self.reset_status < 300 and self.obeys) or self.off_anyway:
            self.power = "Off" if kind == "ForceOff" else "On"


class _Handler(http.server.BaseHTTPRequestHandler):
    stub: RedfishStub

    def do_GET(self) -> None:
        stub = self.stub
        stub.requests.append(f"GET {self.path}")
        path = self.path.rstrip("/")
        if self._redirected():
            return
        if path == "/redfish/v1":
            self._send(200, _ROOT)
        elif not self._allowed():
            self._send(401, {})
        elif path == "/redfish/v1/SessionService":
            self._send(200, _SESSION_SERVICE)
        elif path == "/redfish/v1/Systems":
            members = [{"@odata.id": each} for each in stub.systems]
            self._send(200, {"Name": "systems", "Members": members})
        elif path in stub.systems:
            self._system(path)
        else:
            self._send(404, {})

    def _redirected(self) -> bool:
        target = self.stub.redirects.get(self.path)
        if target:
            self._send(307, {}, {"Location": target})
        return target is not None

    def _system(self, path: str) -> None:
        stub = self.stub
        status = stub.get_statuses.pop(0) if stub.get_statuses else 200
        if stub.drip:
            self._drip()
        elif stub.body is not None:
            self._send_bytes(status, stub.body)
        else:
            self._send(status, stub.system(path))

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.stub.closing.wait(0.1):
                self.wfile.write(b" ")
                self.wfile.flush()

    def do_POST(self) -> None:
        stub = self.stub
        stub.requests.append(f"POST {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self._redirected():
            return
        if self.path.endswith("/Sessions"):
            self._login(body)
        elif not self._allowed():
            self._send(401, {})
        else:
            stub.reset(body.get("ResetType"))
            self._send(stub.reset_status, {"error": {"message": "stub"}})

    def _login(self, body: dict[str, object]) -> None:
        if body.get("Password") != self.stub.password:
            self._send(401, {})
            return
        self.stub.sessions += 1
        self._send(
            201,
            {"Name": "session"},
            {"X-Auth-Token": "token", "Location": "/redfish/v1/Session/1"},
        )

    def do_DELETE(self) -> None:
        self.stub.requests.append(f"DELETE {self.path}")
        self.stub.sessions -= 1
        self._send(204, {})

    def _allowed(self) -> bool:
        if self.headers.get("X-Auth-Token") == "token":
            return self.stub.sessions > 0
        expected = basic(self.stub.USERNAME, self.stub.password)
        return self.headers.get("Authorization") == expected

    def _send(
        self,
        status: int,
        body: object,
        headers: dict[str, str] | None = None,
    ) -> None:
        content = b"" if status == 204 else json.dumps(body).encode()
        self._send_bytes(status, content, headers)

    def _send_bytes(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        pass


_ROOT = {
    "Id": "RootService",
    "Name": "root",
    "RedfishVersion": "1.6.0",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
    "SessionService": {"@odata.id": "/redfish/v1/SessionService"},
    "Links": {
        "Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}
    },
}

_SESSION_SERVICE = {
    "Id": "SessionService",
    "Name": "sessions",
    "ServiceEnabled": True,
    "SessionTimeout": 300,
    "Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"},
}
