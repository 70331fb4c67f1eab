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

"""The durable record of recoveries: :class:`ports.CaseStore`.

Every change is one transaction with a check that the node of the leader of
that epoch still exists. It may so be late, but never a deposed leader's.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from oslo_log import log

from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import contenders
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import quarantine as quarantine_mod
from nova_ha.core import slimming
from nova_ha.core.model import Epoch
from nova_ha.core.model import HostName
from nova_ha.core.model import Quarantine

LOG = log.getLogger(__name__)

HISTORY = 200
"""Closed cases that are kept: the newest."""

HISTORY_BYTES = 256 * 1024
"""A closed case that is larger is kept without its details: ZooKeeper holds
all of them in memory."""

ATTEMPTS = 5
"""Of a change that somebody else's change came before."""

TRIM_BATCH = 50

T = TypeVar("T")


class ZooKeeperCaseStore(ports.CaseStore):
    """:class:`ports.CaseStore` on one session, which it does not own.

    :param history: how many closed cases are kept.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        *,
        history: int = HISTORY,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._history = history
        self._decoder = reading.Decoder()
        self._leader: tuple[Epoch, str] | None = None

    # -- reading -------------------------------------------------------------

    def load(self) -> ports.StoredCases:
        self._tree.sync(self._paths.cases)
        found, lost = self._all(
            model.RecoveryCase, self._paths.cases, _host_of_case
        )
        return ports.StoredCases(
            cases=[
                ports.StoredCase(case, node.version) for case, node in found
            ],
            unreadable=_by_host(lost),
        )

    def published(self) -> Collection[model.PublishedVerdict]:
        self._tree.sync(self._paths.verdicts)
        found, _ = self._all(
            model.PublishedVerdict, self._paths.verdicts, _host_of_verdict
        )
        return [verdict for verdict, _ in found]

    def _all(
        self, cls: type[T], parent: str, name: Callable[[T], str]
    ) -> tuple[list[tuple[T, znodes.Node]], list[str]]:
        """What is below ``parent``, and the paths that cannot be read."""
        paths = [f"{parent}/{one}" for one in self._tree.children(parent)]
        found, lost = [], []
        for path, node in self._tree.get_many(paths).items():
            value = self._decoder.decode(cls, node)
            if node is None:
                continue
            if value is None:
                lost.append(path)
                continue
            if paths_module.escape(name(value)) != paths_module.name_of(path):
                LOG.error("Ignoring %s: it belongs elsewhere", path)
                lost.append(path)
                continue
            found.append((value, node))
        self._decoder.keep_below(parent, set(paths))
        return found, lost

    # -- the leader's right --------------------------------------------------

    def _leading(self, epoch: Epoch) -> znodes.Check:
        """The condition of every change.

        :raises NotLeading: that leader's node is gone, or was never first.
        """
        if self._leader is None or self._leader[0] != epoch:
            self._tree.sync(self._paths.leader)
            nodes = contenders.nodes(self._tree, self._paths)
            if not nodes or nodes[0].created != epoch:
                raise _not_leading(epoch)
            self._leader = (epoch, nodes[0].path)
            return znodes.Check(nodes[0].path)
        return znodes.Check(self._leader[1])

    def _commit(
        self, epoch: Epoch, *changes: znodes.Operation
    ) -> Sequence[int]:
        """Returns the versions of the changes' nodes."""
        condition = self._leading(epoch)
        try:
            return self._tree.commit([condition, *changes])[1:]
        except znodes.NodeMissing as error:
            if error.path == condition.path:
                raise _not_leading(epoch) from None
            raise

    # -- cases ---------------------------------------------------------------

    def save(self, case: model.RecoveryCase, version: int | None) -> int:
        path = self._paths.case(case.host)
        data = slimming.encode(case, path)
        if version is None:
            change: znodes.Operation = znodes.Create(path, data)
        else:
            change = znodes.Set(path, data, version)
        try:
            (written,) = self._commit(case.epoch, change)
        except (znodes.NodeExists, znodes.NodeMissing):
            raise exception.StaleVersion(path, version) from None
        return written

    def close(self, case: model.RecoveryCase, version: int) -> None:
        path, closed = self._paths.case(case.host), self._paths.closed(case.id)
        data = slimming.encode(case, closed, HISTORY_BYTES)
        try:
            self._move(case.epoch, znodes.Delete(path, version), closed, data)
        except znodes.NodeMissing:
            # Closed before, and the answer was lost?
            if self._tree.get(closed) is None:
                raise exception.StaleVersion(path, version) from None
        self._trim(case.epoch)

    def _move(
        self, epoch: Epoch, remove: znodes.Delete, closed: str, data: bytes
    ) -> None:
        try:
            self._commit(epoch, remove, znodes.Create(closed, data))
        except znodes.NodeExists:
            # Open and closed at once, by a restored backup perhaps. It is
            # the same case; its later end counts.
            self._commit(epoch, remove, znodes.Set(closed, data))

    def _trim(self, epoch: Epoch) -> None:
        """Keep the history bounded; what fails here is done the next time."""
        try:
            names = self._tree.children(self._paths.history)
            if len(names) <= self._history:
                return
            paths = [f"{self._paths.history}/{name}" for name in names]
            nodes = [
                node
                for node in self._tree.get_many(paths).values()
                if node is not None
            ]
            nodes.sort(key=lambda node: node.created)
            old = nodes[: -self._history or None][:TRIM_BATCH]
            self._commit(epoch, *(znodes.Delete(node.path) for node in old))
        except (exception.CoordinationError, exception.NotLeading) as error:
            LOG.warning("Cannot trim the history: %s", error)

    # -- verdicts ------------------------------------------------------------

    def publish(
        self,
        epoch: Epoch,
        host: HostName,
        verdict: model.PublishedVerdict | None,
    ) -> None:
        path = self._paths.verdict(host)
        data = None if verdict is None else codec.encode(verdict, path)
        self._again(path, lambda: self._put(epoch, path, data))

    def _put(self, epoch: Epoch, path: str, data: bytes | None) -> None:
        there = self._tree.get(path)
        if data is None:
            if there is not None:
                self._commit(epoch, znodes.Delete(path))
        elif there is None:
            self._commit(epoch, znodes.Create(path, data))
        elif there.data != data:
            self._commit(epoch, znodes.Set(path, data))

    def _again(self, path: str, change: Callable[[], None]) -> None:
        """Repeat a change that another one came before."""
        for _ in range(ATTEMPTS):
            try:
                return change()
            except (
                znodes.NodeExists,
                znodes.NodeMissing,
                exception.StaleVersion,
            ):
                continue
        raise exception.StaleVersion(path, None)

    # -- hosts and confirmations ---------------------------------------------

    def enrol(self, epoch: Epoch, record: model.HostRecord) -> None:
        """Domains, maintenance and protection that are recorded stay.

        :raises PayloadError: there is a record that cannot be read; it is
            left alone.
        """
        path = self._paths.host(record.host)
        self._again(path, lambda: self._enrol(epoch, path, record))

    def _enrol(
        self, epoch: Epoch, path: str, record: model.HostRecord
    ) -> None:
        node = self._tree.get(path)
        if node is None or node.data is None:
            change: znodes.Operation
            change = znodes.Create(path, codec.encode(record, path))
        else:
            old = codec.decode(model.HostRecord, node.data, path)
            merged = merge(old, record)
            if merged == old:
                return
            change = znodes.Set(path, codec.encode(merged, path), node.version)
        self._commit(epoch, change)

    def count_death(
        self, epoch: Epoch, host: HostName, at: datetime.datetime
    ) -> None:
        self._amend(
            epoch,
            host,
            lambda old: dataclasses.replace(
                old, incidents=quarantine_mod.with_incident(old, at)
            ),
        )

    def quarantine(
        self, epoch: Epoch, host: HostName, quarantine: Quarantine | None
    ) -> None:
        if quarantine is None:
            self._amend(epoch, host, quarantine_mod.released)
            return
        self._amend(
            epoch,
            host,
            lambda old: dataclasses.replace(
                old, quarantine=old.quarantine or quarantine
            ),
        )

    def bar(
        self, epoch: Epoch, host: HostName, barred: Mapping[str, model.Bar]
    ) -> None:
        self._amend(
            epoch,
            host,
            lambda old: dataclasses.replace(
                old, barred={**barred, **old.barred}
            ),
        )

    def keep_fencing(
        self, epoch: Epoch, host: HostName, health: model.FencingHealth
    ) -> None:
        self._amend(
            epoch,
            host,
            lambda old: dataclasses.replace(old, fencing=health),
        )

    def _amend(
        self,
        epoch: Epoch,
        host: HostName,
        change: Callable[[model.HostRecord], model.HostRecord],
    ) -> None:
        """Change a host's record; one that is gone is not made again.

        :raises PayloadError: it cannot be read, and is left alone.
        """
        path = self._paths.host(host)

        def once() -> None:
            node = self._tree.get(path)
            if node is None or node.data is None:
                return
            old = codec.decode(model.HostRecord, node.data, path)
            new = change(old)
            if new != old:
                data = codec.encode(new, path)
                self._commit(epoch, znodes.Set(path, data, node.version))

        self._again(path, once)

    def show_refused(self, epoch: Epoch, problem: str) -> None:
        """:raises PayloadError: the leader's own node cannot be read."""
        path = self._leading(epoch).path

        def once() -> None:
            node = self._tree.get(path)
            if node is None or node.data is None:
                raise _not_leading(epoch)
            old = codec.decode(model.Contender, node.data, path, epoch=epoch)
            if old.refused != problem:
                new = dataclasses.replace(old, refused=problem)
                data = codec.encode(new, path)
                self._commit(epoch, znodes.Set(path, data, node.version))

        self._again(path, once)

    def consume(self, epoch: Epoch, case: model.CaseId) -> None:
        path = self._paths.confirmation(case)
        if self._tree.get(path) is None:
            return
        try:
            self._commit(epoch, znodes.Delete(path))
        except znodes.NodeMissing:
            return

    def drop_request(
        self, epoch: Epoch, request: model.EvacuationRequest
    ) -> None:
        path = self._paths.request(request.host)
        node = self._tree.get(path)
        kept = self._decoder.decode(model.EvacuationRequest, node)
        if node is None or kept != request:
            return
        with contextlib.suppress(znodes.NodeMissing, exception.StaleVersion):
            # A newer one stays.
            self._commit(epoch, znodes.Delete(path, node.version))

    def drop_beacon(self, epoch: Epoch, host: HostName, session: int) -> None:
        path = self._paths.beacon(host)
        node = self._tree.get(path)
        if node is None or node.owner != session:
            return
        with contextlib.suppress(znodes.NodeMissing, exception.StaleVersion):
            # One that was written meanwhile is its agent's.
            self._commit(epoch, znodes.Delete(path, node.version))


