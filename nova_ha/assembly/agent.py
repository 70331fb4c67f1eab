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

"""From configuration to the parts of an agent."""

import contextlib
import functools
from collections.abc import Collection, Mapping
from importlib import metadata
from typing import Any, NoReturn

import stevedore
from oslo_config import cfg
from stevedore import exception as stevedore_exception

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import beacons
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination import znodes
from nova_ha.core import agent_policy
from nova_ha.core import model

CHECKS = "nova_ha.checks"
GUESTS = "nova_ha.guests"

_FIRST_CONNECTION = 2.0
"""Seconds to wait for the first connection before trying on without it."""

_ROLES = ("engine", "zookeeper", "controller")
_POLICY_OPTIONS = (
    "check_interval",
    "check_deadline",
    "guests_interval",
    "guests_deadline",
    "goodbye_ttl",
    "shutdown_ttl",
)


def policy(conf: cfg.ConfigOpts) -> agent_policy.AgentPolicy:
    """Return the agent's numbers."""
    return agent_policy.AgentPolicy(
        touch_interval=conf.zookeeper.touch_interval,
        **{name: conf.agent[name] for name in _POLICY_OPTIONS},
    )


def colocated(conf: cfg.ConfigOpts) -> Collection[str] | None:
    """Return the roles given by configuration; None: to be looked for.

    :raises ConfigError: there is no such role.
    """
    given = [role.lower() for role in conf.agent.colocated_services]
    if given == ["auto"]:
        return None
    if given == ["none"]:
        return ()
    wrong = sorted(set(given).difference(_ROLES))
    if wrong or not given:
        raise exception.ConfigError(
            "[agent] colocated_services",
            f"{', '.join(wrong) or 'nothing'} is not known",
            f"use auto, none, or some of {', '.join(_ROLES)}",
        )
    return tuple(given)


def checks(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> list[ports.Check]:
    """Load the local checks; those that do not apply here are left out.

    :raises ConfigError: a check is unknown, broken or lacks a setting.
    """
    names = list(dict.fromkeys(conf.agent.checks))
    loaded = (
        _load(CHECKS, name, "[agent] checks").from_settings(
            _settings(conf), clock
        )
        for name in names
    )
    return [check for check in loaded if check is not None]


def guests(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> ports.GuestSource:
    """Load who knows the guests that run here.

    :raises ConfigError: it is unknown, broken or lacks a setting.
    """
    driver = _load(GUESTS, conf.agent.guests_driver, "[agent] guests_driver")
    source: ports.GuestSource = driver.from_settings(_settings(conf), clock)
    return source


def _settings(conf: cfg.ConfigOpts) -> Mapping[str, Any]:
    return {**conf.agent, "host": conf.host}


def _load(namespace: str, name: str, option: str) -> Any:
    def broken(
        _manager: Any, entry_point: Any, error: BaseException
    ) -> NoReturn:
        raise exception.ConfigError(
            option, f"{entry_point.name} cannot be loaded: {error}"
        ) from error

    try:
        return stevedore.DriverManager(
            namespace, name, on_load_failure_callback=broken
        ).driver
    except stevedore_exception.NoMatches as error:
        known = sorted(metadata.entry_points(group=namespace).names)
        raise exception.ConfigError(
            option,
            f"{name!r} is not known",
            f"known are: {', '.join(known) or 'none; reinstall nova-ha'}",
        ) from error
    except stevedore_exception.MultipleMatches as error:
        raise exception.ConfigError(
            option, f"{name!r} is offered by more than one package: {error}"
        ) from error


class _CheckedBeacons(beacons.ZooKeeperBeacons):
    """Makes sure, before it relies on the tree for the first time, that the
    tree is there and closed to others. Not earlier: an agent starts without
    ZooKeeper, too. In an empty tree no case would ever be found, and a start
    gate would be open."""

    def __init__(
        self,
        tree: znodes.GuardedZnodes,
        paths: paths_module.Paths,
        host: model.HostName,
    ) -> None:
        super().__init__(tree, paths, host)
        self._check = functools.cache(
            lambda: tree_module.check_tree(tree, paths)
        )

    def show(self, beacon: model.Beacon) -> None:
        """:raises ConfigError: the tree is missing, or open to others."""
        self._check()
        super().show(beacon)

    def case(self) -> model.RecoveryCase | None:
        """:raises ConfigError: the tree is missing, or open to others."""
        self._check()
        return super().case()


def open_beacons(
    conf: cfg.ConfigOpts, host: model.HostName, clock: nova_clock.Clock
) -> ports.Beacons:
    """Open a session for this host; a missing ZooKeeper is waited for in the
    background.

    :raises ConfigError: an option of ``[zookeeper]`` cannot be used.
    """
    settings = settings_module.for_agent(conf, host)
    session = opening.new_session(settings, clock)
    # The first beacon need not wait for a second attempt.
    with contextlib.suppress(exception.CoordinationUnavailable):
        session.start(min(_FIRST_CONNECTION, settings.connect_timeout))
    return _CheckedBeacons(
        session, paths_module.Paths(settings.namespace), host
    )
