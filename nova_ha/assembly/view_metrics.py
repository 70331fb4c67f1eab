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

"""The age of a scheduler's view, for Prometheus: a port for each worker.

Workers share their configuration and nothing else. So each takes the first
port that none of the others has; with its process it gives the port back.
"""

import errno
from collections.abc import Callable

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha.conf import scheduler
from nova_ha.metrics import server as server_mod

LOG = logging.getLogger(__name__)

WORKERS = 64
"""Ports that are tried, one after another."""

_OPTION = f"[{scheduler.GROUP.name}] metrics_host and metrics_port"
_LAST_PORT = 65535


def serve(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock, age: Callable[[], float]
) -> None:
    """Serve it from now on, where a port is configured.

    An address that cannot be used is told, and keeps nobody from scheduling.

    :param age: seconds; infinite before the first complete read.
    """
    group = conf[scheduler.GROUP.name]
    if not group.metrics_port:
        return
    try:
        server = _listen(group.metrics_host, group.metrics_port, age)
    except OSError as error:
        LOG.error(
            "The age of the view cannot be served: %s: %s from %s port %d on",
            _OPTION,
            error.strerror or error,
            group.metrics_host,
            group.metrics_port,
        )
        return
    server.start(clock.spawn)
    LOG.info(
        "The age of the view is served on %s port %d",
        group.metrics_host,
        server.server_port,
    )


def _listen(
    host: str, first: int, age: Callable[[], float]
) -> server_mod.Server:
    """:raises OSError: no port is free, or the address is not ours."""
    application = server_mod.view_application(age)
    port, last = first, min(first + WORKERS - 1, _LAST_PORT)
    while True:
        try:
            return server_mod.Server(host, port, application)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == last:
                raise
        port += 1
