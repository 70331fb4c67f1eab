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

"""``nova-ha-status upgrade check``: results and exit status."""

import contextlib
import io
import json
import logging
import pathlib
from typing import Any
from unittest import mock

import fixtures

from nova_ha import exception
from nova_ha.assembly import tree
from nova_ha.assembly import upgrade
from nova_ha.cmd import upgrade_check
from tests import base

SUCCESS, WARNING, FAILURE = 0, 1, 2

MODERN = "[filter_scheduler]\nenabled_filters = ComputeFilter\n"
OPERATOR = "[zookeeper]\nusername = operator\npassword = 0123456789abcdef\n"
FENCING = """
devices: {bmc: {driver: operator}}
hosts: {cmp1: {levels: [[bmc]]}}
"""


class UpgradeCheckTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        logger = logging.getLogger("nova_ha")
        self.addCleanup(logger.setLevel, logger.level)
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file("fencing.yaml", FENCING).chmod(0o600)
        self.conf = self.file(
            "nova-ha.conf",
            f"{OPERATOR}[fencing]\n"
            f"topology_file = {self.directory}/fencing.yaml\n",
        )
        self.nova_conf = self.file("nova.conf", MODERN)
        self.tree = self.patch_(tree, "check_tree", 10.0)
        self.unreadable = self.patch_(upgrade, "unreadable", [])

    def file(self, name: str, text: str) -> pathlib.Path:
        path = self.directory / name
        path.write_text(text)
        return path

    def patch_(self, module: Any, name: str, result: Any) -> mock.Mock:
        patch = mock.patch.object(module, name, return_value=result)
        self.addCleanup(patch.stop)
        return patch.start()

    def run_(self, *arguments: str) -> int:
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output):
            with contextlib.redirect_stderr(errors):
                status = upgrade_check.main(arguments)
        self.output, self.errors = output.getvalue(), errors.getvalue()
        self.assertNotIn("Traceback", self.output + self.errors)
        return status

    def check(self, *arguments: str) -> dict[str, tuple[int, str]]:
        """Result and details of each check; the status is the worst."""
        status = self.run_(
            "--config-file", str(self.conf), *arguments, *CHECK, "--json"
        )
        checks = json.loads(self.output)["checks"]
        self.assertEqual(status, max(one["result"] for one in checks))
        return {
            one["check"]: (one["result"], one["details"] or "")
            for one in checks
        }

    def of_nova(self, *arguments: str) -> tuple[int, str]:
        return self.check(*arguments)["Settings of nova-scheduler"]


CHECK = ("upgrade", "check")


class TestAll(UpgradeCheckTest):
    def test_ready(self) -> None:
        found = self.check("--nova-config", str(self.nova_conf))
        self.assertEqual({SUCCESS}, {code for code, _ in found.values()})

    def test_table(self) -> None:
        self.run_("--config-file", str(self.conf), *CHECK)
        self.assertIn("Tree in ZooKeeper", self.output)

    def test_missing_file_is_an_error_not_a_result(self) -> None:
        self.assertEqual(255, self.run_("--config-file", "/no/file", *CHECK))
        self.assertIn("/no/file", self.errors)


class TestScheduler(UpgradeCheckTest):
    old = "[DEFAULT]\nscheduler_default_filters = RetryFilter\n"

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                "nova_ha.cmd.upgrade_check.NOVA_CONF",
                f"{self.directory}/of-this-machine.conf",
            )
        )

    def test_serious(self) -> None:
        self.nova_conf.write_text(self.old)
        code, details = self.of_nova("--nova-config", str(self.nova_conf))
        self.assertEqual(FAILURE, code)
        self.assertIn("enabled_filters = RetryFilter", details)

    def test_advice(self) -> None:
        self.nova_conf.write_text(
            f"{self.old}[filter_scheduler]\nenabled_filters = ComputeFilter\n"
        )
        code, details = self.of_nova("--nova-config", str(self.nova_conf))
        self.assertEqual(WARNING, code)
        self.assertIn("remove it", details)

    def test_that_of_this_machine(self) -> None:
        self.file("of-this-machine.conf", self.old)
        self.assertEqual(FAILURE, self.of_nova()[0])

    def test_given_as_configuration(self) -> None:
        self.nova_conf.write_text(self.old)
        found = self.of_nova("--config-file", str(self.nova_conf))
        self.assertEqual(FAILURE, found[0])

    def test_none_is_not_success(self) -> None:
        code, details = self.of_nova()
        self.assertEqual(WARNING, code)
        self.assertIn("--nova-config", details)

    def test_unreadable(self) -> None:
        self.nova_conf.write_text("no ini file at all")
        binary = self.directory / "binary.conf"
        binary.write_bytes(b"[DEFAULT]\nhost = \xff\n")
        for file in (self.nova_conf, binary, "/no/such/nova.conf"):
            self.assertEqual(
                FAILURE, self.of_nova("--nova-config", str(file))[0]
            )


class TestTree(UpgradeCheckTest):
    def of_tree(self) -> tuple[int, str]:
        return self.check()["Tree in ZooKeeper"]

    def test_node_is_missing(self) -> None:
        self.tree.side_effect = exception.ConfigError(
            "/nova-ha/default/audit", "is missing", "run: nova-ha zk init"
        )
        code, details = self.of_tree()
        self.assertEqual(FAILURE, code)
        self.assertIn("zk init", details)

    def test_not_made(self) -> None:
        self.tree.side_effect = exception.ConfigError(
            "[zookeeper] namespace", "has not been made"
        )
        self.assertEqual(FAILURE, self.of_tree()[0])

    def test_not_reachable(self) -> None:
        self.tree.side_effect = exception.CoordinationUnavailable("no quorum")
        self.assertEqual((WARNING, "not checked: no quorum"), self.of_tree())

    def test_not_ours_to_ask(self) -> None:
        for section in (
            "[zookeeper]\nusername = engine\npassword = 0123456789abcdef\n",
            "",
        ):
            self.conf.write_text(section)
            code, details = self.of_tree()
            self.assertEqual(WARNING, code)
            self.assertIn("not checked: [zookeeper] username", details)
        self.tree.assert_not_called()

    def test_denied(self) -> None:
        self.tree.side_effect = exception.CoordinationDenied("/nova-ha")
        self.assertEqual(FAILURE, self.of_tree()[0])


class TestPayloads(UpgradeCheckTest):
    def test_first_ones_are_named(self) -> None:
        self.unreadable.return_value = [f"/node{one}" for one in range(9)]
        code, details = self.check()["What is stored in ZooKeeper"]
        self.assertEqual(FAILURE, code)
        self.assertEqual(
            "/node0; /node1; /node2; /node3; /node4; and 4 more", details
        )


class TestFencing(UpgradeCheckTest):
    def of_fencing(self) -> tuple[int, str]:
        return self.check()["Fence devices"]

    def test_not_on_this_machine(self) -> None:
        (self.directory / "fencing.yaml").unlink()
        self.assertEqual(WARNING, self.of_fencing()[0])

    def test_open_to_others(self) -> None:
        (self.directory / "fencing.yaml").chmod(0o644)
        code, details = self.of_fencing()
        self.assertEqual(FAILURE, code)
        self.assertIn("chmod 600", details)

    def test_no_hosts(self) -> None:
        self.file("fencing.yaml", "devices: {}\nhosts: {}\n")
        self.assertEqual(WARNING, self.of_fencing()[0])
