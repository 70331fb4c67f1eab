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

"""``nova-ha config check``: its exit status, and the devices; and which files
are read."""

import json
import pathlib
import tempfile
import unittest.mock

import fixtures

from nova_ha.assembly import config_check
from nova_ha.assembly import config_files
from nova_ha.cmd import cli
from tests import base
from tests.unit.cmd import test_cli_fence
from tests.unit.cmd import test_cli_samples as samples


class ConfigTest(test_cli_fence.FenceCase):
    def setUp(self):
        super().setUp()
        self.checkup = unittest.mock.Mock()
        self.checkup.offline.return_value = [config_files.good("timing", "x")]
        self.checkup.online.return_value = [config_files.good("nova", "x")]
        self.enterContext(
            unittest.mock.patch.object(
                config_check, "Checkup", return_value=self.checkup
            )
        )

    def _config_check(self, *options):
        status = self._run("config", "check", "-f", "json", *options)
        return status, json.loads(self.output)

    def test_all_is_well(self):
        status, found = self._config_check("--strict")
        self.assertEqual(0, status)
        self.assertEqual(
            [(one, "ok") for one in ("timing", "commands", "nova", "devices")],
            [(one["Check"], one["Result"]) for one in found],
        )
        self.assertIn("2 hosts", found[-1]["Detail"])

    def test_a_device_that_fails_is_an_error(self):
        self.bmcs["a2"].alive = False
        status, found = self._config_check()
        self.assertEqual(1, status)
        self.assertEqual("error", found[-1]["Result"])
        self.assertIn("cmp2: bmc-2: ", found[-1]["Detail"])

    def test_offline_asks_nobody(self):
        status, found = self._config_check("--offline")
        self.assertEqual((0, ["timing"]), (status, [found[0]["Check"]]))
        self.checkup.online.assert_not_called()
        self.open.assert_not_called()
        self.assertEqual([], self.bmcs["a1"].calls)

    def test_a_warning_counts_where_it_is_asked_for(self):
        self.store.pictured = samples.picture(
            samples.facts("ctl1", protected="engine")
        )
        self.assertEqual(0, self._config_check()[0])
        self.assertEqual(1, self._config_check("--strict")[0])

    def test_devices_that_cannot_be_listed_are_an_error(self):
        self.store.error = samples.UNAVAILABLE
        status, found = self._config_check()
        self.assertEqual(1, status)
        self.assertIn("no connection to ZooKeeper", found[-1]["Detail"])

    def test_help_documents_the_exit_status(self):
        self.assertEqual(0, self._run("help", "config", "check"))
        self.assertIn("Exit status: 0: no error", self.output)


class DefaultFilesTest(base.TestCase):
    def test_each_is_read_once(self):
        """An option that may be given several times would be doubled."""
        home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        conf = home / ".nova-ha" / "nova-ha.conf"
        conf.parent.mkdir()
        conf.write_text(
            "[oslo_messaging_notifications]\ndriver = messagingv2\n"
        )
        operator = home / "operator.conf"
        operator.touch()
        self.useFixture(fixtures.EnvironmentVariable("HOME", str(home)))
        self.patch(cli, "OPERATOR_FILE", str(operator))
        self.assertEqual([str(conf), str(operator)], cli.default_files())
