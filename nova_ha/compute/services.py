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

"""Nova's own view of its nova-compute services."""

import dataclasses
import datetime
import threading
from collections.abc import Iterable, Iterator, Sequence

from oslo_log import log as logging

from nova_ha.compute import parse
from nova_ha.compute import rest
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_PATH = "/os-services"


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    flags: tuple[bool, bool, str]
    changed_at: datetime.datetime | None
    reported_at: datetime.datetime | None


class ReportTimes:
    """Tells a report of nova-compute from a change made by somebody else.

    The API shows when the *record* of a service was written last
    (nova.servicegroup.drivers.db ``updated_time``), not when the service
    reported (``last_seen_up``, which is not shown). Forcing a service down
    or disabling it writes the record too: taken for a report, it would be a
    sign of life of a dead host. So where the flags have changed since the
    last look, the time stamp is not taken over; a live service writes a new
    one with its next report.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._begun = 0
        self._newest = 0

    def begin(self) -> int:
        """Call before the services are asked for; goes to :meth:`correct`."""
        with self._lock:
            self._begun += 1
            return self._begun

    def correct(
        self, reports: Sequence[model.ServiceReport], begun: int
    ) -> list[model.ServiceReport]:
        """Replace the time stamps that do not tell of a report.

        An answer that was overtaken by that to a later question adds
        nothing: its older time stamps must not look like movement.
        """
        with self._lock:
            seen = {
                report.service_id: _judge(
                    report, self._seen.get(report.service_id)
                )
                for report in reports
            }
            if begun > self._newest:
                # One that is missing may be back: its cell was down.
                self._seen, self._newest = {**self._seen, **seen}, begun
            else:
                seen |= self._seen
            return [
                dataclasses.replace(
                    report, reported_at=seen[report.service_id].reported_at
                )
                for report in reports
            ]


def _judge(report: model.ServiceReport, before: _Seen | None) -> _Seen:
    flags = (report.forced_down, report.disabled, report.disabled_reason)
    changed_at, reported_at = report.reported_at, report.reported_at
    if before is not None:
        if changed_at == before.changed_at or flags != before.flags:
            reported_at = before.reported_at
    return _Seen(flags, changed_at, reported_at)


class Services:
    """Reads the nova-compute services."""

    def __init__(self, nova: rest.Reader) -> None:
        self._nova = nova
        self._times = ReportTimes()
        self._unknown: frozenset[str] = frozenset()

    def read(self) -> Sequence[model.ServiceReport]:
        """All of them, except those of cells that are down.

        Nova says nothing of these but their names: they are left out, so
        that nobody takes an unread report for a silent one.
        """
        begun = self._times.begin()
        entries = self._entries({})
        with rest.translated(f"nova: GET {_PATH}"):
            unknown = frozenset(
                entry["host"] for entry in entries if parse.of_down_cell(entry)
            )
            reports = [
                parse.service(entry)
                for entry in entries
                if not parse.of_down_cell(entry)
            ]
        self._tell_unknown(unknown)
        return self._times.correct(list(_newest_of_each_host(reports)), begun)

    def cell_answers(self, host: model.HostName) -> bool | None:
        """Whether the cell of a host answers; None: no such service."""
        entries = self._entries({"host": host})
        if not entries:
            return None
        return not any(parse.of_down_cell(entry) for entry in entries)

    def _entries(self, query: dict[str, str]) -> list[rest.Json]:
        answer = self._nova.get(_PATH, {"binary": "nova-compute", **query})
        with rest.translated(f"nova: GET {_PATH}"):
            return list(answer["services"])

    def _tell_unknown(self, hosts: frozenset[str]) -> None:
        """Once when it changes: this is read each second."""
        if hosts and hosts != self._unknown:
            LOG.warning(
                "Nova does not know the state of %d nova-compute services, "
                "their cell is down: %s",
                len(hosts),
                ", ".join(sorted(hosts)[:10]),
            )
        self._unknown = hosts


def _newest_of_each_host(
    reports: Iterable[model.ServiceReport],
) -> Iterator[model.ServiceReport]:
    """A host should have one service; say so where it has more.

    Two records of one name are left by a host that was moved to another
    cell; only one of them is still written.
    """
    epoch = datetime.datetime.min.replace(tzinfo=datetime.UTC)
    newest: dict[model.HostName, model.ServiceReport] = {}
    for report in reports:
        other = newest.get(report.host)
        if other is not None:
            LOG.warning(
                "Nova has two nova-compute services on %s, %s and %s",
                report.host,
                other.service_id,
                report.service_id,
            )
            if (other.reported_at or epoch) >= (report.reported_at or epoch):
                continue
        newest[report.host] = report
    yield from newest.values()
