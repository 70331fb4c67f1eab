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

"""The planned faults of nova-api: each takes what fits it, and no more."""

import io
import pathlib
import socket
import tempfile
from collections.abc import Iterable
from typing import Any

from lab.services import nova_faults
from lab.services.nova_faults import Fault
from tests import base

EVACUATE = b'{"evacuate": {"host": "cmp2"}}'


class FaultsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.plan = nova_faults.Plan(pathlib.Path(directory.name) / "plan")
        self.faults = nova_faults.Faults(self.application, self.plan)
        self.asked: list[bytes] = []
        """Bodies that have reached Nova."""
        self.client, self.server = socket.socketpair()
        self.addCleanup(self.client.close)
        self.addCleanup(self.server.close)

    def application(
        self, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        self.asked.append(environ["wsgi.input"].read())
        start_response("202 Accepted", [])
        return [b"yes"]

    def ask(
        self, method: str, body: bytes = b"", agent: str = "curl/8"
    ) -> str:
        """The status of the answer."""
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": method,
            "HTTP_USER_AGENT": agent,
            "wsgi.input": io.BytesIO(body),
            "gunicorn.socket": self.server,
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        self.faults(environ, lambda status, headers: statuses.append(status))
        return statuses[0]

    def test_nothing_happens_unless_planned(self) -> None:
        self.assertEqual("202 Accepted", self.ask("POST", EVACUATE))
        self.assertEqual([EVACUATE], self.asked)

    def test_an_error_never_reaches_nova(self) -> None:
        self.plan.set(Fault("POST", status=503, times=2))
        answers = [self.ask("POST", EVACUATE) for _ in range(3)]
        self.assertEqual(
            ["503 Planned", "503 Planned", "202 Accepted"], answers
        )
        self.assertEqual([EVACUATE], self.asked)
        self.assertEqual((), self.plan.left())

    def test_only_what_fits(self) -> None:
        self.plan.set(
            Fault("POST", action="evacuate", status=500),
            Fault("GET", agent="nova-ha", status=503),
        )
        for method, body in (
            ("GET", b""),
            ("POST", b'{"os-stop": null}'),
            ("POST", b'"evacuate"'),
            ("POST", b"{nonsense"),
            ("PUT", EVACUATE),
        ):
            self.assertEqual("202 Accepted", self.ask(method, body))
        self.assertEqual("500 Planned", self.ask("POST", EVACUATE))
        self.assertEqual(
            "503 Planned", self.ask("GET", agent="nova-ha keystoneauth1/5")
        )

    def test_the_first_that_fits(self) -> None:
        self.plan.set(Fault("POST", status=500), Fault("POST", status=503))
        self.assertEqual("500 Planned", self.ask("POST"))
        self.assertEqual((Fault("POST", status=503),), self.plan.left())

    def test_a_lost_answer_has_reached_nova(self) -> None:
        self.plan.set(Fault("POST", lost=True))
        self.ask("POST", EVACUATE)
        self.assertEqual([EVACUATE], self.asked)
        self.assertEqual(b"", self.client.recv(1))

    def test_a_new_plan_replaces_the_old_one(self) -> None:
        self.plan.set(Fault("POST", status=500, times=9))
        self.plan.set()
        self.assertEqual("202 Accepted", self.ask("POST"))
