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
"""The log of calls to Nova: what changes something is in it, secrets not."""

import io
import json
import pathlib
import tempfile
from collections.abc import Iterable
from typing import Any

from lab.services import nova_api
from tests import base


class CallLogTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "calls.jsonl"
        self.seen: list[bytes] = []

    def application(
        self, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        self.seen.append(environ["wsgi.input"].read())
        start_response("202 Accepted", [])
        return [b""]

    def call(self, method: str, path: str, body: bytes = b"") -> None:
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "/v2.1",
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_AUTH_TOKEN": "a-token",
            "wsgi.input": io.BytesIO(body),
        }
        log = nova_api.CallLog(self.application, str(self.path))
        log(environ, lambda status, headers: None)

    def entries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        text = self.path.read_text()
        return [json.loads(line) for line in text.splitlines()]

    def test_an_action_is_noted_with_its_target(self) -> None:
        body = b'{"evacuate": {"host": "cmp2", "adminPass": "geheim"}}'
        self.call("POST", "/servers/17/action", body)
        (entry,) = self.entries()
        self.assertEqual("/v2.1/servers/17/action", entry["path"])
        self.assertEqual("evacuate", entry["action"])
        self.assertEqual({"host": "cmp2"}, entry["arguments"])
        self.assertEqual(202, entry["status"])
        self.assertLessEqual(entry["started"], entry["ended"])
        self.assertEqual([body], self.seen)

    def test_no_secret_is_noted(self) -> None:
        body = b'{"evacuate": {"adminPass": "geheim"}}'
        self.call("POST", "/servers/17/action", body)
        text = self.path.read_text()
        self.assertNotIn("geheim", text)
        self.assertNotIn("a-token", text)

    def test_a_change_of_a_service_is_noted(self) -> None:
        self.call("PUT", "/os-services/17", b'{"forced_down": true}')
        (entry,) = self.entries()
        self.assertIsNone(entry["action"])
        self.assertEqual({"forced_down": True}, entry["arguments"])

    def test_reads_are_not_noted(self) -> None:
        self.call("GET", "/servers")
        self.assertEqual([], self.entries())

    def test_nonsense_is_passed_on_all_the_same(self) -> None:
        self.call("POST", "/servers", b"{nonsense")
        self.call("DELETE", "/servers/17")
        self.assertEqual(
            ["POST", "DELETE"], [one["method"] for one in self.entries()]
        )
        self.assertEqual([b"{nonsense", b""], self.seen)
