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


"""The fence devices of all hosts: what the engine sees of this package.

Reads ``fencing.yaml`` again when it, or a password file that it names, has
changed. A new version with an error is reported, and the old one stays in
force.
"""

import os
import threading
from collections.abc import Collection, Iterable, Sequence

from oslo_log import log as logging

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import configuration
from nova_ha.fencing import device as device_module
from nova_ha.fencing import loader
from nova_ha.fencing import procedure

LOG = logging.getLogger(__name__)

Fingerprint = tuple[tuple[int, int, int, int] | None, ...]


def make_device(
    config: configuration.DeviceConfig,
    host: str,
    clock: clock_module.Clock,
    call_timeout: float,
) -> device_module.Device:
    """A device as configured, for one host.

    :param call_timeout: seconds, where the device has none of its own.
    """
    defaults = {
        "call_timeout": call_timeout,
        "fence_timeout": config.driver.FENCE_TIMEOUT,
    }
    parameters = config.parameters.for_host(host)
    for name, default in defaults.items():
        if parameters[name] is None:
            parameters = parameters.but(**{name: default})
    driver = config.driver(
        config.name, parameters, clock, parameters.number("call_timeout")
    )
    return device_module.Device(
        driver,
        parameters.number("fence_timeout"),
        clock,
        remedy=f"; see {config.place.file}:{config.place.line}",
    )


class _Loaded:
    """One version of the file, with the devices that it names.

    A new version makes new devices: those that were given up for their
    credentials are asked again.
    """

    def __init__(
        self,
        config: configuration.Configuration,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        self.config = config
        self._clock = clock
        self._call_timeout = call_timeout
        self._lock = threading.Lock()  # held for the dictionary only
        self._devices: dict[tuple[str, str], device_module.Device] = {}

    def levels(self, host: model.HostName) -> Sequence[procedure.Level]:
        """The levels of a host, none where no rule matches.

        :raises ConfigError: two rules match equally well.
        """
        rule = self.config.rule_for(host)
        if rule is None:
            return ()
        return [
            [self._device(name, host) for name in level]
            for level in rule.levels
        ]

    def _device(self, name: str, host: str) -> device_module.Device:
        config = self.config.devices[name]
        key = (name, host if config.per_host else "")
        with self._lock:
            if key not in self._devices:
                self._devices[key] = make_device(
                    config, host, self._clock, self._call_timeout
                )
            return self._devices[key]


class Topology(ports.Fencing):
    """Fencing by the levels of ``fencing.yaml``. Safe for any thread; no
    lock is held while a device is asked."""

    def __init__(
        self,
        path: str,
        clock: clock_module.Clock,
        poll_interval: float = 1.0,
        call_timeout: float = 10.0,
        find_driver: loader.DriverFinder = loader.find_driver,
    ) -> None:
        """
        :param path: the topology file.
        :param poll_interval: seconds between two questions while waiting
            for off.
        :param call_timeout: seconds that one call to a device may take,
            where the device has no such parameter of its own.
        :raises ConfigError: the file is missing or has an error.
        """
        self._path = path
        self._clock = clock
        self._poll_interval = poll_interval
        self._call_timeout = call_timeout
        self._find_driver = find_driver
        self._lock = threading.Lock()  # held while files are read only
        self._proven: dict[model.HostName, int] = {}
        self._problem = ""
        # Taken before reading: a change meanwhile must not go unnoticed.
        before = _fingerprint((path,))
        self._loaded = self._load()
        sources = self._loaded.config.sources
        self._seen = before + _fingerprint(sources[1:])

    @property
    def problem(self) -> str:
        """Why the file as it is now is not in force; empty where it is."""
        self._current()
        return self._problem

    def power_state(self, host: model.HostName) -> model.PowerReading:
        """See :meth:`ports.Fencing.power_state`.

        The first level that gives a clear answer decides. It is the level
        that has last confirmed a fence of the host, if one has: where the
        BMC is broken and the power strip was used, the strip is asked.
        """
        try:
            levels = self._current().levels(host)
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
        self, host: model.HostName, guard: ports.Guard
    ) -> model.FenceOutcome:
        """See :meth:`ports.Fencing.fence`. Any error of nova_ha that the
        guard raises is the outcome's ``aborted``."""
        try:
            levels = self._current().levels(host)
        except exception.ConfigError as error:
            return model.FenceOutcome(host=host, error=str(error))
        fence_round = procedure.Round(
            host, guard, self._clock, self._poll_interval
        )
        outcome = fence_round.run(levels)
        if fence_round.confirmed_level is not None:
            self._proven[host] = fence_round.confirmed_level
        return outcome

    def power_on(self, host: model.HostName) -> None:
        """Command power-on to every device of the host that reads off.

        The last level first: a power strip feeds the BMC.

        :raises DeviceError: no device accepted it.
        """
        self._proven.pop(host, None)
        done = False
        failure: exception.DeviceError = exception.DeviceRefused(
            f"of {host}", "there is none that can switch power on"
        )
        for level in reversed(self._levels_or_none(host)):
            for each in level:
                try:
                    done = _switch_on(each) or done
                except exception.DeviceError as error:
                    failure = error
        if not done:
            raise failure

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
            return self._current().levels(host)
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
            seen_at=self._clock.utcnow(),
            error=error,
        )

    def _load(self) -> _Loaded:
        config = configuration.load(self._path, self._find_driver)
        return _Loaded(config, self._clock, self._call_timeout)

    def _current(self) -> _Loaded:
        """The version in force, after a look whether the file changed."""
        with self._lock:
            now = _fingerprint(self._loaded.config.sources)
            if now != self._seen:
                self._reload(now)
            return self._loaded

    def _reload(self, now: Fingerprint) -> None:
        try:
            loaded = self._load()
        except exception.ConfigError as error:
            self._problem = str(error)
            self._seen = now
            LOG.error(
                "Changed fencing topology refused, the one before stays in "
                "force: %s",
                error,
            )
            return
        self._loaded = loaded
        self._problem = ""
        sources = loaded.config.sources
        # Where the set of files has changed, look once more next time.
        self._seen = now if len(now) == len(sources) else ()
        self._proven.clear()
        LOG.info("Fencing topology %s read again", self._path)


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


def _fingerprint(paths: Iterable[str]) -> Fingerprint:
    return tuple(_stat(path) for path in paths)


def _stat(path: str) -> tuple[int, int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_mode,
    )
