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

"""Would fencing work? Asks each device of each host, and changes nothing."""

import threading
from collections.abc import Callable, Mapping
from concurrent import futures

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.core.model import HostName
from nova_ha.core.model import record
from nova_ha.fencing import base as drivers
from nova_ha.fencing import configuration
from nova_ha.fencing import device as device_module
from nova_ha.fencing import identity
from nova_ha.fencing import loader
from nova_ha.fencing import topology

PARALLEL = 32
"""Hosts asked at the same time: a few hundred with some hung devices take
seconds, not minutes."""


@record
class Finding:
    """What one device of a host answered, or why there is none to ask."""

    host: HostName
    level: int = 0
    device: str = ""
    driver: str = ""
    power: model.PowerState = model.PowerState.UNKNOWN
    ok: bool = False
    detail: str = ""


def validate(conf: cfg.ConfigOpts) -> configuration.Configuration:
    """Read the topology file.

    :raises ConfigError: naming file, line, key and remedy.
    """
    return configuration.load(conf.fencing.topology_file, loader.find_driver)


def run(
    conf: cfg.ConfigOpts,
    clock: nova_clock.Clock,
    records: Mapping[HostName, model.HostRecord | None],
    tell: Callable[[int], None],
) -> list[Finding]:
    """Ask the devices of hosts, sorted by host and level.

    :param records: what the hosts have said of their machines.
    :param tell: called with the number of hosts that are done.
    :raises ConfigError: the topology file cannot be used.
    """
    checker = _Checker(validate(conf), clock, conf.fencing.call_timeout)
    found: list[Finding] = []
    with futures.ThreadPoolExecutor(PARALLEL) as pool:
        waiting = {
            pool.submit(checker.host, host, kept)
            for host, kept in records.items()
        }
        for done, answer in enumerate(futures.as_completed(waiting), 1):
            found += answer.result()
            tell(done)
    return sorted(found, key=lambda one: (one.host, one.level, one.device))


class _Checker:
    """Asks; a device that several hosts share is made once, so that one
    that rejects its credentials is not asked again and again."""

    def __init__(
        self,
        config: configuration.Configuration,
        clock: nova_clock.Clock,
        call_timeout: float,
    ) -> None:
        self._config = config
        self._clock = clock
        self._call_timeout = call_timeout
        self._lock = threading.Lock()
        self._shared: dict[str, device_module.Device] = {}

    def host(
        self, host: HostName, kept: model.HostRecord | None
    ) -> list[Finding]:
        """The findings of one host."""
        try:
            rule = self._config.rule_for(host)
        except exception.ConfigError as error:
            return [Finding(host=host, detail=str(error))]
        if rule is None or not rule.levels:
            return [
                Finding(
                    host=host,
                    detail="no fence device is configured for it in "
                    f"{self._config.path}",
                )
            ]
        return [
            self._device(host, kept, level, name)
            for level, names in enumerate(rule.levels, 1)
            for name in names
        ]

    def _device(
        self,
        host: HostName,
        kept: model.HostRecord | None,
        level: int,
        name: str,
    ) -> Finding:
        driver = self._config.devices[name].driver
        try:
            device = self._made(name, host)
            power = device.power_state()
            problem, detail = _chassis(device, kept)
        except exception.NovaHaError as error:
            power, problem, detail = model.PowerState.UNKNOWN, str(error), ""
        if not problem and power is model.PowerState.UNKNOWN:
            problem = "it does not say whether the host is on or off"
        return Finding(
            host=host,
            level=level,
            device=name,
            driver=driver.__module__.rpartition(".")[2],
            power=power,
            ok=not problem,
            detail=problem or detail,
        )

    def _made(self, name: str, host: HostName) -> device_module.Device:
        config = self._config.devices[name]
        if config.per_host:
            return self._make(config, host)
        with self._lock:
            if name not in self._shared:
                self._shared[name] = self._make(config, host)
            return self._shared[name]

    def _make(
        self, config: configuration.DeviceConfig, host: HostName
    ) -> device_module.Device:
        return topology.make_device(
            config, host, self._clock, self._call_timeout
        )


def _chassis(
    device: device_module.Device, kept: model.HostRecord | None
) -> tuple[str, str]:
    """Whether it is the host's own device: what is wrong, or else what can
    be said about it."""
    if kept is None or not device.can(drivers.Capability.SYSTEM_UUID):
        return "", ""
    told = device.system_uuid()
    if not told:
        return "", ""
    same = identity.same_system(kept.system_uuid, told)
    if same is None:
        return "", "system UUID cannot be compared"
    if same:
        return "", "system UUID matches"
    return (
        f"it controls the machine {told}, but the host's agent says "
        f"{kept.system_uuid}: another machine would be switched off",
        "",
    )
