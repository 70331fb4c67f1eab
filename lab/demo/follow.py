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

"""Follows a recovery case in ZooKeeper and tells each change as it comes."""

import contextlib
import time
from collections.abc import Callable

from lab.demo import screen as screen_mod
from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha.coordination import contenders
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_mod
from nova_ha.coordination import reading
from nova_ha.coordination import settings as settings_mod
from nova_ha.coordination import store
from nova_ha.core import model

POLL = 0.1

NAMES = {"forced_down": "is forced down", "disabled": "is disabled"}


class Tree:
    """The operator's read access to the recovery cases."""

    def __init__(self, settings: settings_mod.Settings) -> None:
        self._session = opening.new_session(settings, clock_mod.SystemClock())
        self._paths = paths_mod.Paths(settings.namespace)
        self._store = store.ZooKeeperCaseStore(self._session, self._paths)
        self._session.start()

    def close(self) -> None:
        self._session.close()

    def case(self, host: str) -> model.RecoveryCase | None:
        """The open case of a host; None too while ZooKeeper is away."""
        with contextlib.suppress(exception.CoordinationError):
            for stored in self._store.load().cases:
                if stored.case.host == host:
                    return stored.case
        return None

    def calm(self) -> bool:
        """Whether nothing is told of any host: all are plainly alive."""
        with contextlib.suppress(exception.CoordinationError):
            return not self._store.published()
        return False

    def leader(self) -> str:
        """Name of the engine that leads: host name and process number."""
        for one in contenders.read(
            self._session, self._paths, reading.Decoder()
        ):
            if one.leading:
                return one.engine
        return ""


class Follower:
    """Tells what happens to one host's case."""

    def __init__(
        self, tree: Tree, screen: screen_mod.Screen, host: str
    ) -> None:
        self._tree = tree
        self._screen = screen
        self._host = host
        self._told: set[str] = set()
        self.case = tree.case(host)
        if self.case is not None:
            # What happened before is not news.
            self._told.update(_news(self.case))

    def until(
        self,
        done: Callable[[model.RecoveryCase | None], bool],
        timeout: float,
        countdown: Callable[[model.RecoveryCase], str] | None = None,
    ) -> model.RecoveryCase | None:
        """Follow until ``done(case)``.

        :raises TimeoutError: names the state and what the case waits for.
        """
        deadline = time.monotonic() + timeout
        while True:
            case = self._tree.case(self._host)
            if case is not None:
                self.case = case
                self._tell(case)
                if countdown is not None:
                    self._screen.count(countdown(case))
            if done(case):
                return self.case
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{self._host}: not within {timeout:g} s; "
                    + _describe(case)
                )
            time.sleep(POLL)

    def _tell(self, case: model.RecoveryCase) -> None:
        for key, text in _news(case).items():
            if key not in self._told:
                self._told.add(key)
                self._screen.say(text)


def _news(case: model.RecoveryCase) -> dict[str, str]:
    """What there is to tell of a case, by a key that stays the same."""
    hold = "" if case.hold is None else f" [held: {case.hold.value}]"
    news = {
        f"{case.id} {name}": f"{case.host}: nova-compute {NAMES[name]}"
        for name in NAMES
        if name in case.times
    }
    for move in case.moves:
        if move.state is model.MoveState.DONE:
            text = f"    {move.name}: {case.host} -> {move.target}"
            news[f"{case.id} {move.instance}"] = text
    what = f"{case.host}: {case.state.value}{hold}: {case.message}"
    news[f"{case.id} {case.state.value}{hold} {case.since}"] = what
    return news


def _describe(case: model.RecoveryCase | None) -> str:
    if case is None:
        return "there is no open case"
    return f"the case is {case.state.value}: {case.message}"
