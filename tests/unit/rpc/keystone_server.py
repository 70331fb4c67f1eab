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

"""Enough of Keystone for tokens: on a free loopback port, in a thread."""

import http.server
import json
import threading
import urllib.parse

from keystoneauth1 import fixture


class KeystoneServer:
    """Gives a token to whoever knows a user's password, and tells of those
    that it has given.

    :ivar users: password and roles by name.
    """

    def __init__(self):
        self.users = {}
        self.asked = []
        self._tokens = {}
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), self._handler()
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        ).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def revoke(self):
        self._tokens.clear()

    def _handler(self):
        keystone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                keystone.asked.append(f"GET {self.path}")
                self._send(*keystone.get(self.path, self.headers))

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                self._send(*keystone.post(body))

            def _send(self, status, body, token=None):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if token is not None:
                    self.send_header("X-Subject-Token", token)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        return Handler

    def get(self, path, headers):
        """Status and body."""
        where = urllib.parse.urlsplit(path).path.rstrip("/")
        if where == "":
            return 300, fixture.DiscoveryList(self.url, v2=False)
        if where == "/v3":
            found = fixture.DiscoveryList(self.url, v2=False)
            return 200, {"version": found["versions"]["values"][0]}
        if headers.get("X-Auth-Token") not in self._tokens:
            return 401, {"error": {"message": "who are you?"}}
        token = self._tokens.get(headers.get("X-Subject-Token"))
        if where != "/v3/auth/tokens" or token is None:
            return 404, {"error": {"message": "not found"}}
        return 200, token

    def post(self, body):
        """Status, body, and the token for a header."""
        given = body["auth"]["identity"]["password"]["user"]
        name = given["name"]
        password, roles = self.users.get(name, (None, ()))
        if given["password"] != password:
            return 401, {"error": {"message": "The request you have made"}}
        token = fixture.V3Token(user_name=name, user_domain_name="Default")
        token.set_project_scope(name="admin")
        for role in roles:
            token.add_role(role)
        number = f"token-{len(self._tokens)}-of-{name}"
        self._tokens[number] = token
        return 201, token, number
