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

"""Would everything that is configured work, and work together?

The checks that engines and agents make when they start, all of them, whatever
the first one finds. Nothing is changed.
"""

import functools
import os
from collections.abc import Callable, Iterator

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import agent as agent_assembly
from nova_ha.assembly import config_files
from nova_ha.assembly import engine as engine_assembly
from nova_ha.assembly import notify
from nova_ha.assembly import operator
from nova_ha.assembly import tree as tree_assembly
from nova_ha.assembly.config_files import Finding
from nova_ha.assembly.config_files import bad
from nova_ha.assembly.config_files import doubtful
from nova_ha.assembly.config_files import good
from nova_ha.compute import nova as nova_compute
from nova_ha.conf import opts
from nova_ha.coordination import credentials
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import tree as tree_module
from nova_ha.core import sources
from nova_ha.evidence import base as evidence_base
from nova_ha.evidence import loader as evidence_loader
from nova_ha.fencing import configuration
from nova_ha.fencing import loader as fencing_loader

RECOMMENDED_TICK = 0.5
"""Seconds; safety.md: detection takes up to T + tick + window."""

Step = Callable[[], Iterator[Finding]]


class Checkup:
    """All checks of one configuration.

    :param conf: files that were read; the options of all processes are
        registered on it here.
    """

    def __init__(self, conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> None:
        for module in opts.MODULES:
            module.register_opts(conf)
        notify.register_opts(conf)
        self._conf = conf
        self._clock = clock
        self._files = config_files.used(conf)

    def offline(self) -> Iterator[Finding]:
        """What this machine can tell alone."""
        yield from self._each(
            {
                "files": self._read,
                "values": lambda: config_files.values(self._conf),
                "names": self._names,
                "access": lambda: config_files.access(self._files),
                "timing": self._timing,
                "agent": self._agent,
                "notifications": self._notifications,
                "fencing": self._fencing,
                "credentials": self._credentials,
            }
        )
        if self._has_credentials():
            yield from self._each({"evidence": self._evidence})

    def online(self) -> Iterator[Finding]:
        """What ZooKeeper, Nova and Placement say."""
        yield from self._each(
            {
                "zookeeper": self._zookeeper,
                "tick": self._tick,
            }
        )
        if self._has_credentials():
            yield from self._each(
                {"nova": self._nova, "placement": self._placement}
            )

    def _each(self, steps: dict[str, Step]) -> Iterator[Finding]:
        for name, step in steps.items():
            try:
                yield from step()
            except cfg.ConfigFileValueError:
                yield bad(name, "not checked: an option has no usable value")
            except (exception.NovaHaError, cfg.Error, OSError) as error:
                yield bad(name, str(error))

    # -- this machine --------------------------------------------------------

    def _read(self) -> Iterator[Finding]:
        if self._files:
            yield good("files", ", then ".join(map(str, self._files)))
        else:
            yield doubtful("files", "there is none; all options have defaults")

    def _names(self) -> Iterator[Finding]:
        # Which options [nova] has depends on the kind of credentials.
        passed_over = () if self._has_credentials() else ("nova",)
        yield from config_files.names(self._conf, self._files, passed_over)

    def _has_credentials(self) -> bool:
        try:
            return bool(self._compute)
        except (exception.ConfigError, cfg.Error):
            return False

    def _credentials(self) -> Iterator[Finding]:
        kind = self._compute and self._conf.nova.auth_type
        yield good("credentials", f"of Nova: {kind}")

    def _timing(self) -> Iterator[Finding]:
        policy = engine_assembly.policy(self._conf)
        longest = policy.session_timeout + policy.tick + policy.window
        yield good(
            "timing", f"a dead host is detected within {longest:g} s at most"
        )
        if policy.tick > RECOMMENDED_TICK:
            yield doubtful(
                "timing",
                f"a tick of {policy.tick:g} s makes each detection later "
                f"than one of {RECOMMENDED_TICK:g} s: set tickTime of the "
                "ensemble, and [zookeeper] tick",
            )

    def _agent(self) -> Iterator[Finding]:
        policy = agent_assembly.policy(self._conf)
        agent_assembly.colocated(self._conf)
        own = self._conf.zookeeper.host_password_file
        if own:
            settings_module.read_password(
                own, "[zookeeper] host_password_file"
            )
        yield good(
            "agent",
            f"an orderly stop is not missed for {policy.goodbye_ttl:g} s",
        )

    def _evidence(self) -> Iterator[Finding]:
        options = self._conf.evidence
        evidence_loader.load(
            options.drivers,
            evidence_base.Surroundings(
                clock=self._clock,
                compute=self._compute,
                settings={
                    **options,
                    "service_poll_interval": (
                        self._conf.engine.service_poll_interval
                    ),
                },
            ),
        )
        yield good("evidence", ", ".join(options.drivers))
        if sources.STORAGE in options.drivers and not os.path.isdir(
            options.storage_path
        ):
            yield doubtful(
                "evidence",
                f"[evidence] storage_path: {options.storage_path} is not "
                "mounted on this machine; it must be where an engine runs",
            )

    def _notifications(self) -> Iterator[Finding]:
        try:
            oslo_messaging.get_notification_transport(self._conf)
        except oslo_messaging.DriverLoadFailure as error:
            yield bad("notifications", f"[DEFAULT] transport_url: {error}")
            return
        except oslo_messaging.InvalidTransportURL:
            # Which names it, with its password.
            yield bad("notifications", "[DEFAULT] transport_url is no URL")
            return
        options = self._conf.oslo_messaging_notifications
        drivers = ", ".join(one for one in options.driver if one)
        if not drivers:
            yield good("notifications", "none are sent")
        elif not self._brokers():
            yield doubtful(
                "notifications",
                "[DEFAULT] transport_url names no broker, so that one on this "
                "machine is looked for",
            )
        else:
            topics = ", ".join(self._conf.notifications.topics)
            yield good("notifications", f"{drivers}: {topics}")

    def _brokers(self) -> int:
        options = self._conf.oslo_messaging_notifications
        url = options.transport_url or self._conf.transport_url
        return len(oslo_messaging.TransportURL.parse(self._conf, url).hosts)

    def _fencing(self) -> Iterator[Finding]:
        found = configuration.load(
            self._conf.fencing.topology_file, fencing_loader.find_driver
        )
        detail = (
            f"{found.path}: {len(found.devices)} devices, {len(found.rules)} "
            "entries of hosts"
        )
        if found.rules:
            yield good("fencing", detail)
        else:
            yield doubtful("fencing", f"{detail}: no host can ever be fenced")

    # -- the others ----------------------------------------------------------

    @functools.cached_property
    def _settings(self) -> settings_module.Settings:
        return operator.settings(self._conf)

    def _zookeeper(self) -> Iterator[Finding]:
        own = self._settings
        session = opening.new_session(own, self._clock)
        try:
            session.start()
            paths = paths_module.Paths(own.namespace)
            tree_module.check_tree(session, paths)
            tree_module.check_agents(session, paths)
            hosts = credentials.of_hosts(session, paths)
            granted = session.session_timeout
        finally:
            session.close()
        yield good("zookeeper", f"the tree of {own.namespace} is safe to use")
        sharing = tree_assembly.who_shares(hosts)
        if sharing:
            yield doubtful("zookeeper", sharing)
        opening.check_granted(granted, own.session_timeout)
        yield good("zookeeper", f"a session of {granted:g} s is granted")

    def _tick(self) -> Iterator[Finding]:
        least = opening.least_session_timeout(self._settings, self._clock)
        doubt = opening.doubt_about_tick(least, self._conf.zookeeper.tick)
        if doubt:
            yield doubtful("tick", doubt)
        else:
            yield good("tick", f"the shortest session is {least:g} s")

    @functools.cached_property
    def _compute(self) -> nova_compute.NovaCompute:
        return nova_compute.NovaCompute.from_conf(self._conf, self._clock, 1)

    def _nova(self) -> Iterator[Finding]:
        services = self._compute.services()
        # Only an administrator may ask for these.
        kinds = self._compute.hypervisor_types()
        if not services:
            yield doubtful("nova", "it has no nova-compute service")
            return
        yield good(
            "nova",
            f"{len(services)} nova-compute services, "
            f"{sum(one.up for one in services)} of them up; "
            f"{', '.join(sorted(set(kinds.values()))) or 'no hypervisor'}",
        )

    def _placement(self) -> Iterator[Finding]:
        found = self._compute.targets([{"VCPU": 1}])
        if found:
            yield good(
                "placement", f"{len(found)} hosts have room for one VCPU"
            )
        else:
            yield doubtful("placement", "no host has room for one VCPU")
