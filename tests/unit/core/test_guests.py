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

"""Who lists which guests: always what a look through all would find."""

import hypothesis
from hypothesis import strategies

from nova_ha.core import guests
from tests import base
from tests.unit.core import builders as make

HOSTS = strategies.sampled_from(["a", "b", "c"])
GUESTS = strategies.frozensets(strategies.sampled_from(["i1", "i2", "i3"]))


class GuestsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.guests = guests.Guests()

    def put(self, host, *listed):
        self.guests.put(host, make.inventory(host, *listed))

    def test_a_guest_moves(self):
        self.put("a", "i1", "i2")
        self.put("b", "i2")
        self.assertEqual({"a", "b"}, self.guests.hosts_of("i2"))
        self.put("a", "i1")
        self.assertEqual({"b"}, self.guests.hosts_of("i2"))
        self.put("b")
        self.assertEqual(set(), self.guests.hosts_of("i2"))

    def test_a_lost_agent_lists_nothing(self):
        self.put("a", "i1")
        self.guests.put("a", None)
        self.assertEqual(set(), self.guests.hosts_of("i1"))
        self.assertEqual({}, dict(self.guests.inventories))

    def test_hosts_that_nobody_lists(self):
        self.put("a")
        self.guests.put_computes(["a", "b"])
        self.assertEqual({"b"}, self.guests.unlisted)
        self.put("b", "i1")
        self.assertEqual(set(), self.guests.unlisted)
        self.guests.put("a", None)
        self.assertEqual({"a"}, self.guests.unlisted)
        self.guests.put("z", None)  # has no nova-compute
        self.assertEqual({"a"}, self.guests.unlisted)

    @hypothesis.given(
        strategies.lists(
            strategies.tuples(HOSTS, strategies.none() | GUESTS),
            max_size=20,
        )
    )
    def test_the_index_agrees_with_the_inventories(self, changes):
        index = guests.Guests()
        for host, listed in changes:
            says = None if listed is None else make.inventory(host, *listed)
            index.put(host, says)
        for guest in ("i1", "i2", "i3"):
            self.assertEqual(
                {
                    host
                    for host, one in index.inventories.items()
                    if guest in one.guests
                },
                index.hosts_of(guest),
            )
