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

"""From options to a running engine: opens the session, loads the devices,
and puts the parts behind their ports."""

import contextlib
import dataclasses
import os
import socket
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.assembly import identity
from nova_ha.compute import nova
from nova_ha.coordination import election
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import membership
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_mod
from nova_ha.coordination import settings as settings_mod
from nova_ha.coordination import store
from nova_ha.coordination import tree as tree_mod
from nova_ha.core import policy as policy_mod
from nova_ha.core import rules as rules_mod
from nova_ha.core import sources
from nova_ha.evidence import base as evidence_base
from nova_ha.evidence import loader as evidence_loader
from nova_ha.fencing import topology

LOG = logging.getLogger(__name__)


def policy(conf: cfg.ConfigOpts) -> policy_mod.Policy:
    """All settings that the core decides by, checked against each other.

    :raises ConfigError: two of them contradict each other.
    """
    made = policy_mod.Policy(
        session_timeout=conf.zookeeper.session_timeout,
        tick=conf.zookeeper.tick,
        touch_interval=conf.zookeeper.touch_interval,
        assumed_gap=conf.engine.assumed_report_gap,
        patience=_patience(conf),
        fence_isolated=conf.evidence.isolated == "fence",
        small_cloud=conf.engine.small_cloud,
        brake_fraction=conf.engine.brake_fraction,
        brake_window=conf.engine.brake_window,
        storm_cooldown=conf.engine.storm_cooldown,
        flap_count=conf.engine.flap_count,
        flap_window=conf.engine.flap_window,
        quarantine_time=conf.engine.quarantine_time,
        fence_rounds=conf.engine.fence_rounds,
        fence_backoff=conf.engine.fence_backoff,
        power_on_after_recovery=conf.fencing.power_on_after_recovery,
        device_check_interval=float(conf.fencing.check_interval),
        evacuations=conf.engine.evacuations,
        evacuations_per_target=conf.engine.evacuations_per_target,
        evacuation_attempts=conf.engine.evacuation_attempts,
        evacuation_backoff=conf.engine.evacuation_backoff,
        rules=rules(conf),
        progress_interval=conf.engine.progress_interval,
        request_timeout=conf.nova.request_timeout,
        leader_lease=election.LEASE_SHARE * conf.zookeeper.session_timeout,
        soak_time=float(conf.engine.soak_time),
    )
    if made.session_timeout < 3 * made.touch_interval:
        raise exception.ConfigError(
            "[zookeeper] touch_interval",
            f"{made.touch_interval:g} s is too long for a session_timeout of "
            f"{made.session_timeout:g} s: two late touches would look like "
            "a death",
            "make it at most a third of session_timeout",
        )
    if made.session_timeout < 4 * made.tick:
        raise exception.ConfigError(
            "[zookeeper] tick",
            f"with {made.tick:g} s the ensemble grants no session_timeout of "
            f"{made.session_timeout:g} s",
            "make tickTime at most a quarter of it; 500 ms is recommended",
        )
    return made


def rules(conf: cfg.ConfigOpts) -> rules_mod.Rules:
    """What an operator has said about instances.

    :raises ConfigError: groups are not in their order.
    """
    options = conf.evacuation
    given: dict[str, Any] = {
        field.name: options[field.name]
        for field in dataclasses.fields(rules_mod.Rules)
    }
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
    made = rules_mod.Rules(**given)
    starts = list(made.priority_groups)
    if starts != sorted(set(starts), reverse=True):
        raise exception.ConfigError(
            "[evacuation] priority_groups",
            f"{starts} does not go down",
            "begin with the highest, such as 900,500",
        )
    return made


def _patience(conf: cfg.ConfigOpts) -> float:
    """How long a driver beside Nova's is waited for, where there is one."""
    others = set(conf.evidence.drivers) - {sources.NOVA}
    return patience(conf.evidence.interval) if others else 0.0


def patience(interval: float) -> float:
    """Time for two looks of a driver, which are ``interval`` seconds apart."""
    return 2 * interval


class World:
    """The adapters of one engine on one ZooKeeper session."""

    def __init__(self, conf: cfg.ConfigOpts, clock: clock_mod.Clock) -> None:
        """
        :raises ConfigError: an option cannot be used.
        """
        self._clock = clock
        self._settings = settings_mod.from_conf(conf)
        self._paths = paths_mod.Paths(self._settings.namespace)
        self._session: kazoo_znodes.KazooZnodes = opening.new_session(
            self._settings, clock
        )
        self._expected = policy(conf)
        self.membership: ports.Membership = membership.ZooKeeperMembership(
            self._session, self._paths, clock
        )
        self.leadership: ports.Leadership = election.ZooKeeperLeadership(
            self._session,
            self._paths,
            clock,
            engine=f"{socket.gethostname()}:{os.getpid()}",
            machine_id=machine_id(conf),
            lease=self._expected.leader_lease,
        )
        self.store: ports.CaseStore = store.ZooKeeperCaseStore(
            self._session, self._paths
        )
        # Jobs and the parts of surveys that they wait for.
        self.compute: ports.Compute = nova.NovaCompute.from_conf(
            conf,
            clock,
            2 * conf.engine.workers,
            ask_images=self._expected.rules.ask_images,
        )
        self.fencing: ports.Fencing = topology.Topology(
            conf.fencing.topology_file,
            clock,
            poll_interval=conf.fencing.poll_interval,
            call_timeout=conf.fencing.call_timeout,
        )
        drivers = evidence_loader.load(
            conf.evidence.drivers,
            evidence_base.Surroundings(
                clock=clock,
                compute=self.compute,
                settings={
                    **conf.evidence,
                    "service_poll_interval": conf.engine.service_poll_interval,
                },
            ),
        )
        self.sources: list[ports.EvidenceSource] = [*drivers]
        self.sign_readers = [
            one for one in drivers if isinstance(one, ports.SignReader)
        ]

    def open(self) -> None:
        """Connect, and refuse a tree that others could write to.

        :raises CoordinationUnavailable: no ensemble within the time given.
        :raises ConfigError: the tree is missing or open to others.
        """
        self._session.start()
        tree_mod.check_tree(self._session, self._paths)
        least = opening.least_session_timeout(self._settings, self._clock)
        doubt = opening.doubt_about_tick(least, self._expected.tick)
        if doubt:
            LOG.warning("%s", doubt)
        opening.check_granted(
            self._session.session_timeout, self._expected.session_timeout
        )

    def close(self) -> None:
        self._session.close()


def machine_id(conf: cfg.ConfigOpts) -> str:
    """Of the machine that this engine runs on: it must never be fenced."""
    with contextlib.suppress(exception.ConfigError):
        return identity.read_machine_id(conf.agent.machine_id_file)
    LOG.warning(
        "This machine has no id in %s: mark the hosts of engines as "
        "protected by hand, see 'nova-ha host maintenance'",
        conf.agent.machine_id_file,
    )
    return ""
