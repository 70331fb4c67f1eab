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

"""Migration records, of a host and of an instance.

A poll each half second must not read the history of years. Nova's own
``changes-since`` is of no use for that: it compares ``updated_at``, which is
empty in a record that was just created (nova.db.main.api
``_get_query_nova_resource_by_changes_time``), so it hides exactly the
evacuations that were just accepted. Instead: records come newest first, and
one that has ended does not change any more. Reading stops after a page that
shows nothing but known records that have ended, once all known records that
have not ended were seen again; now and then everything is read.

A cell that does not answer is left out of the list without a word. Records
that were seen before must therefore show up again, and if there are none,
the cell of the host is asked for in another way.
"""

import dataclasses
import threading
from collections.abc import Mapping, Sequence

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.compute import parse
from nova_ha.compute import rest
from nova_ha.compute import services as services_module
from nova_ha.core import model

_PATH = "/os-migrations"

FULL_READ_EACH = 60.0
"""Seconds after which the whole history of a host is read again: bounds how
long a change of a record that counts as ended goes unseen."""

PAGE_SIZE = 100
"""Records a request: a poll during a recovery needs one or two."""

ENDED = frozenset(
    {
        "completed",
        "confirmed",
        "reverted",
        "error",
        "failed",
        "cancelled",
    }
)
"""Statuses that Nova 34 does not change again. ``done`` is not one: it becomes
``completed`` when the source comes back; ``finished`` waits for the user. One
exception is harmless here: a source that comes back too early also sets
evacuations to ``completed`` that are still under way, and their target sets
them on. Those are among the newest, which are read each time."""

Records = Mapping[int, model.Migration]


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    records: Records
    read_fully_at: float


class Migrations:
    """Reads migration records."""

    def __init__(
        self,
        nova: rest.Reader,
        services: services_module.Services,
        clock: clock_module.Clock,
    ) -> None:
        self._nova = nova
        self._services = services
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[model.HostName, _Known] = {}

    def of_host(self, host: model.HostName) -> Sequence[model.Migration]:
        """All records that name a host, newest first.

        :raises CellDown: the list could be incomplete.
        """
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(host)
        if known and now - known.read_fully_at < FULL_READ_EACH:
            records = self._recent({"host": host}, known.records)
            if records is not None:
                return self._keep(host, records, known.read_fully_at)
        records = self._all({"host": host})
        if not records or (known and known.records.keys() - records.keys()):
            self._require_cell(host)
            records = self._all({"host": host})
        return self._keep(host, records, now)

    def of_instance(
        self, instance: model.InstanceId
    ) -> dict[int, model.Migration]:
        """All records of an instance. An empty answer proves nothing; see
        :meth:`nova_ha.compute.nova.NovaCompute.instance_migrations`."""
        return self._all({"instance_uuid": instance})

    def _keep(
        self, host: model.HostName, records: Records, read_fully_at: float
    ) -> Sequence[model.Migration]:
        with self._lock:
            self._known[host] = _Known(records, read_fully_at)
        return newest_first(records)

    def _all(self, query: rest.Params) -> dict[int, model.Migration]:
        found: dict[int, model.Migration] = {}
        for page in self._nova.pages(
            _PATH,
            "migrations",
            {"limit": PAGE_SIZE, **query},
            marker="uuid",
            until_empty=True,
        ):
            found.update(_parse(page))
        return found

    def _recent(
        self, query: rest.Params, known: Records
    ) -> dict[int, model.Migration] | None:
        """Known records brought up to date; None: something is amiss."""
        if not known:
            return None
        moving = {m.id for m in known.values() if m.status not in ENDED}
        found: dict[int, model.Migration] = {}
        for page in self._nova.pages(
            _PATH,
            "migrations",
            {"limit": PAGE_SIZE, **query},
            marker="uuid",
        ):
            records = _parse(page)
            found.update(records)
            moving -= records.keys()
            news = records.keys() - known.keys()
            full = len(page) >= PAGE_SIZE
            if full and not news and not moving:
                return {**known, **found}
        # The whole list was read. Anything that is gone now was deleted, or
        # its cell does not answer.
        return found if known.keys() <= found.keys() else None

    def _require_cell(self, host: model.HostName) -> None:
        answers = self._services.cell_answers(host)
        if answers is None:
            raise exception.ComputeError(
                f"Nova has no nova-compute service on {host}"
            )
        if not answers:
            raise exception.CellDown(f"the cell of host {host} is down")


def newest_first(records: Records) -> Sequence[model.Migration]:
    return [records[identity] for identity in sorted(records, reverse=True)]


def _parse(page: list[rest.Json]) -> dict[int, model.Migration]:
    with rest.translated(f"nova: GET {_PATH}"):
        return {record.id: record for record in map(parse.migration, page)}
