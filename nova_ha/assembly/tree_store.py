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

"""The operator's side of the tree: what is there, and what may be said."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.coordination import acl
from nova_ha.coordination import audit
from nova_ha.coordination import contenders
from nova_ha.coordination import opening
from nova_ha.coordination import operator_words
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import store as store_module
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core import quarantine
from nova_ha.core.model import HostName

T = TypeVar("T")

_ATTEMPTS = 5
"""Of a change that somebody else's change came before."""


def open_store(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock, *, checked: bool = True
) -> operator.Store:
    """Connect as the operator. The caller closes the store.

    :param checked: refuse a tree that is open to others. The switches that
        stop everything work on any.
    :raises ConfigError: a setting cannot be used, or the tree cannot.
    :raises CoordinationUnavailable: no ensemble within the time given.
    """
    return connect(operator.settings(conf), clock, checked=checked)


def connect(
    settings: settings_module.Settings,
    clock: nova_clock.Clock,
    *,
    checked: bool = True,
) -> operator.Store:
    """:func:`open_store` with settings at hand."""
    paths = paths_module.Paths(settings.namespace)
    session = opening.new_session(settings, clock)
    try:
        session.start()
        if checked:
            tree_module.check_tree(session, paths)
    except exception.NovaHaError:
        session.close()
        raise
    return TreeStore(session, paths, clock)


