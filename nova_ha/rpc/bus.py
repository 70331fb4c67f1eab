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

"""Calls to whichever engine answers, each with a deadline."""

import concurrent.futures
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import notify
from nova_ha.core import codec
from nova_ha.rpc import messages

_GRACE = 1.0
"""Seconds: oslo.messaging's own time-out says more, so it comes first."""

_DIRECT = "nova-ha --direct ... goes to ZooKeeper itself"

_EXTRAS = {
    "oslo_messaging_metrics": "metrics_enabled",
    "oslo_messaging_tracing": "tracing_enabled",
}
"""Options that oslo.messaging asks for with each message, but registers on
oslo.config's global object alone. They stay off."""

T = TypeVar("T")


def transport(conf: cfg.ConfigOpts) -> oslo_messaging.Transport:
    """The way to the bus, of engines and commands alike.

    :raises ConfigError: oslo.messaging cannot use its options.
    """
    made = notify.transport(conf, oslo_messaging.get_rpc_transport)
    for group, name in _EXTRAS.items():
        if group not in conf:
            conf.register_opt(cfg.BoolOpt(name, default=False), group=group)
    return made


class Bus:
    """The interface that engines serve.

    :param client: with the same time-out.
    :param context: makes the context of a message.
    :param timeout: seconds for one call.
    """

    def __init__(
        self,
        client: oslo_messaging.RPCClient,
        context: Callable[[], Mapping[str, Any]],
        timeout: float,
        clock: nova_clock.Clock,
    ) -> None:
        self._client = client
        self._context = context
        self._timeout = timeout
        self._clock = clock

    def ask(
        self,
        method: str,
        kind: type[T],
        asked: object = messages.Nothing(),  # noqa: B008 (it is a constant)
    ) -> T:
        """Call a method of an engine.

        :param kind: of the answer.
        :param asked: the body.
        :raises BusUnavailable: nobody has answered in time.
        :raises NovaHaError: what the engine could not, or would not, do.
        """
        body = codec.encode(asked, f"body of {method}").decode("ascii")
        context = self._context()
        try:
            reply = self._in_time(
                method,
                lambda: self._client.call(context, method, body=body),
            )
        except oslo_messaging.RemoteError as error:
            raise _refused(method, error) from None
        except oslo_messaging.MessagingException as error:
            if isinstance(error, oslo_messaging.UnsupportedVersion):
                raise _refused(method, error) from None
            raise self._nobody(method) from None
        return messages.opened(reply, kind, method)

    def _in_time(self, method: str, work: Callable[[], object]) -> object:
        """While no broker is there, oslo.messaging looks for one for ever,
        whatever its time-out."""
        future: concurrent.futures.Future[object] = concurrent.futures.Future()
        done = threading.Event()

        def body() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # handed over to the caller
                future.set_exception(error)
            done.set()

        self._clock.spawn(body, f"rpc-{method}")
        if not self._clock.wait(done, self._timeout + _GRACE):
            raise self._nobody(method)
        return future.result(timeout=0)

    def _nobody(self, method: str) -> exception.BusUnavailable:
        unknown = (
            ""
            if method in messages.READS
            else ", and it is not known whether it was done"
        )
        return exception.BusUnavailable(
            "no engine has answered over the message bus within "
            f"{self._timeout:g} s{unknown}: {_DIRECT}"
        )


def _refused(method: str, error: Exception) -> exception.NovaHaError:
    """An engine has answered with an exception: the interface is another."""
    name = getattr(error, "exc_type", None) or type(error).__name__
    return exception.NovaHaError(
        f"the engine does not serve {method} as this release asks for it "
        f"({name}): use the engine's release of nova-ha, or --direct"
    )
