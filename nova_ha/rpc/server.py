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

"""An engine's end of the bus: a server beside the controller.

It has threads, and a session with ZooKeeper, of its own. That the bus or
ZooKeeper is away, or that nobody can be made sense of, never reaches the
engine: it starts, recovers and stops all the same.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator

import oslo_messaging
from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.assembly import tree_store
from nova_ha.rpc import bus
from nova_ha.rpc import callers
from nova_ha.rpc import endpoint
from nova_ha.rpc import messages
from nova_ha.rpc import policies

LOG = logging.getLogger(__name__)

WORKERS = 4
"""Threads that answer. What waits for one is bounded by the time-outs of
those who ask: the broker drops a message that nobody has taken by then."""

_AGAIN = 10.0
"""Seconds between two attempts to get ready."""

_CLOSING = 3.0
"""Seconds that the end of the process waits for answers that are under
way."""


@contextlib.contextmanager
def opened(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> Iterator[None]:
    """Serve operators' commands for as long as the context lasts, if
    ``[rpc] enabled`` says so.

    :raises ConfigError: an option cannot be used.
    """
    if not conf.rpc.enabled:
        yield
        return
    server = Server(conf, clock)
    clock.spawn(server.run, "rpc")
    try:
        yield
    finally:
        server.stop()


class Server:
    """Everything that serves the topic of this region."""

    def __init__(self, conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> None:
        """:raises ConfigError: an option cannot be used."""
        self._clock = clock
        self._settings = operator.engines_settings(conf)
        self._rights = policies.Rights(conf)
        self._callers = callers.from_conf(conf, WORKERS)
        self._transport = bus.transport(conf)
        self._target = oslo_messaging.Target(
            topic=messages.topic(self._settings.namespace),
            server=socket.gethostname(),
            version=messages.VERSION,
        )
        self._stopped = threading.Event()
        self._closing = contextlib.ExitStack()

    def run(self) -> None:
        """Get ready, however long that takes; the body of a thread."""
        while not self._stopped.is_set():
            try:
                self._start()
                return
            except (
                exception.NovaHaError,
                oslo_messaging.MessagingException,
            ) as error:
                LOG.error(
                    "Commands over the message bus are not served yet: %s",
                    error,
                )
                self._closing.close()
            except Exception:
                # The edge of the thread: the engine goes on without it.
                LOG.exception("Commands over the message bus are not served")
                return
            self._clock.wait(self._stopped, _AGAIN)

    def _start(self) -> None:
        store = tree_store.connect(self._settings, self._clock)
        self._closing.callback(store.close)
        server = oslo_messaging.get_rpc_server(
            self._transport,
            self._target,
            [
                endpoint.Endpoint(
                    store, self._callers, self._rights, self._clock
                )
            ],
            access_policy=oslo_messaging.DefaultRPCAccessPolicy,
        )
        self._closing.callback(server.wait)
        self._closing.callback(server.stop)
        # Returns once there is a broker.
        server.start(override_pool_size=WORKERS)
        LOG.info("Commands are served on the topic %s", self._target.topic)

    def stop(self) -> None:
        """Answer what is under way, but not for ever."""
        self._stopped.set()
        ended = threading.Event()

        def close() -> None:
            try:
                self._closing.close()
            finally:
                ended.set()

        self._clock.spawn(close, "rpc-end")
        if not self._clock.wait(ended, _CLOSING):
            LOG.info("The message bus is not waited for any longer")
