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

"""A process that stands for election and prints the epoch it leads in.

What it needs to know comes by standard input, as JSON.
"""

import json
import signal
import sys
import threading

from nova_ha import clock
from nova_ha.coordination import election
from nova_ha.coordination import opening
from nova_ha.coordination import paths
from nova_ha.coordination import settings
from nova_ha.core import events


def main() -> None:
    given = json.load(sys.stdin)
    system_clock = clock.SystemClock()
    session = opening.new_session(
        settings.Settings(
            hosts=given["hosts"],
            namespace=given["namespace"],
            username="engine",
            password=given["password"],
            session_timeout=given["timeout"],
        ),
        system_clock,
    )
    session.start()
    leadership = election.ZooKeeperLeadership(
        session,
        paths.Paths(given["namespace"]),
        system_clock,
        engine="other",
        machine_id="m",
        lease=60.0,
    )

    def tell(event: events.Event) -> None:
        if isinstance(event, events.LeadershipChanged) and event.epoch:
            print(event.epoch, flush=True)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    leadership.start(tell)
    stop.wait()
    leadership.stop()
    session.close()


if __name__ == "__main__":
    main()
