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

"""Who looks after the fleet beside its cases: enrolment, quarantine, whether
devices could fence, and whether beacons are still their hosts' own."""

from collections.abc import Callable, Collection

from nova_ha import ports
from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.engine import challenger
from nova_ha.engine import device_checks
from nova_ha.engine import enroller
from nova_ha.engine import jobs
from nova_ha.engine import quarantines
from nova_ha.engine import telling


class Caretakers:
    """All of them as one; what they remember is of one term."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        submit: Callable[[jobs.Job], None],
        teller: telling.Teller,
        notifier: ports.Notifier,
    ) -> None:
        self._enroller = enroller.Enroller(submit, teller)
        self._challenger = challenger.Challenger(policy, submit, teller)
        self._quarantines = quarantines.Quarantines(policy, submit, notifier)
        self._device_checks = device_checks.DeviceChecks(
            policy, submit, teller
        )

    @property
    def restless(self) -> Collection[model.HostName]:
        """Hosts to look at even if there is no news of them."""
        return self._quarantines.restless

    def start(self, now: float) -> None:
        """Another term."""
        self._enroller.forget()
        self._challenger.forget()
        self._quarantines.forget()
        self._device_checks.start(now)

    def drop(self, host: model.HostName) -> None:
        """The host is gone."""
        self._quarantines.drop(host)
        self._enroller.drop(host)

    def take(
        self, event: events.Event, fleet: fleet_mod.Fleet, now: model.Now
    ) -> set[model.HostName]:
        """Take in what has become of a job of theirs.

        :returns: the hosts that it concerns.
        """
        match event:
            case events.QuarantineKept(host=host):
                self._quarantines.take(event, now)
                return {host}
            case events.Enrolled():
                self._enroller.take(event)
            case events.Challenged():
                self._challenger.take(event)
            case events.DevicesChecked(host=host):
                self._device_checks.take(event, fleet.view(host), now)
            case events.FencingKept():
                self._device_checks.take_kept(event, now.mono)
            case events.TopologyChecked():
                self._device_checks.take_topology(event, now.mono)
        return set()

    def look_at(
        self,
        view: liveness.HostView,
        case: model.RecoveryCase | None,
        fleet: fleet_mod.Fleet,
        now: model.Now,
    ) -> None:
        """Look at a host of which there is news."""
        self._enroller.look(view, fleet, now.mono)
        if fleet.connected:
            self._quarantines.look(view, case, now)

    def look_around(
        self,
        views: Collection[liveness.HostView],
        busy: Collection[model.HostName],
        now: float,
        *,
        acting: bool,
    ) -> None:
        """Look at the whole fleet.

        :param busy: hosts whose devices are asked by their case.
        :param acting: neither disarmed nor paused.
        """
        self._device_checks.look(views, busy, now)
        if acting:
            self._challenger.look(views, now)
