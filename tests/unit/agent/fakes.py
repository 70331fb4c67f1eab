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

"""Stand-ins for the world around an agent."""

import datetime
import threading

from nova_ha import clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import model

GUEST = model.InstanceId("6f3c3a2c-58f7-4b43-9b9e-5a5c1ab4a001")

IDENTITY = model.Beacon(
    host=model.HostName("cmp1"),
    boot_id=model.BootId("boot-1"),
    machine_id="machine-1",
    system_uuid="uuid-1",
    agent_version="1.0",
)


class FakeClock(clock.Clock):
    """Virtual time, moved on by the waits of the thread that made it.

    Other threads sleep until their event is set: what they do in between is
    for the test to call.
    """

    def __init__(self):
        self.now = 1000.0
        self.waits = []
        self._owner = threading.current_thread()

    def monotonic(self):
        return self.now

    def boottime(self):
        return self.now

    def utcnow(self):
        return datetime.datetime(
            2026, 1, 1, tzinfo=datetime.UTC
        ) + datetime.timedelta(seconds=self.now)

    def wait(self, event, timeout):
        if threading.current_thread() is not self._owner:
            return event.wait()
        self.waits.append(timeout)
        if not event.is_set():
            self.now += timeout
            self.tick()
        return event.is_set()

    def spawn(self, body, name):
        return clock.SystemClock().spawn(body, name)

    def tick(self):
        """Called after each wait; for a test to replace."""


class FakeBeacons(ports.Beacons):
    """Remembers what was written; fails as it is told to."""

    def __init__(self):
        self.calls = []
        self.error = None
        self.stored = model.HostFacts(host=IDENTITY.host)
        self.open_case = None
        self.engines = []
        self.inventories = []
        self.shown = []

    def _called(self, name):
        self.calls.append(name)
        if self.error is not None:
            raise self.error

    def facts(self):
        self._called("facts")
        return self.stored

    def case(self):
        self._called("case")
        return self.open_case

    def contenders(self):
        self._called("contenders")
        return self.engines

    def show(self, beacon):
        self._called("show")
        self.shown.append(beacon)

    def touch(self):
        self._called("touch")

    def inventory(self, inventory):
        self._called("inventory")
        self.inventories.append(inventory)

    def goodbye(self, goodbye):
        self._called("goodbye")
        self.said = goodbye

    def close(self):
        self.calls.append("close")


class FakeGuests(ports.GuestSource):
    def __init__(self, *guests):
        self.guests = frozenset(guests)
        self.error = None

    def running(self):
        if self.error is not None:
            raise self.error
        return self.guests


class FakeCheck(ports.Check):
    def __init__(self, name="thing"):
        self.name = name
        self.ok = True
        self.detail = ""
        self.error = None

    def run(self):
        if self.error is not None:
            raise self.error
        return model.CheckResult(
            name=self.name, ok=self.ok, detail=self.detail
        )


UNAVAILABLE = exception.CoordinationUnavailable("no quorum")
