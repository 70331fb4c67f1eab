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

"""Every kind of payload is read before an upgrade."""

from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import payloads
from nova_ha.core import codec
from nova_ha.core import model
from tests import base
from tests.fakes import znodes as fakes

PATHS = paths_module.Paths("RegionOne")
HOST = model.HostName("cmp1")


class TestUnreadable(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tree = fakes.FakeZnodes(fakes.Ensemble(), 10.0)
        for path in (
            paths_module.TOP,
            PATHS.root,
            PATHS.hosts,
            PATHS.agents,
            PATHS.agent(HOST),
            PATHS.cases,
            PATHS.verdicts,
            PATHS.confirmations,
            PATHS.requests,
            PATHS.history,
        ):
            self.tree.create(path, b"")

    def found(self) -> list[str]:
        return list(payloads.unreadable(self.tree, PATHS))

    def test_new_tree(self) -> None:
        self.assertEqual([], self.found())

    def test_what_this_release_writes(self) -> None:
        for path, value in (
            (PATHS.control, model.Control()),
            (PATHS.host(HOST), model.HostRecord(host=HOST, machine_id="m")),
            (
                PATHS.beacon(HOST),
                model.Beacon(
                    host=HOST, boot_id=model.BootId("b"), machine_id="m"
                ),
            ),
        ):
            self.tree.create(path, codec.encode(value))
        self.assertEqual([], self.found())

    def test_of_a_later_release(self) -> None:
        places = (
            PATHS.control,
            PATHS.host(HOST),
            PATHS.beacon(HOST),
            PATHS.goodbye(HOST),
            PATHS.guests(HOST),
            PATHS.case(HOST),
            PATHS.verdict(HOST),
            PATHS.confirmation(model.CaseId("c")),
            PATHS.closed(model.CaseId("c")),
        )
        for path in places:
            self.tree.create(path, b'{"v": 2}')
        told = self.found()
        self.assertEqual(
            sorted(f"{path}: v: version 2 is not 1" for path in places),
            sorted(told),
        )
