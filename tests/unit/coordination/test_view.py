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

"""See the suite; here on a tree in memory."""

from typing import Any

from nova_ha import exception
from nova_ha.coordination import view as view_module
from nova_ha.coordination import watching
from nova_ha.core import events
from tests.contract.coordination import coordinated
from tests.contract.coordination import view_contract
from tests.contract.coordination.coordinated import C1
from tests.unit.coordination import fake_tree


class ViewTest(view_contract.ViewContract, fake_tree.FakeTree):
    def slow_down(self) -> list[int]:
        """A complete read takes a second; returns how many nodes each read
        asks for."""
        asked: list[int] = []
        get_many = self.tree.get_many

        def slow(paths: Any, *args: Any) -> Any:
            asked.append(len(paths))
            self.manual.advance(1.0)
            return get_many(paths, *args)

        self.tree.get_many = slow  # type: ignore[method-assign]
        return asked

    def test_a_large_fleet_is_followed_between_complete_reads(self) -> None:
        asked = self.slow_down()
        self.start()
        self.eventually(lambda: self.view.snapshot().age < watching.INTERVAL)
        asked.clear()
        for _ in range(5):
            self.manual.advance(watching.INTERVAL)
            self.eventually(lambda: self.view.snapshot().age == 0.0)
        self.assertEqual([], asked)

    def test_a_goodbye_ends_between_complete_reads(self) -> None:
        self.agent.goodbye(coordinated.goodbye(ttl=60.0))
        self.slow_down()
        self.start()
        self.assertIs(True, self.free())
        for _ in range(13):
            self.manual.advance(watching.INTERVAL)
            self.eventually(lambda: self.view.snapshot().age == 0.0)
        self.assertIs(False, self.free())

    def test_and_a_change_is_known_before_it_is_told(self) -> None:
        fold = self.view._fold
        known: list[bool | None] = []

        def noting(event: events.Event) -> None:
            fold(event)
            if isinstance(event, view_module._Followed):
                known.append(self.free())

        self.view._fold = noting  # type: ignore[method-assign]
        self.slow_down()
        self.start()
        self.ensemble.forget(self.tree)
        sync = self.tree.sync

        def bringing(path: str) -> None:
            sync(path)
            self.agent.close()
            self.view._watcher._watch(self.paths.beacon(C1))

        self.tree.sync = bringing  # type: ignore[method-assign]
        known.clear()
        self.manual.advance(watching.INTERVAL)
        self.eventually(lambda: known)
        self.assertIs(False, known[0])

    def test_a_server_that_does_not_answer_makes_it_old(self) -> None:
        self.slow_down()
        self.start()

        def broken(*args: object) -> None:
            raise exception.CoordinationUnavailable("no answer")

        self.tree.sync = broken  # type: ignore[method-assign]
        self.manual.advance(watching.INTERVAL)
        self.eventually(lambda: self.view._watcher._told)
        self.manual.advance(60.0)
        self.assertGreater(self.view.snapshot().age, 60.0)
