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

"""Whether an engine can do its work, in one answer."""

import json

from nova_ha.core import census as census_mod
from nova_ha.core.model import record

LOOP_LATE = 10.0
"""Seconds without a census, of which there is one a second, after which the
engine's loop counts as standing still."""


@record
class Health:
    """``problems``: why it cannot; empty where it can."""

    problems: tuple[str, ...] = ()
    leading: bool = False
    epoch: int | None = None
    connected: bool = False
    loop_age: float | None = None
    """Seconds since the loop has last come round; None: never."""

    @property
    def good(self) -> bool:
        return not self.problems

    def to_json(self) -> bytes:
        """One object, for people and programs."""
        return json.dumps(
            {
                "healthy": self.good,
                "problems": list(self.problems),
                "leading": self.leading,
                "epoch": self.epoch,
                "zookeeper_connected": self.connected,
                "loop_age_seconds": self.loop_age,
            },
            indent=2,
        ).encode()


def judge(census: census_mod.Census | None, now: float) -> Health:
    """A standby that could take over at once is healthy, too.

    :param census: the latest one; None: there is none yet.
    """
    if census is None:
        return Health(problems=("the engine is starting",))
    age = max(0.0, now - census.taken_at)
    problems = []
    if age > LOOP_LATE:
        problems.append(f"the engine's loop stands still for {age:.0f} s")
    if not census.connected:
        problems.append(
            "there is no ZooKeeper session, or the hosts have not been read "
            "in it yet"
        )
    return Health(
        problems=tuple(problems),
        leading=census.epoch is not None,
        epoch=census.epoch,
        connected=census.connected,
        loop_age=round(age, 3),
    )
