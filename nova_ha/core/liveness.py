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

"""What is known of each host, folded from events; no opinion yet.

Ages are measured on the engine's own monotonic clock and only between
things that it has *seen*: a source is judged by being seen to move between
two looks, never by comparing its clock with ours.
"""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.core import sources as sources_mod
from nova_ha.core.model import record


@record
class HostView:
    """All that is known of one host."""

    host: model.HostName
    facts: model.HostFacts
    boot_id: model.BootId = model.BootId("")
    """Of the latest beacon seen, gone or not."""
    beacon_since: float | None = None
    """Since when this boot's beacon is there without a break."""
    heard_at: float = 0.0
    """When its agent was last seen to have written anything, which nobody
    else can (:mod:`nova_ha.core.challenge`)."""
    healthy_since: float | None = None
    """Since when, besides, all local checks pass."""
    lost_at: float | None = None
    """When the beacon was found missing."""
    settling: bool = False
    """It was missing at a first look: the agent may be reconnecting."""
    doubted_at: float | None = None
    """When the last look before a power-off showed life that no other event
    had told of yet."""
    rebooted_at: float | None = None
    goodbye_since: float | None = None
    service: model.ServiceReport | None = None
    unlisted: bool = False
    """Nova was asked, and shows no nova-compute of this name: deleted, or
    its cell does not answer."""
    sources: Mapping[str, sources_mod.Source] = dataclasses.field(
        default_factory=dict
    )
    """By name; :data:`sources.NOVA` is one of them."""
    power: model.PowerReading | None = None
    power_began: float = 0.0

    @property
    def present(self) -> bool:
        return self.facts.beacon is not None

    @property
    def nova(self) -> sources_mod.Source | None:
        """Nova's report on the host's nova-compute."""
        return self.sources.get(sources_mod.NOVA)

    @property
    def moves(self) -> Mapping[str, int]:
        """How often each source has been seen to move."""
        return {name: source.moves for name, source in self.sources.items()}

    @property
    def inventory(self) -> model.GuestInventory | None:
        """The guests that run here now, if the live agent says so itself."""
        beacon, inventory = self.facts.beacon, self.facts.inventory
        if beacon is None or inventory is None:
            return None
        return inventory if inventory.boot_id == beacon.boot_id else None


def fold_facts(
    view: HostView | None,
    facts: model.HostFacts,
    now: float,
    *,
    first_look: bool,
) -> HostView:
    """Fold what ZooKeeper holds about a host."""
    if view is None:
        view = HostView(host=facts.host, facts=facts)
        first_look = True
    before = view.facts
    if first_look or _wrote(before, facts):
        view = dataclasses.replace(view, heard_at=now)
    view = dataclasses.replace(view, facts=facts)
    view = _fold_goodbye(view, before, now)
    if facts.beacon is not None:
        planned = _planned(view, before.goodbye or facts.goodbye)
        return _fold_beacon(
            view,
            _recognised(view, facts.beacon, before.beacon),
            now,
            first_look=first_look,
            planned=planned,
        )
    if view.lost_at is not None and not first_look:
        return view
    inventory = facts.inventory
    known = "" if inventory is None else inventory.boot_id
    return dataclasses.replace(
        view,
        # An engine that never saw the beacon still has to recognise the
        # boot that was lost; the inventory outlives it.
        boot_id=view.boot_id or model.BootId(known),
        beacon_since=None,
        healthy_since=None,
        lost_at=now,
        settling=first_look,
    )


def _wrote(before: model.HostFacts, facts: model.HostFacts) -> bool:
    """Whether the host's agent has written something since."""
    return before.beacon != facts.beacon or before.inventory != facts.inventory


def _fold_goodbye(
    view: HostView, before: model.HostFacts, now: float
) -> HostView:
    goodbye, since = view.facts.goodbye, view.goodbye_since
    if goodbye is None and since is None:
        return view
    if goodbye is None:
        return dataclasses.replace(view, goodbye_since=None)
    if since is not None and goodbye == before.goodbye:
        return view
    # Its age counts from when we first see it: a later engine lets it run
    # a little longer, which is safe, and no two clocks are compared.
    return dataclasses.replace(view, goodbye_since=now)


def _recognised(
    view: HostView, beacon: model.Beacon, before: model.Beacon | None
) -> model.Beacon:
    """Of an unreadable beacon only the session is known: where that is the
    one that was there before, so is the boot."""
    if beacon.boot_id or before is None or before.session != beacon.session:
        return beacon
    return dataclasses.replace(beacon, boot_id=view.boot_id)


def _fold_beacon(
    view: HostView,
    beacon: model.Beacon,
    now: float,
    *,
    first_look: bool,
    planned: bool,
) -> HostView:
    same_boot = beacon.boot_id == view.boot_id
    rebooted_at = view.rebooted_at
    if view.boot_id and not same_boot and not planned:
        rebooted_at = now
    since = view.beacon_since if same_boot and not first_look else None
    healthy = view.healthy_since if since is not None else None
    return dataclasses.replace(
        view,
        boot_id=beacon.boot_id,
        beacon_since=now if since is None else since,
        healthy_since=None
        if beacon.failed_checks
        else (now if healthy is None else healthy),
        lost_at=None,
        settling=False,
        doubted_at=None,
        rebooted_at=rebooted_at,
        power=None,
    )


def _planned(view: HostView, goodbye: model.Goodbye | None) -> bool:
    """The boot before ended in order. Its goodbye is withdrawn when the new
    beacon is shown."""
    return (
        goodbye is not None
        and goodbye.reason is model.GoodbyeReason.SHUTDOWN
        and goodbye.boot_id == view.boot_id
    )


def fold_service(
    view: HostView, report: model.ServiceReport, began: float, now: float
) -> HostView:
    """Fold what Nova says of the host's nova-compute."""
    before = view.service
    if before is not None and before.service_id != report.service_id:
        view = _without_source(view, sources_mod.NOVA)
    sign = sources_mod.Sign(value=report.reported_at)
    # One copy, not two: this is done for every host, every second.
    return dataclasses.replace(
        view,
        service=report,
        unlisted=False,
        sources=_look(view, sources_mod.NOVA, sign, began, now),
    )


def fold_sign(
    view: HostView,
    name: str,
    sign: sources_mod.Sign,
    began: float,
    now: float,
) -> HostView:
    """Fold one look at the source ``name``, which began at ``began``."""
    return dataclasses.replace(
        view, sources=_look(view, name, sign, began, now)
    )


def _look(
    view: HostView,
    name: str,
    sign: sources_mod.Sign,
    began: float,
    now: float,
) -> Mapping[str, sources_mod.Source]:
    source = view.sources.get(name)
    if source is None:
        source = sources_mod.Source(
            value=sign.value,
            moved_at=now,
            looked_at=began,
            promised=sign.gap,
        )
    else:
        since = view.beacon_since
        source = source.look(
            sign.value,
            began,
            now,
            steady=since is not None and since <= source.moved_at,
            promised=sign.gap,
        )
    return {**view.sources, name: source}


def _without_source(view: HostView, name: str) -> HostView:
    kept = {key: one for key, one in view.sources.items() if key != name}
    return dataclasses.replace(view, sources=kept)


def fold_power(
    view: HostView, reading: model.PowerReading, began: float
) -> HostView:
    """Fold a device's answer; stale where the beacon was lost since."""
    return dataclasses.replace(view, power=reading, power_began=began)
