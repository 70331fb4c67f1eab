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

"""The guest inventory: collected, counted and written.

The sequence is evidence: the engine concludes from two further steps that a
whole collection took place after a certain moment (model.GuestInventory). So
it grows only when ZooKeeper has acknowledged the write before; a write with
an unknown outcome is repeated, with fresh guests, under the same number, and
a restarted agent first repeats the number that it finds.
"""

import threading

from oslo_log import log as logging

from nova_ha import exception
from nova_ha import ports
from nova_ha.core import model

LOG = logging.getLogger(__name__)


class GuestReporter(ports.Check):
    """The check ``guests``: collects; :meth:`publish` writes what it has."""

    name = "guests"

    def __init__(
        self,
        source: ports.GuestSource,
        beacons: ports.Beacons,
        identity: model.Beacon,
        present: threading.Event,
    ) -> None:
        """:param identity: names the host and its boot.
        :param present: set while this agent's beacon is shown; without it
            another machine might speak for the host."""
        self._source = source
        self._beacons = beacons
        self._identity = identity
        self._present = present
        self._guests: frozenset[model.InstanceId] | None = None
        self._next: int | None = None

    def run(self) -> model.CheckResult:
        """Collect. Without an answer nothing is written: the old inventory
        stays, and its sequence stops."""
        self._guests = None
        try:
            self._guests = self._source.running()
        except exception.GuestsUnknown as error:
            return model.CheckResult(
                name=self.name, ok=False, detail=str(error)
            )
        return model.CheckResult(name=self.name, ok=True)

    def publish(self) -> None:
        """Write the guests of the last collection, if it had an answer."""
        if self._guests is None or not self._present.is_set():
            return
        try:
            sequence = self._first() if self._next is None else self._next
            self._beacons.inventory(
                model.GuestInventory(
                    host=self._identity.host,
                    boot_id=self._identity.boot_id,
                    guests=self._guests,
                    sequence=sequence,
                )
            )
        except exception.CoordinationError as error:
            LOG.warning("The guest inventory was not written: %s", error)
            return
        self._next = sequence + 1

    def _first(self) -> int:
        try:
            found = self._beacons.facts().inventory
        except exception.PayloadError as error:
            LOG.warning("Starting a new guest inventory: %s", error)
            return 1
        if found is None or found.boot_id != self._identity.boot_id:
            return 1
        return found.sequence
