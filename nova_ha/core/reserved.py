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

"""Reserved hosts: kept free of new instances, to take evacuated ones.

Who keeps new instances away is nova-scheduler's ReservedHostFilter. Here it is
decided when the reserve is touched: once no ordinary host has room, or those
that have room refuse. An ordinary host that is merely busy is waited for: it
is free again in seconds, and the reserve may be needed for the next failure.
"""

from collections.abc import Collection, Iterable, Sequence

from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core.model import HostName
from nova_ha.core.model import Severity
from nova_ha.core.model import record
from nova_ha.core.work import Work


def hosts(fleet: Iterable[liveness.HostView]) -> frozenset[HostName]:
    """The hosts that operators have reserved."""
    return frozenset(
        view.host
        for view in fleet
        if view.facts.record is not None and view.facts.record.reserved
    )


@record
class Preference:
    """Which of the hosts that have room come into question."""

    reserve: frozenset[HostName] = frozenset()
    named: HostName | None = None
    """By an operator, reserved or not; left when it refuses or is full."""
    near: frozenset[HostName] = frozenset()
    """In the availability zone of the dead host. Nova does not tell which
    instances are bound to it, and its scheduler refuses those elsewhere."""

    def among(
        self, fitting: Sequence[HostName], avoid: Collection[HostName]
    ) -> Sequence[HostName]:
        """
        :param fitting: the hosts that have room.
        :param avoid: hosts that have failed or refused before.
        """
        if self.named in fitting and self.named not in avoid:
            return [host for host in fitting if host == self.named]
        near = [host for host in fitting if host in self.near]
        for some in (near, fitting):
            ordinary = [host for host in some if host not in self.reserve]
            for part in (ordinary, some):
                if any(host not in avoid for host in part):
                    return part
        return fitting


def preference(work: Work) -> Preference:
    """What holds for a case."""
    request = work.case.request
    return Preference(
        reserve=hosts(work.world.fleet),
        named=None if request is None else request.target,
        near=_neighbours(work),
    )


def _neighbours(work: Work) -> frozenset[HostName]:
    services = work.world.fleet.services
    own = services.get(work.case.host)
    return frozenset(
        host
        for host, service in services.items()
        if own is not None and service.zone == own.zone
    )


def tell(work: Work, sent: Iterable[model.Move], full: Iterable[str]) -> None:
    """Tell that a wave has touched the reserve.

    :param sent: the moves for which a request leaves.
    :param full: the hosts among their targets that have no room left for
        another instance like the last one they were given.
    """
    reserve = hosts(work.world.fleet)
    before = {move.target for move in work.case.moves}
    taken = {move.target for move in sent if move.target in reserve}
    for host in sorted(filter(None, taken - before)):
        work.tell(
            "case.reserve_used",
            f"{host} is reserved, and takes instances of {work.case.host}",
            Severity.WARNING,
            reserved=host,
        )
    for host in sorted(taken.intersection(full)):
        work.tell(
            "case.reserve_used_up",
            f"{host} is reserved, and has no room left for another such "
            "instance: reserve another host (nova-ha host reserve)",
            Severity.ALARM,
            reserved=host,
        )
