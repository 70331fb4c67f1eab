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

"""Who asks, as Keystone says."""

import json
import os
import tempfile
import unittest.mock

from keystoneauth1 import exceptions as ks_exc
from oslo_config import cfg

from nova_ha import exception
from nova_ha.compute import session
from nova_ha.conf import nova as nova_conf
from nova_ha.rpc import callers
from nova_ha.rpc import credentials
from tests import base
from tests.unit.rpc import bus_case
from tests.unit.rpc import keystone_server

TOKEN = {
    "user": {"id": "u1", "name": "jane", "domain": {"name": "Default"}},
    "roles": [{"id": "1", "name": "admin"}, {"id": "2", "name": "reader"}],
    "project": {"id": "p1", "name": "admin"},
    "expires_at": "2026-03-01T12:00:00.000000Z",
}

GOOD = {"token": "gAAAA-good", "by": "root@ctl1"}


class FakeKeystone:
    """Stands for an adapter of keystoneauth."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def get(self, path, params, headers):
        self.asked.append((path, headers["X-Subject-Token"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self

    def json(self):
        return json.loads(json.dumps({"token": self.answer}))


class KeystoneTest(base.TestCase):
    def identify(self, answer, context=GOOD):
        self.keystone = FakeKeystone(answer)
        return callers.KeystoneCallers(self.keystone).identify(context)

    def test_who_it_is_and_which_roles(self):
        caller = self.identify(TOKEN)
        self.assertEqual("jane@Default (root@ctl1)", caller.name)
        self.assertEqual(
            {
                "user_id": "u1",
                "roles": ["admin", "reader"],
                "project_id": "p1",
                "domain_id": None,
                "system_scope": None,
            },
            caller.credentials,
        )
        self.assertEqual([("/auth/tokens", "gAAAA-good")], self.keystone.asked)

    def test_a_token_of_the_system(self):
        told = {**TOKEN, "system": {"all": True}}
        del told["project"]
        caller = self.identify(told)
        self.assertEqual("all", caller.credentials["system_scope"])
        self.assertIsNone(caller.credentials["project_id"])

    def test_roles_that_the_message_claims_count_for_nothing(self):
        forged = {**GOOD, "roles": ["admin"], "system_scope": "all"}
        caller = self.identify({**TOKEN, "roles": []}, forged)
        self.assertEqual([], caller.credentials["roles"])
        self.assertIsNone(caller.credentials["system_scope"])

    def test_a_claim_is_short_and_on_one_line(self):
        claim = "x\n\x1b[H" + "y" * 1000
        caller = self.identify(TOKEN, {**GOOD, "by": claim})
        self.assertTrue(caller.name.isprintable())
        self.assertGreater(130, len(caller.name))

    def test_without_a_token_nobody_is_asked(self):
        for token in (None, "", 7, ["x"]):
            self.assertRaises(
                exception.Forbidden, self.identify, TOKEN, {"token": token}
            )
            self.assertEqual([], self.keystone.asked)

    def test_a_token_that_keystone_does_not_know(self):
        error = self.assertRaises(
            exception.Forbidden, self.identify, ks_exc.NotFound()
        )
        self.assertNotIn("gAAAA", str(error))

    def test_a_keystone_that_does_not_answer_permits_nothing(self):
        for problem in (
            ks_exc.ConnectFailure("no route"),
            ks_exc.InternalServerError(),
            ks_exc.Forbidden(),
        ):
            error = self.assertRaises(
                exception.ComputeError, self.identify, problem
            )
            self.assertIn("Keystone", str(error))

    def test_nor_does_one_whose_answer_makes_no_sense(self):
        for answer in ({}, {"user": None}, "", {**TOKEN, "roles": [{}]}):
            self.assertRaises(exception.ComputeError, self.identify, answer)


class RealRequestsTest(base.TestCase):
    """A command's token, and an engine that asks about it."""

    def setUp(self):
        super().setUp()
        self.keystone = keystone_server.KeystoneServer()
        self.addCleanup(self.keystone.stop)
        self.keystone.users = {
            "nova-ha": ("secret-of-the-engine", ["service"]),
            "jane": ("secret-of-jane", ["admin", "reader"]),
        }

    def engine(self, url):
        conf = cfg.ConfigOpts()
        nova_conf.register_opts(conf)
        file = self.enterContext(tempfile.NamedTemporaryFile("w"))
        file.write(
            f"[nova]\nauth_type = password\nauth_url = {url}\n"
            "username = nova-ha\npassword = secret-of-the-engine\n"
            "project_name = service\nuser_domain_name = Default\n"
            "project_domain_name = Default\n"
        )
        file.flush()
        conf([], project="x", default_config_files=[file.name])
        return callers.KeystoneCallers(session.open_identity(conf, 1))

    def token(self, url):
        environment = {
            "OS_AUTH_URL": url,
            "OS_USERNAME": "jane",
            "OS_PASSWORD": "secret-of-jane",
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }
        with unittest.mock.patch.dict(os.environ, environment):
            return credentials.tokens(5.0)()

    def test_whatever_the_url_of_keystone_looks_like(self):
        for url in (self.keystone.url, f"{self.keystone.url}/v3"):
            caller = self.engine(url).identify({"token": self.token(url)})
            self.assertEqual("jane@Default", caller.name)
            self.assertEqual(["admin", "reader"], caller.credentials["roles"])
        self.assertIn("GET /v3/auth/tokens?nocatalog=1", self.keystone.asked)

    def test_no_log_shows_it(self):
        url = self.keystone.url
        with self.assertLogs("keystoneauth", "DEBUG") as logs:
            token = self.token(url)
            self.engine(url).identify({"token": token})
        shown = "\n".join(logs.output)
        self.assertIn("/v3/auth/tokens", shown)
        self.assertNotIn(token, shown)
        self.assertNotIn("secret-of", shown)

    def test_a_token_that_has_been_revoked(self):
        url = self.keystone.url
        engine, token = self.engine(url), self.token(url)
        engine.identify({"token": token})
        self.keystone.revoke()
        # The engine's own is gone as well: it gets another one.
        self.assertRaises(
            exception.Forbidden, engine.identify, {"token": token}
        )


class StrategyTest(bus_case.BusCase):
    def test_without_authentication_the_claim_is_the_name(self):
        found = callers.from_conf(self.conf, 1)
        caller = found.identify({"by": "jane@ctl1"})
        self.assertEqual("jane@ctl1", caller.name)
        self.assertEqual(["admin"], caller.credentials["roles"])
        self.assertEqual("unknown", found.identify({}).name)

    def test_keystone_takes_the_credentials_of_nova(self):
        conf = self.configured(auth_strategy="keystone")
        error = self.assertRaises(
            exception.ConfigError, callers.from_conf, conf, 1
        )
        self.assertIn("[nova] auth_type", str(error))
