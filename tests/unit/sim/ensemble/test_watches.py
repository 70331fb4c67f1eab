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

"""Watches fire once, and are dropped with their subscriber."""

from nova_ha.sim.ensemble import watches
from nova_ha.sim.ensemble.watches import Kind
from tests import base

DATA, CHILDREN = (Kind.DATA, "/a"), (Kind.CHILDREN, "/a")


def watch(path: str) -> None:
    """Never called: only who would be is looked at."""


class WatchesTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.watches = watches.Watches[str]()
        for subscriber in ("z", "a"):
            for kind, path in (DATA, CHILDREN):
                self.watches.arm(kind, path, subscriber, watch)

    def test_fire_once_for_each_path_in_order(self) -> None:
        self.assertEqual(
            [("z", watch, "/a"), ("a", watch, "/a")],
            self.watches.fired([DATA, CHILDREN]),
        )
        self.assertEqual([], self.watches.fired([DATA, CHILDREN]))

    def test_forget(self) -> None:
        self.watches.fired([DATA])
        self.watches.forget("z")
        self.watches.forget("z")
        self.assertEqual(
            [("a", watch, "/a")], self.watches.fired([DATA, CHILDREN])
        )
