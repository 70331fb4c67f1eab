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

"""The command line by way of an engine, on a bus in memory."""

import json
import logging
import unittest.mock

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import tree_store
from nova_ha.cmd import cli
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import MoveState
from nova_ha.rpc import server
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.rpc import bus_case


class RpcTest(test_cli.CliTest):
    def setUp(self):
        super().setUp()
        self._keep_levels()
        # The engine's own file: the operator's credentials are not needed.
        self.conf = bus_case.write_conf(
            self.directory, self.id().rpartition(".")[2]
        )
        self.open.side_effect = exception.ConfigError("ZooKeeper", "untouched")

    def _keep_levels(self):
        for name in ("oslo.messaging", "oslo_messaging", "amqp", "kombu"):
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)


class ServedTest(RpcTest):
    def setUp(self):
        super().setUp()
        self.enterContext(
            unittest.mock.patch.object(
                tree_store, "connect", return_value=self.store
            )
        )
        conf = cli.configuration([str(self.conf)])
        engine = server.Server(conf, clock.SystemClock())
        self.addCleanup(engine.stop)
        engine.run()

    def test_status_and_lists(self):
        self.store.pictured = samples.recovering()
        self.assertEqual(1, self._run("status", "-f", "json"))
        self.assertEqual(
            "ctl1:100", json.loads(self.output)["engines"]["leader"]
        )
        self.assertEqual(0, self._run("host", "list", "-f", "csv"))
        self.assertEqual(5, len(self.output.splitlines()))

    def test_the_engine_says_who_it_was(self):
        self.assertEqual(0, self._run("--as", "jane", "pause"))
        self.assertEqual([("switch", "jane", "", None, True)], self._changes())

    def test_direct_goes_to_zookeeper(self):
        self.assertEqual(2, self._run("--direct", "pause"))
        self.assertIn("ZooKeeper: untouched", self.errors)
        self.open.side_effect = None
        self.assertEqual(0, self._run("--direct", "pause"))

    def test_a_refusal_is_one_line(self):
        (self.directory / "policy.yaml").write_text('"nova_ha:pause": "!"\n')
        self.assertEqual(2, self._run("pause"))
        self.assertRegex(
            self.errors, r"\AERROR: the rule nova_ha:pause .*\n\Z"
        )

    def test_an_evacuation_is_waited_for(self):
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("cmp2", present=False)
        )
        follow = self.store.request

        def request(asked):
            kept = follow(asked)
            self.store.pictured = samples.picture(
                samples.facts("cmp1"),
                samples.facts("cmp2", present=False),
                cases=[
                    samples.case(
                        state=CaseState.EVACUATED.value,
                        request=kept,
                        surveyed=True,
                        moves=(samples.move(1, MoveState.DONE),),
                    )
                ],
            )
            return kept

        self.store.request = request
        self.assertEqual(0, self._run("evacuate", "cmp2", "--wait"))
        ((_, asked),) = self._changes()
        self.assertIsInstance(asked, model.EvacuationRequest)


class NobodyTest(RpcTest):
    def setUp(self):
        super().setUp()
        self.conf.write_text(
            self.conf.read_text().replace("timeout = 5", "timeout = 1")
        )

    def test_one_line_that_names_the_way_out(self):
        self.assertEqual(2, self._run("pause"))
        self.assertRegex(
            self.errors,
            r"\AERROR: no engine has answered over the message bus within "
            r"1 s, and it is not known .* nova-ha --direct .*\n\Z",
        )
        self.assertEqual([], self._changes())
