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

"""What ``config check`` finds, with ZooKeeper and Nova in memory."""

import pathlib
import tempfile
import unittest.mock

from oslo_config import cfg

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import config_check
from nova_ha.assembly.config_files import Grade
from nova_ha.compute import nova
from nova_ha.conf import zookeeper
from nova_ha.coordination.credentials import Credential
from tests import base

CONF = """
[zookeeper]
username = operator
password = a-secret-of-the-operator
{zookeeper}
[nova]
auth_type = password
auth_url = http://192.0.2.1/v3
username = nova-ha
password = a-secret-of-nova
project_name = service
user_domain_name = Default
project_domain_name = Default
[fencing]
topology_file = {directory}/fencing.yaml
{more}
"""

FENCING = """
devices: {{person: {{driver: operator, instructions: "off"}}}}
hosts: {hosts}
"""


class CheckCase(base.TestCase):
    """All is well, unless a test says otherwise."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self._fencing('{"*": {levels: [[person]]}}')
        self.session = self._mock(config_check.opening, "new_session")
        self.session.return_value.session_timeout = 10.0
        self.least = self._mock(config_check.opening, "least_session_timeout")
        self.least.return_value = 1.0
        self.tree = self._mock(config_check.tree_module, "check_tree")
        self._mock(config_check.tree_module, "check_agents")
        self.hosts = self._mock(config_check.credentials, "of_hosts")
        self.hosts.return_value = {"cmp1": Credential.OWN}
        self.services = self._mock(nova.NovaCompute, "services")
        self.services.return_value = [unittest.mock.Mock(up=True)]
        self.kinds = self._mock(nova.NovaCompute, "hypervisor_types")
        self.kinds.return_value = {"cmp1": "QEMU"}
        self.targets = self._mock(nova.NovaCompute, "targets")
        self.targets.return_value = ["a target"]

    def _mock(self, owner, name):
        return self.enterContext(unittest.mock.patch.object(owner, name))

    def _fencing(self, hosts):
        path = self.directory / "fencing.yaml"
        path.write_text(FENCING.format(hosts=hosts))
        path.chmod(0o600)

    def _checkup(self, more="", zookeeper_more="", mode=0o600):
        path = self.directory / "nova-ha.conf"
        path.write_text(
            CONF.format(
                directory=self.directory, more=more, zookeeper=zookeeper_more
            )
        )
        path.chmod(mode)
        conf = cfg.ConfigOpts()
        zookeeper.register_opts(conf)
        conf([], default_config_files=[str(path)])
        return config_check.Checkup(conf, clock.SystemClock())

    def _found(self, *args, **kwargs):
        """What is not well, by the name of its check."""
        checkup = self._checkup(*args, **kwargs)
        findings = [*checkup.offline(), *checkup.online()]
        self.assertNotIn("a-secret", str(findings))
        return {
            one.check: (one.grade, one.detail)
            for one in findings
            if one.grade is not Grade.OK
        }

    def _assert_found(self, grade, words, found):
        """There is one finding, with these words."""
        ((found_grade, detail),) = found.values()
        self.assertEqual(grade, found_grade)
        self.assertIn(words, detail)


class OfflineTest(CheckCase):
    def test_all_is_well_and_every_check_says_so(self):
        self.assertEqual({}, self._found())
        checks = [one.check for one in self._checkup().offline()]
        self.assertEqual(len(checks), len(set(checks)))
        self.session.assert_called_once()

    def test_a_value_of_another_kind_is_named(self):
        found = self._found("[engine]\nsoak_time = soon\n")
        self.assertIn("[engine] soak_time: ", found["values of options"][1])
        # And what depends on it does not repeat it.
        self.assertIn("not checked", found["timing"][1])

    def test_a_value_out_of_range_is_named(self):
        found = self._found("[engine]\nworkers = 1\n")
        self.assertIn("[engine] workers: ", found["values of options"][1])

    def test_a_misspelt_option_and_group_are_named(self):
        for more, words in (
            ("[engine]\nsoak-tme = 3\n", "no option [engine] soak_tme"),
            ("[zokeeper]\nhosts = a\n", "no option [zokeeper] hosts"),
            ("[DEFAULT]\nhots = a\n", "no option [DEFAULT] hots"),
        ):
            self._assert_found(Grade.WARNING, words, self._found(more))

    def test_options_of_libraries_are_known(self):
        self.assertEqual(
            {},
            self._found(
                "[DEFAULT]\ndebug = true\nlog-dir = /tmp\nhost = cmp1\n"
                "[oslo_messaging_rabbit]\nheartbeat_rate = 3\n"
            ),
        )

    def test_a_file_that_everybody_can_read_is_named(self):
        found = self._found(mode=0o644)
        self._assert_found(Grade.WARNING, "[nova] password", found)

    def test_times_that_contradict_each_other_are_an_error(self):
        found = self._found(zookeeper_more="touch_interval = 5")
        self._assert_found(Grade.ERROR, "touch_interval", found)

    def test_a_long_tick_is_advised_against(self):
        self.least.return_value = 4.0
        found = self._found(zookeeper_more="tick = 2")
        self._assert_found(Grade.WARNING, "tickTime", found)

    def test_a_role_that_does_not_exist(self):
        found = self._found("[agent]\ncolocated_services = root\n")
        self._assert_found(Grade.ERROR, "root is not known", found)

    def test_evidence_that_cannot_be_had_here(self):
        drivers = "[evidence]\ndrivers = nova,storage\nstorage_path = "
        self._assert_found(
            Grade.ERROR, "not an absolute path", self._found(drivers)
        )
        self._assert_found(
            Grade.WARNING, "/nowhere", self._found(f"{drivers}/nowhere")
        )

    def test_a_bus_without_an_address_and_a_bad_one(self):
        driver = "[oslo_messaging_notifications]\ndriver = messagingv2\n"
        self._assert_found(
            Grade.WARNING, "names no broker", self._found(driver)
        )
        for url in ("nonsense://a-secret@x", "//a-secret:1:2/x"):
            found = self._found(f"{driver}[DEFAULT]\ntransport_url = {url}\n")
            self._assert_found(Grade.ERROR, "transport_url", found)

    def test_a_topology_without_hosts_and_a_bad_one(self):
        self._fencing("{}")
        self._assert_found(Grade.WARNING, "no host can", self._found())
        self._fencing("{cmp1: {levels: [[missing]]}}")
        self._assert_found(Grade.ERROR, "fencing.yaml", self._found())

    def test_missing_credentials_are_told_once(self):
        found = self._found("[nova]\nauth_type = \n")
        self._assert_found(Grade.ERROR, "[nova] auth_type", found)
        self.services.assert_not_called()


class OnlineTest(CheckCase):
    def test_another_session_than_asked_for_is_an_error(self):
        self.session.return_value.session_timeout = 4.0
        self._assert_found(Grade.ERROR, "grants 4 s, not 10 s", self._found())
        self.session.return_value.close.assert_called_once()

    def test_another_tick_is_doubted(self):
        self.least.return_value = 4.0
        self._assert_found(Grade.WARNING, "tickTime of 2000", self._found())

    def test_a_tree_that_cannot_be_used_is_an_error(self):
        self.tree.side_effect = exception.ConfigError("/nova-ha", "is open")
        self._assert_found(Grade.ERROR, "is open", self._found())
        self.session.return_value.close.assert_called_once()

    def test_agents_that_share_a_password_are_doubted(self):
        self.hosts.return_value = {"cmp1": Credential.SHARED}
        found = self._found()
        self._assert_found(Grade.WARNING, "nova-ha zk enrol", found)

    def test_a_hosts_own_password_can_be_read(self):
        own = f"host_password_file = {self.directory}/none"
        found = self._found(zookeeper_more=own)
        self._assert_found(Grade.ERROR, "host_password_file", found)

    def test_an_engines_credentials_are_not_an_operators(self):
        found = self._found(zookeeper_more="username = engine")
        self.assertEqual({"zookeeper", "tick"}, set(found))
        self.assertIn("speaks as the operator", found["zookeeper"][1])

    def test_what_nova_refuses_is_an_error(self):
        self.kinds.side_effect = exception.ComputeRefused("HTTP 403", 403)
        self._assert_found(Grade.ERROR, "HTTP 403", self._found())

    def test_a_nova_without_hosts_or_room(self):
        self.services.return_value = []
        self._assert_found(Grade.WARNING, "no nova-compute", self._found())
        self.services.return_value = [unittest.mock.Mock(up=False)]
        self.targets.return_value = []
        self._assert_found(Grade.WARNING, "no host has room", self._found())
