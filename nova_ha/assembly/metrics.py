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

"""From options to the port where an engine is measured."""

import contextlib
from collections.abc import Iterator

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha.metrics import meter as meter_mod
from nova_ha.metrics import server as server_mod

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def opened(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock
) -> Iterator[meter_mod.PrometheusMeter]:
    """A meter, and the port where it can be read, where one is configured.

    :raises ConfigError: the address cannot be listened on.
    """
    meter = meter_mod.PrometheusMeter(clock)
    if not conf.metrics.port:
        yield meter
        return
    server = _listen(conf, server_mod.Application(meter, clock))
    server.start(clock.spawn)
    LOG.info(
        "Metrics and health on %s port %d",
        conf.metrics.host,
        conf.metrics.port,
    )
    try:
        yield meter
    finally:
        server.stop()


def _listen(
    conf: cfg.ConfigOpts, application: server_mod.Application
) -> server_mod.Server:
    host, port = conf.metrics.host, conf.metrics.port
    try:
        return server_mod.Server(host, port, application)
    except OSError as error:
        raise exception.ConfigError(
            "[metrics] host and port",
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            "name an address of this machine and a free port, or port = 0 "
            "for none",
        ) from None
