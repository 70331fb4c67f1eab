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

import datetime

from nova_ha import exception
from nova_ha.coordination import audit as trail_module
from nova_ha.core import audit
from tests.unit.coordination import fake_tree

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def entry(second: int = 0, host: str = "cmp1") -> audit.Entry:
    return audit.Entry(
        host=audit.HostName(host),
        deed=audit.Deed.POWER_OFF,
        by="me",
        at=NOW + datetime.timedelta(seconds=second),
    )


class TrailTest(fake_tree.FakeTree):
    def setUp(self) -> None:
        super().setUp()
        self.tree = self.open("operator")
        self.trail = trail_module.Trail(self.tree, self.paths)

    def test_it_is_written_before_and_completed_after(self) -> None:
        self.assertEqual(entry(), self.trail.begin(entry()))
        self.assertEqual([entry()], self.trail.read())
        done = audit.Entry(
            host=entry().host,
            deed=entry().deed,
            by="me",
            at=NOW,
            result=audit.Result.DONE,
            detail="off",
        )
        self.trail.end(done)
        self.assertEqual([done], self.trail.read())

    def test_the_newest_come_first_and_are_kept(self) -> None:
        many = trail_module.KEPT + 3
        for second in range(many):
            self.trail.begin(entry(second))
        found = self.trail.read()
        self.assertEqual(trail_module.KEPT, len(found))
        self.assertEqual(entry(many - 1), found[0])
        self.assertEqual(entry(3), found[-1])

    def test_what_is_unreadable_is_left_out(self) -> None:
        self.trail.begin(entry())
        (path,) = self.tree.children(self.paths.audit)
        self.trail.begin(entry(1))
        self.tree.set(f"{self.paths.audit}/{path}", b"rubbish")
        self.assertEqual([entry(1)], self.trail.read())

    def test_a_tree_that_has_no_place_for_it_yet(self) -> None:
        self.tree.delete(self.paths.audit)
        self.assertEqual([], self.trail.read())
        error = self.assertRaises(
            exception.ConfigError, self.trail.begin, entry()
        )
        self.assertIn("nova-ha zk init", str(error))
