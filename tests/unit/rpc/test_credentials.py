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

"""Tokens by what the environment says."""

import os
import unittest.mock

from nova_ha import exception
from nova_ha.rpc import credentials
from tests import base

ENVIRONMENT = {
    "OS_AUTH_URL": "http://127.0.0.1:1/v3",
    "OS_USERNAME": "jane",
    "OS_PASSWORD": "the-secret-of-jane",
    "OS_PROJECT_NAME": "admin",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
}


class TokensTest(base.TestCase):
    def tokens(self, **environment):
        rest = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OS_")
        }
        with unittest.mock.patch.dict(
            os.environ, {**rest, **environment}, clear=True
        ):
            return credentials.tokens(2.0)

    def refused(self, **environment):
        error = self.assertRaises(
            exception.ConfigError, self.tokens(**environment)
        )
        self.assertIn("OS_* variables of the environment", str(error))
        self.assertIn("--direct", str(error))
        self.assertNotIn("the-secret", str(error))
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_nothing_is_said(self):
        self.assertIn("auth", self.refused())

    def test_nobody_answers(self):
        self.refused(**ENVIRONMENT)

    def test_a_token_that_is_there_already(self):
        given = self.tokens(
            OS_AUTH_TYPE="admin_token",
            OS_ENDPOINT="http://127.0.0.1:1/v3",
            OS_TOKEN="gAAAA-given",
        )
        self.assertEqual("gAAAA-given", given())
