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

"""Invariant 6."""

from collections.abc import Mapping

from nova_ha.core import brake
from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod


class Brake(base.Invariant):
    """Few hosts are powered off in a short time, and none in a storm.

    Truth: the power-offs as they leave the engines, counted by host over the
    policy's window and compared with the limit for as many hosts as the tree
    says may be fenced (within :data:`truth.NEWS`). Counted from outside:
    what engines remember or forget plays no part. A host that is fenced
    again, in the middle of its recovery, is nothing new and is not stopped;
    one whose recovery waits for this very host, which was to take its
    instances, does not count; those that read off by themselves are not
    powered off. Tolerance: none.

    While a storm blows, nothing is powered off whose case has become
    *fencing* after it has begun. A new leader may know better: it tells of
    the storm itself.
    """

    number = 6
    name = "brake"

    def __init__(self, truth: truth_mod.Truth, report: base.Report) -> None:
        super().__init__(truth, report)
        self._sent: dict[str, journal.Entry] = {}
        """The first power-off of each host's present incident."""
        self._storms: dict[str, float] = {}
        """Since when one blows, by failure domain."""

    def watches(self) -> Mapping[str, base.Watch]:
        return {
            "bmc.off-sent": self._off_sent,
            "engine.leading": lambda entry: self._storms.clear(),
            "storm.begun": self._storm_begun,
            "storm.over": self._storm_over,
        }

    def _storm_begun(self, entry: journal.Entry) -> None:
        self._storms.setdefault(_domain(entry), entry.at)

    def _storm_over(self, entry: journal.Entry) -> None:
        self._storms.pop(_domain(entry), None)

    def _off_sent(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        known = host in self._recent()
        if not known:
            self._sent[host] = entry
        if not known and not self._again(host):
            self._check_count(host)
            self._check_storm(host, entry)

    def _again(self, host: str) -> bool:
        log = self._truth.tree.cases.get(host)
        return log is not None and log.case.refencing

    def _check_count(self, host: str) -> None:
        counted = self._recent()
        for other in self._waiting_for(host):
            counted.pop(other, None)
        if len(counted) > self._limit():
            self.violated(
                f"{len(counted)} hosts are powered off within "
                f"{self._truth.policy.brake_window:g} s, "
                f"{self._limit()} allowed",
                *counted.values(),
            )

    def _recent(self) -> dict[str, journal.Entry]:
        since = self._truth.now - self._truth.policy.brake_window
        return {
            host: entry
            for host, entry in self._sent.items()
            if entry.at > since
        }

    def _limit(self) -> int:
        since = self._truth.now - truth_mod.NEWS
        monitored = self._truth.tree.monitored.since(since)
        most = max((one for one in monitored if one is not None), default=0)
        return brake.limit(most, self._truth.policy)

    def _waiting_for(self, host: str) -> list[str]:
        return [
            other
            for other, log in self._truth.tree.cases.items()
            if other != host
            and any(
                move.target == host and not move.final
                for move in log.case.moves
            )
        ]

    def _check_storm(self, host: str, entry: journal.Entry) -> None:
        log = self._truth.tree.cases.get(host)
        record = self._truth.tree.host(host).last
        for domain in {"", record.failure_domain if record else ""}:
            begun = self._storms.get(domain)
            if begun is None or log is None or log.entered_at <= begun:
                continue
            self.violated(f"{host} is powered off in a storm", entry)


def _domain(entry: journal.Entry) -> str:
    event = entry.details.get("event")
    if isinstance(event, model.AuditEvent):
        return event.details.get("failure_domain", "")
    return ""
