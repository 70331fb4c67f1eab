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


"""Fencing by levels: which devices of a host are asked, and in which order.

Where the levels come from is another matter: in production from
``fencing.yaml``, see :mod:`nova_ha.fencing.topology`.
"""

import abc
from collections.abc import Collection, Iterable, Sequence

from oslo_log import log as logging

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import device as device_module
from nova_ha.fencing import examination
from nova_ha.fencing import procedure

LOG = logging.getLogger(__name__)


class LevelFencing(ports.Fencing):
    """Fencing by the levels of each host. Safe for any thread; no lock is
    held while a device is asked."""

    def __init__(
        self, clock: clock_module.Clock, poll_interval: float
    ) -> None:
        """
        :param poll_interval: seconds between two questions while waiting
            for off.
        """
        self._clock = clock
        self._poll_interval = poll_interval
        self._proven: dict[model.HostName, int] = {}

    @abc.abstractmethod
    def levels(self, host: model.HostName) -> Sequence[procedure.Level]:
        """The levels of a host, none where it has no device.

        :raises ConfigError: it cannot be told which devices are its own.
        """

    def forget_proven(self) -> None:
        """The levels have changed: what one of them has confirmed says
        nothing about the one that is now in its place."""
        self._proven.clear()

    def power_state(
        self, host: model.HostName, barred: Collection[str] = ()
    ) -> model.PowerReading:
        """See :meth:`ports.Fencing.power_state`.

        The first level that gives a clear answer decides. It is the level
        that has last confirmed a fence of the host, if one has: where the
        BMC is broken and the power strip was used, the strip is asked.
        """
        try:
            levels = _without(self.levels(host), barred)
        except exception.ConfigError as error:
            return self._reading(host, (), str(error))
        if not levels:
            return self._reading(host, (), "no fence device is configured")
        problems = []
        for index in self._order(host, len(levels)):
            level = levels[index]
            answers = [procedure.ask(each, self._clock) for each in level]
            state = _combined(answers)
            if state is not model.PowerState.UNKNOWN:
                self._remember(host, index, state)
                return self._reading(host, level, "", state)
            problems += [
                f"{each.name}: {procedure.describe(answer)}"
                for each, answer in zip(level, answers, strict=True)
            ]
        asked = [each for level in levels for each in level]
        return self._reading(host, asked, "; ".join(problems))

    def fence(
        self,
        host: model.HostName,
        guard: ports.Guard,
        barred: Collection[str] = (),
        system_uuid: str = "",
    ) -> model.FenceOutcome:
        """See :meth:`ports.Fencing.fence`. Any error of nova_ha that the
        guard raises is the outcome's ``aborted``."""
        try:
            levels = _without(self.levels(host), barred)
        except exception.ConfigError as error:
            return model.FenceOutcome(host=host, error=str(error))
        fence_round = procedure.Round(
            host, guard, self._clock, self._poll_interval, system_uuid
        )
        outcome = fence_round.run(levels)
        if fence_round.confirmed_level is not None:
            self._proven[host] = fence_round.confirmed_level
        return outcome

    def power_on(
        self, host: model.HostName, barred: Collection[str] = ()
    ) -> None:
        """Command power-on to every device of the host that reads off.

        The last level first: a power strip feeds the BMC.

        :raises DeviceError: no device accepted it; says why of each.
        """
        self._proven.pop(host, None)
        levels = _without(self._levels_or_none(host), barred)
        done = False
        failures: list[exception.DeviceError] = []
        for each in (each for level in reversed(levels) for each in level):
            try:
                done = _switch_on(each) or done
            except exception.DeviceError as error:
                LOG.warning("Switching %s on: %s", host, error)
                failures.append(error)
        if not done:
            raise _all_of(failures, host)

    def examine(
        self, host: model.HostName, system_uuid: str
    ) -> Sequence[model.DeviceReport]:
        """See :meth:`ports.Fencing.examine`."""
        try:
            levels = self.levels(host)
        except exception.ConfigError as error:
            return [model.DeviceReport(problem=str(error))]
        if not levels:
            return [
                model.DeviceReport(
                    problem="no fence device is configured for it"
                )
            ]
        return [
            examination.examine(each, number, system_uuid)
            for number, level in enumerate(levels, 1)
            for each in level
        ]

    def topology(self) -> model.TopologyState:
        """See :meth:`ports.Fencing.topology`. The levels never change,
        unless a subclass reads them from somewhere."""
        return model.TopologyState(version=1)

    def has_device(self, host: model.HostName) -> bool:
        """See :meth:`ports.Fencing.has_device`."""
        return bool(self._levels_or_none(host))

    def hosts_without_device(
        self, hosts: Iterable[model.HostName]
    ) -> Collection[model.HostName]:
        """Those of ``hosts`` that could not be fenced at all."""
        return [host for host in hosts if not self.has_device(host)]

    def system_uuid(self, host: model.HostName) -> str | None:
        """UUID of the machine that the host's devices control.

        :returns: None where no device tells.
        :raises DeviceError: the device that could tell did not answer.
        """
        for level in self._levels_or_none(host):
            for each in level:
                if each.can(base.Capability.SYSTEM_UUID):
                    return each.system_uuid()
        return None

    def _levels_or_none(
        self, host: model.HostName
    ) -> Sequence[procedure.Level]:
        try:
            return self.levels(host)
        except exception.ConfigError as error:
            LOG.error("Host %s has no usable fence device: %s", host, error)
            return ()

    def _order(self, host: model.HostName, count: int) -> Sequence[int]:
        first = self._proven.get(host, 0)
        order = list(range(count))
        if first in order:
            order.remove(first)
            order.insert(0, first)
        return order

    def _remember(
        self, host: model.HostName, index: int, state: model.PowerState
    ) -> None:
        if state is model.PowerState.ON and self._proven.get(host) == index:
            self._proven.pop(host, None)

    def _reading(
        self,
        host: model.HostName,
        devices: procedure.Level,
        error: str,
        state: model.PowerState = model.PowerState.UNKNOWN,
    ) -> model.PowerReading:
        return model.PowerReading(
            host=host,
            state=state,
            device=procedure.names(devices),
            devices=tuple(each.name for each in devices),
            seen_at=self._clock.utcnow(),
            error=error,
        )


def _without(
    levels: Sequence[procedure.Level], barred: Collection[str]
) -> Sequence[procedure.Level]:
    """The levels, with the barred devices silenced."""
    return [
        [each.barred() if each.name in barred else each for each in level]
        for level in levels
    ]


def _combined(answers: Sequence[procedure.Answer]) -> model.PowerState:
    """State of a level: off only if every device says so."""
    if any(answer is model.PowerState.ON for answer in answers):
        return model.PowerState.ON
    if answers and all(answer is model.PowerState.OFF for answer in answers):
        return model.PowerState.OFF
    return model.PowerState.UNKNOWN


def _switch_on(each: device_module.Device) -> bool:
    """Whether the device is on, or has accepted to be."""
    if not each.can(base.Capability.POWER_ON):
        return False
    if each.power_state() is not model.PowerState.ON:
        each.power_on()
    return True


def _all_of(
    failures: Sequence[exception.DeviceError], host: model.HostName
) -> exception.DeviceError:
    """What went wrong with each device of a host, as one error."""
    if not failures:
        return exception.DeviceRefused(
            f"of {host}", "there is none that can switch power on"
        )
    if len(failures) == 1:
        return failures[0]
    by_name = {each.device: procedure.describe(each) for each in failures}
    return exception.DeviceError(
        ", ".join(by_name),
        "; ".join(f"{name}: {why}" for name, why in by_name.items()),
    )
