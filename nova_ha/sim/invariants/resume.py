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

"""Invariant 7."""

from collections.abc import Mapping

from nova_ha.core import verdict
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import requests as requests_mod
from nova_ha.sim.invariants import truth as truth_mod


class Resume(base.Invariant):
    """Whoever dies when, nothing is done twice, and nothing stays behind.

    * No power-off goes to a device that has read off, truthfully, and whose
      machine has been off ever since.
    * No instance has two evacuations from the same failure of its host that
      ended well. Truth: Nova's records; a host has not failed anew unless
      the guest has been back on it.
    * When the run is over, no service of Nova's is forced down or disabled
      by us without an open case.
    """

    number = 7
    name = "resume"

    def __init__(
        self,
        truth: truth_mod.Truth,
        report: base.Report,
        requests: requests_mod.Requests,
    ) -> None:
        super().__init__(truth, report)
        self._requests = requests
        self._off: dict[tuple[str, str], int] = {}
        """Devices that have read off, truthfully, and in which incarnation
        of their machine."""
        self._moved: dict[tuple[str, str], requests_mod.Request] = {}
        """Evacuations that ended well, by instance and source."""
        self._forced: dict[str, str] = {}
        """Who has forced a host's service down."""

    def watches(self) -> Mapping[str, base.Watch]:
        return {
            "bmc.read": self._read,
            "bmc.off-sent": self._off_sent,
            "nova.migration": self._migration,
            "guest.started": self._guest_started,
            "nova.force-down": self._force_down,
        }

    # -- power-offs ----------------------------------------------------------

    def _read(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        machine = self._truth.machines[host]
        if entry.details["state"] == "off" and not machine.power:
            self._off[host, _device(entry)] = machine.incarnation

    def _off_sent(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        machine = self._truth.machines[host]
        known = self._off.get((host, _device(entry)))
        if not machine.power and known == machine.incarnation:
            self.violated(
                f"{host} is off, is known to be, and is powered off again",
                entry,
            )

    # -- evacuations ---------------------------------------------------------

    def _migration(self, entry: journal.Entry) -> None:
        if entry.details["status"] != "done":
            # ``completed`` is what a source says that cleans up, of whatever
            # record it finds.
            return
        one = self._requests.with_record(int(entry.details["record"]))
        if one is not None:
            self._done(one, entry)

    def _done(self, one: requests_mod.Request, entry: journal.Entry) -> None:
        earlier = self._moved.get((one.instance, one.source))
        self._moved[one.instance, one.source] = one
        engines = self._truth.engines
        if earlier is None or earlier.record == one.record:
            return
        if one.who in engines and earlier.who in engines:
            self.violated(
                f"{one.instance} was evacuated from {one.source} twice",
                earlier.entry,
                one.entry,
                entry,
            )

    def _guest_started(self, entry: journal.Entry) -> None:
        self._moved.pop((str(entry.details["instance"]), entry.who), None)

    # -- what stays behind ---------------------------------------------------

    def _force_down(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        if entry.details["forced"]:
            self._forced.setdefault(host, entry.who)
        else:
            self._forced.pop(host, None)

    def at_end(self) -> None:
        for host in sorted(self._truth.machines):
            service = self._truth.service(host)
            if service is None or host in self._truth.tree.cases:
                continue
            by_us = self._forced.get(host) in self._truth.engines
            if service.forced_down and by_us:
                self.violated(f"{host} was left forced down")
            reason = service.disabled_reason
            if service.disabled and reason.startswith(verdict.CASE_REASON):
                self.violated(f"{host} was left disabled: {reason}")


def _device(entry: journal.Entry) -> str:
    return str(entry.details.get("device", ""))
