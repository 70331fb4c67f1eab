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

"""Opening a session from settings: what the assembly needs to know."""

import threading

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import session as kazoo
from nova_ha.coordination import settings as settings_module

_TICKS_OF_LEAST = 2
"""minSessionTimeout is this many ticks, unless the ensemble sets it."""

_SLACK = 0.01


def new_session(
    settings: settings_module.Settings,
    clock: clock_module.Clock,
    *,
    deadline: float | None = None,
) -> kazoo_znodes.KazooZnodes:
    """Return a session that is yet to be started.

    :param deadline: seconds for one call; half the session time-out unless
        given.
    :raises ConfigError: the namespace is malformed.
    """
    paths = paths_module.Paths(settings.namespace)
    own = (
        acl.identity(settings.host_username, settings.host_password)
        if settings.host_username
        else ""
    )
    return kazoo_znodes.KazooZnodes(
        settings, clock, acl.PublishedAcls(paths.root, own), deadline=deadline
    )


def least_session_timeout(
    settings: settings_module.Settings, clock: clock_module.Clock
) -> float:
    """Return the shortest session time-out that the ensemble grants.

    :raises CoordinationUnavailable: no connection within the time given.
    """
    client = kazoo.build(settings)
    granted: list[float] = []
    seen = threading.Event()

    def grant(seconds: float) -> None:
        granted.append(seconds)
        seen.set()

    kazoo.ask_for_least(client)
    kazoo.on_granted(client, grant)
    try:
        client.start_async()
        if not clock.wait(seen, settings.connect_timeout):
            raise exception.CoordinationUnavailable(
                "no connection to ZooKeeper within "
                f"{settings.connect_timeout:g} s"
            )
    finally:
        client.stop()
        client.close()
    return granted[0]


def check_granted(granted: float, wanted: float) -> None:
    """Refuse a session that lasts longer or shorter than asked for.

    :param granted: by the ensemble, seconds.
    :param wanted: ``[zookeeper] session_timeout``.
    :raises ConfigError: they differ.
    """
    if granted != wanted:
        raise exception.ConfigError(
            "[zookeeper] session_timeout",
            f"the ensemble grants {granted:g} s, not {wanted:g} s: all "
            "arithmetic of detection would be wrong",
            "set session_timeout to a value between 2 and 20 of the "
            "ensemble's ticks, or its minSessionTimeout and "
            "maxSessionTimeout",
        )


def doubt_about_tick(least: float, tick: float) -> str:
    """What is odd about ``[zookeeper] tick``; empty if nothing is.

    A client cannot ask for tickTime, but sees its trace: the shortest session
    is two ticks long, unless the ensemble sets minSessionTimeout.

    :param least: from :func:`least_session_timeout`, seconds.
    """
    seems = least / _TICKS_OF_LEAST
    if abs(seems - tick) <= _SLACK * tick:
        return ""
    return (
        f"[zookeeper] tick is {tick:g} s, but the shortest session that the "
        f"ensemble grants, {least:g} s, speaks of a tickTime of "
        f"{seems * 1000:g}: make the two agree, or ignore this if the "
        "ensemble sets minSessionTimeout"
    )
