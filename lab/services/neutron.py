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

"""A stand-in for Neutron: no networks, and that is all it says.

Servers of the lab boot with ``networks='none'``; Nova still asks for ports
and extensions now and then.
"""

import http.server
import json
import sys

from lab import network
from lab.services import base


class Neutron:
    """The stand-in's process."""

    def __init__(self, site: base.Site) -> None:
        self._site = site
        self._port = site.ports.get("neutron")
        self.process = site.server(
            "neutron",
            [sys.executable, "-m", __name__, str(self._port)],
        )

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        :raises lab.process.LabError: when it does not.
        """
        self.process.start()
        self._site.wait_listening(self.process, self._port)

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers each GET with an empty list of what was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        collection = self.path.partition("?")[0].rstrip("/").split("/")[-1]
        body = json.dumps({collection.removesuffix(".json"): []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not worth a line each."""


def main() -> None:
    """Serve on the port given on the command line."""
    address = (network.LOOPBACK, int(sys.argv[1]))
    http.server.ThreadingHTTPServer(address, _Handler).serve_forever()


if __name__ == "__main__":
    main()