def _by_host(paths: Sequence[str]) -> dict[HostName, str]:
    """Why the case of each host cannot be read, by the case's path."""
    found = {}
    for path in paths:
        # A node that no host is called like stands in no host's way.
        with contextlib.suppress(exception.PayloadError):
            host = HostName(paths_module.unescape(paths_module.name_of(path)))
            found[host] = f"{path} cannot be read"
    return found


def merge(old: model.HostRecord, new: model.HostRecord) -> model.HostRecord:
    """What an agent says of its host, and what an operator has set."""
    return model.HostRecord(
        host=new.host,
        machine_id=new.machine_id,
        system_uuid=new.system_uuid,
        service_id=new.service_id,
        failure_domain=old.failure_domain or new.failure_domain,
        storage_domain=old.storage_domain or new.storage_domain,
        proven_storage=old.proven_storage
        if new.proven_storage is None
        else new.proven_storage,
        protected=old.protected or new.protected,
        maintenance=old.maintenance,
        reserved=old.reserved,
        incidents=old.incidents,
        quarantine=old.quarantine,
        acceptance=old.acceptance,
        barred=old.barred,
        fencing=old.fencing,
        enrolled_at=_earlier(old.enrolled_at, new.enrolled_at),
    )


def _earlier(
    one: datetime.datetime | None, other: datetime.datetime | None
) -> datetime.datetime | None:
    return min(
        (time for time in (one, other) if time is not None), default=None
    )


def _host_of_case(case: model.RecoveryCase) -> str:
    return case.host


def _host_of_verdict(verdict: model.PublishedVerdict) -> str:
    return verdict.host


def _not_leading(epoch: Epoch) -> exception.NotLeading:
    return exception.NotLeading(
        f"the leader's node of epoch {epoch} is gone from ZooKeeper"
    )