class TreeStore(operator.Store):
    """:class:`operator.Store` on one session, which it owns."""

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        clock: nova_clock.Clock,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._clock = clock
        self._decoder = reading.Decoder()
        self._reader = reading.HostReader(tree, paths)
        self._cases = store_module.ZooKeeperCaseStore(tree, paths)

    def picture(self) -> operator.Picture:
        self._tree.sync(self._paths.root)
        # Cases first: what they are about may only be newer than they are.
        cases = [stored.case for stored in self._cases.load().cases]
        verdicts = self._cases.published()
        return operator.Picture(
            at=self._clock.utcnow(),
            control=self._control(),
            contenders=contenders.read(self._tree, self._paths, self._decoder),
            hosts=self._reader.read(self._reader.names()),
            verdicts={verdict.host: verdict for verdict in verdicts},
            cases={case.host: case for case in cases},
        )

    def _control(self) -> model.Control:
        return operator_words.control(self._tree, self._paths, self._decoder)

    def history(self) -> Sequence[model.RecoveryCase]:
        names = self._tree.children(self._paths.history)
        found = self._tree.get_many(
            [f"{self._paths.history}/{name}" for name in names]
        )
        cases = (
            self._decoder.decode(model.RecoveryCase, node)
            for node in found.values()
        )
        return [case for case in cases if case is not None]

    def switch(
        self,
        *,
        by: str,
        reason: str,
        armed: bool | None = None,
        paused: bool | None = None,
    ) -> model.Control:
        path = self._paths.control

        def change() -> model.Control:
            node = self._existing(path)
            now = self._control()
            control = model.Control(
                armed=now.armed if armed is None else armed,
                paused=now.paused if paused is None else paused,
                reason=reason,
                by=by,
                at=self._clock.utcnow(),
            )
            self._tree.set(path, codec.encode(control, path), node.version)
            return control

        return self._again(path, change)

    def _existing(self, path: str) -> znodes.Node:
        node = self._tree.get(path)
        if node is None or node.data is None:
            raise exception.ConfigError(path, "is missing", acl.REMEDY)
        return node

    def _again(self, path: str, change: Callable[[], T]) -> T:
        """Repeat a change that another one came before."""
        for _ in range(_ATTEMPTS):
            try:
                return change()
            except exception.StaleVersion:
                continue
        raise exception.StaleVersion(path, None)

    def confirm(
        self, case: model.RecoveryCase, *, by: str, comment: str
    ) -> None:
        path = self._paths.confirmation(case.id)
        word = model.Confirmation(
            case=case.id,
            host=case.host,
            boot_id=case.boot_id,
            by=by,
            at=self._clock.utcnow(),
            comment=comment,
        )
        changes: list[znodes.Operation] = [
            znodes.Check(self._paths.case(case.host)),
            znodes.Create(path, codec.encode(word, path)),
        ]
        if self._tree.get(path) is not None:
            # Of another boot, perhaps: the new one replaces it.
            changes.insert(1, znodes.Delete(path))
        try:
            self._still_open(case)
            self._tree.commit(changes)
        except (znodes.NodeMissing, znodes.NodeExists):
            raise exception.CoordinationError(
                f"case {case.id} has changed meanwhile: look again (nova-ha "
                "status)"
            ) from None

    def _still_open(self, case: model.RecoveryCase) -> None:
        path = self._paths.case(case.host)
        stored = self._decoder.decode(model.RecoveryCase, self._tree.get(path))
        if stored is None or stored.id != case.id:
            raise znodes.NodeMissing(path)

    def request(
        self, request: model.EvacuationRequest
    ) -> model.EvacuationRequest:
        path = self._paths.request(request.host)
        data = codec.encode(request, path)
        changes: list[znodes.Operation] = [znodes.Create(path, data)]
        if self._tree.get(path) is not None:
            changes.insert(0, znodes.Delete(path))
        try:
            self._tree.commit(changes)
        except znodes.NodeExists:
            raise exception.CoordinationError(
                f"somebody else asks for {request.host} at the same moment"
            ) from None
        except znodes.NodeMissing:
            raise exception.ConfigError(
                self._paths.requests, "has changed or is missing", acl.REMEDY
            ) from None
        return request

    def requests(self) -> Mapping[HostName, model.EvacuationRequest]:
        self._tree.sync(self._paths.root)
        return operator_words.requests(self._tree, self._paths, self._decoder)

    def maintenance(
        self, host: HostName, on: bool, *, by: str, reason: str
    ) -> model.HostRecord:
        why = f"{reason} (by {by})" if reason else f"by {by}"
        _, kept = self._amend(
            host,
            lambda old: dataclasses.replace(
                old, maintenance=why if on else ""
            ),
        )
        return kept

    def release(self, host: HostName, *, by: str) -> model.Quarantine | None:
        word = self._acceptance(host, by)
        before, _ = self._amend(
            host,
            lambda old: dataclasses.replace(
                quarantine.released(old), acceptance=word or old.acceptance
            ),
        )
        return before.quarantine

    def _acceptance(self, host: HostName, by: str) -> model.Acceptance | None:
        """None where the host has no failed evacuations to decide about."""
        node = self._tree.get(self._paths.case(host))
        case = self._decoder.decode(model.RecoveryCase, node)
        if case is None or not leftovers.undecided(case):
            return None
        return model.Acceptance(case=case.id, by=by, at=self._clock.utcnow())

    def reserve(self, host: HostName, on: bool) -> model.HostRecord:
        _, kept = self._amend(
            host, lambda old: dataclasses.replace(old, reserved=on)
        )
        return kept

    def domains(
        self,
        host: HostName,
        *,
        failure: str | None = None,
        storage: str | None = None,
    ) -> model.HostRecord:
        _, kept = self._amend(
            host,
            lambda old: dataclasses.replace(
                old,
                failure_domain=old.failure_domain
                if failure is None
                else failure,
                storage_domain=old.storage_domain
                if storage is None
                else storage,
            ),
        )
        return kept

    def facts(self, host: HostName) -> model.HostFacts:
        self._tree.sync(self._paths.host(host))
        return self._reader.read([host])[host]

    def clear(self, host: HostName, device: str) -> model.Bar | None:
        before, _ = self._amend(
            host,
            lambda old: dataclasses.replace(
                old,
                barred={
                    name: bar
                    for name, bar in old.barred.items()
                    if name != device
                },
            ),
        )
        return before.barred.get(device)

    @property
    def trail(self) -> audit.Trail:
        return audit.Trail(self._tree, self._paths)

    def _amend(
        self,
        host: HostName,
        change: Callable[[model.HostRecord], model.HostRecord],
    ) -> tuple[model.HostRecord, model.HostRecord]:
        """Change a host's record; returns the old one and the new one."""
        path = self._paths.host(host)

        def once() -> tuple[model.HostRecord, model.HostRecord]:
            node = self._tree.get(path)
            if node is None or node.data is None:
                raise exception.CoordinationError(
                    f"host {host} is not enrolled: an engine enrols it when "
                    "its agent and its nova-compute are there"
                )
            old = codec.decode(model.HostRecord, node.data, path)
            new = change(old)
            if new != old:
                self._tree.set(path, codec.encode(new, path), node.version)
            return old, new

        return self._again(path, once)

    def close(self) -> None:
        self._tree.close()
