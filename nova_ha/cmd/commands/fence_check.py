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

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha.core import model
from nova_ha.core.model import HostName
from nova_ha.core.model import record
from nova_ha.fencing import configuration
from nova_ha.fencing import loader
from nova_ha.fencing import topology as topology_module

PARALLEL = 32
"""Hosts asked at the same time: a few hundred with some hung devices take
seconds, not minutes."""


@record
class Finding:
    """What one device of a host answered, or why there is none to ask."""

    host: HostName
    report: model.DeviceReport

    @property
    def ok(self) -> bool:
        return self.report.ok


def validate(conf: cfg.ConfigOpts) -> configuration.Configuration:
    """Read the topology file.

    :raises ConfigError: naming file, line, key and remedy.
    """
    return configuration.load(conf.fencing.topology_file, loader.find_driver)


def topology(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock
) -> topology_module.Topology:
    """The devices of all hosts.

    :raises ConfigError: the topology file cannot be used.
    """
    return topology_module.Topology(
        conf.fencing.topology_file,
        clock,
        poll_interval=conf.fencing.poll_interval,
        call_timeout=conf.fencing.call_timeout,
        find_driver=loader.find_driver,
    )


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
    devices = topology(conf, clock)
    found: list[Finding] = []
    with futures.ThreadPoolExecutor(PARALLEL) as pool:
        waiting = {
            pool.submit(of_host, devices, host, kept)
            for host, kept in records.items()
        }
        for done, answer in enumerate(futures.as_completed(waiting), 1):
            found += answer.result()
            tell(done)
    return sorted(
        found, key=lambda one: (one.host, one.report.level, one.report.device)
    )


def of_host(
    devices: topology_module.Topology,
    host: HostName,
    kept: model.HostRecord | None,
) -> Sequence[Finding]:
    """The findings of one host; a barred device is none that could fence,
    whatever it answers."""
    reports = devices.examine(host, "" if kept is None else kept.system_uuid)
    barred = {} if kept is None else kept.barred
    return [
        Finding(host=host, report=_with_bar(one, barred.get(one.device)))
        for one in reports
    ]


def _with_bar(
    report: model.DeviceReport, bar: model.Bar | None
) -> model.DeviceReport:
    if bar is None:
        return report
    answer = report.problem or f"reads {report.power.value}"
    return dataclasses.replace(
        report, problem=f"barred: {bar.reason} (now: {answer})"
    )
