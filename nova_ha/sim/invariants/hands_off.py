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

"""Invariant 9."""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import verdict
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod

_OURS = (verdict.CASE_REASON, verdict.QUARANTINE_REASON)


@dataclasses.dataclass(slots=True)
class _Flags:
    """What is set on one service, by whom, and since when."""

    forced_at: float | None = None
    """When an operator forced it down; None: he has not."""
    ours_down: bool = False
    disabled_at: float | None = None
    """When it was disabled by somebody else than nova_ha."""


class HandsOff(base.Invariant):
    """What an operator has set stays his.

    Truth: who has set what on Nova's services. A host is not powered off
    that an operator had disabled or forced down before its case was opened
    - unless he asks for its evacuation -
    and no service is enabled, and no force-down lifted, that is his. His
    word must have been there for :data:`truth.NEWS`: engines poll it. A
    service that we had forced down before he did is ours to lift, Nova
    cannot tell the two. Protection and maintenance are invariant 4's.
    """

    number = 9
    name = "hands off"

    def __init__(self, truth: truth_mod.Truth, report: base.Report) -> None:
        super().__init__(truth, report)
        self._flags: dict[str, _Flags] = {}
        self._asked: set[str] = set()
        """Hosts that an operator has declared to be dead."""

    def watches(self) -> Mapping[str, base.Watch]:
        return {
            "nova.force-down": self._force_down,
            "nova.disabled": self._disabled,
            "nova.enabled": self._enabled,
            "bmc.off-sent": self._off_sent,
            "operator.request": self._request,
        }

    def _of(self, entry: journal.Entry) -> _Flags:
        return self._flags.setdefault(str(entry.details["host"]), _Flags())

    def _force_down(self, entry: journal.Entry) -> None:
        flags = self._of(entry)
        ours = entry.who in self._truth.engines
        if entry.details["forced"]:
            if ours:
                flags.ours_down = not self._old(flags.forced_at)
            elif not flags.ours_down and flags.forced_at is None:
                flags.forced_at = entry.at
            return
        if ours and not flags.ours_down and self._old(flags.forced_at):
            self.violated("an operator's force-down is lifted", entry)
        flags.forced_at, flags.ours_down = None, False

    def _disabled(self, entry: journal.Entry) -> None:
        reason = str(entry.details.get("reason", ""))
        ours = reason.startswith(_OURS)
        flags = self._of(entry)
        if ours or reason.startswith(verdict.AUTO_REASON):
            if entry.who in self._truth.engines and self._old(
                flags.disabled_at
            ):
                self.violated("an operator's disable is overwritten", entry)
            flags.disabled_at = None
        else:
            flags.disabled_at = entry.at

    def _enabled(self, entry: journal.Entry) -> None:
        flags = self._of(entry)
        ours = entry.who in self._truth.engines
        if ours and self._old(flags.disabled_at):
            self.violated("an operator's disable is undone", entry)
        flags.disabled_at = None

    def _request(self, entry: journal.Entry) -> None:
        self._asked.add(str(entry.details["host"]))

    def _off_sent(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        log = self._truth.tree.cases.get(host)
        if log is None or host in self._asked:
            return
        flags = self._of(entry)
        for at in (flags.forced_at, flags.disabled_at):
            if at is not None and at + truth_mod.NEWS < log.opened_at:
                self.violated(
                    f"{host} is powered off, which an operator has taken "
                    "out of service",
                    entry,
                )

    def _old(self, at: float | None) -> bool:
        """Something has been so for long enough for engines to know."""
        return at is not None and self._truth.now - at > truth_mod.NEWS
