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
from collections.abc import Iterable, Sequence

from oslo_log import log as logging

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import configuration
from nova_ha.fencing import device as device_module
from nova_ha.fencing import levels as levels_module
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
        evidence_only=parameters.flag("evidence_only"),
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


class Topology(levels_module.LevelFencing):
    """Fencing by the levels of ``fencing.yaml``."""

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
        super().__init__(clock, poll_interval)
        self._path = path
        self._call_timeout = call_timeout
        self._find_driver = find_driver
        self._lock = threading.Lock()  # held while files are read only
        self._problem = ""
        self._version = 1
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

    def topology(self) -> model.TopologyState:
        """See :meth:`ports.Fencing.topology`."""
        self._current()
        return model.TopologyState(
            version=self._version, problem=self._problem
        )

    def levels(self, host: model.HostName) -> Sequence[procedure.Level]:
        """The levels of a host by the version in force, none where no rule
        matches.

        :raises ConfigError: two rules match equally well.
        """
        return self._current().levels(host)

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
        self._version += 1
        self._problem = ""
        sources = loaded.config.sources
        # Where the set of files has changed, look once more next time.
        self._seen = now if len(now) == len(sources) else ()
        self.forget_proven()
        LOG.info("Fencing topology %s read again", self._path)


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
