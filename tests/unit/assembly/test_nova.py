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

"""What commands that ask Nova themselves are configured with."""

import pathlib
import tempfile

from nova_ha import exception
from nova_ha.assembly import nova
from nova_ha.cmd import cli
from tests import base
from tests.fakes import clock

CREDENTIALS = """
[nova]
auth_type = password
auth_url = http://127.0.0.1:9/v3
username = nova-ha
password = secret
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


class NovaTest(base.TestCase):
    def configure(self, text):
        """As the command line reads it: without the options of Nova."""
        directory = self.enterContext(tempfile.TemporaryDirectory())
        file = pathlib.Path(directory) / "nova-ha.conf"
        file.write_text(text)
        return cli.configuration([str(file)])

    def test_the_policy_is_an_engines(self):
        made = nova.policy(
            self.configure(
                "[evacuation]\nshared_disks = true\n"
                "[engine]\nevacuations_per_target = 7\n"
            )
        )
        self.assertTrue(made.rules.shared_disks)
        self.assertEqual(7, made.evacuations_per_target)

    def test_nothing_is_sent_yet(self):
        conf = self.configure(CREDENTIALS)
        self.assertIsNotNone(nova.open_compute(conf, clock.ManualClock()))

    def test_no_credentials(self):
        self.assertRaisesRegex(
            exception.ConfigError,
            "auth_type",
            nova.open_compute,
            self.configure(""),
            clock.ManualClock(),
        )
