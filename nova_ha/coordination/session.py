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

"""The kazoo client, made to measure, and the translation of its terms.

The only module that imports kazoo.

What kazoo does not do by itself (each was seen on kazoo 2.11):

* It does not show the session time-out that the server granted; the hook is
  on the reply to the connect request.
* One server that swallows packets may take the whole session time-out to be
  given up on, and the session with it; here it takes a fair share.
* At debug level it logs the credentials.
* After an error that it does not expect, its connection thread ends for good.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kazoo import client as kazoo_client
from kazoo import exceptions as errors
from kazoo import retry as kazoo_retry
from kazoo import security
from kazoo.handlers import threading as kazoo_threading
from kazoo.protocol import serialization
from kazoo.protocol import states

from nova_ha import exception
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import znodes

MAX_RECONNECT_DELAY = 1.0
"""Longest pause between two attempts to connect: a session of 10 s must
survive the restart of a server."""

STATES = {
    states.KazooState.CONNECTED: znodes.ConnectionState.CONNECTED,
    states.KazooState.SUSPENDED: znodes.ConnectionState.SUSPENDED,
    states.KazooState.LOST: znodes.ConnectionState.LOST,
}

ENDED = (states.KeeperState.CLOSED, states.KeeperState.AUTH_FAILED)
"""States that kazoo does not leave by itself."""

NOT_THE_CAUSE = (errors.RolledBackError, errors.RuntimeInconsistency)
"""Results of the operations of a transaction that failed by another one."""

_NO_ANSWER = (
    errors.ConnectionLoss,
    errors.SessionExpiredError,  # ConnectionClosedError is one, too
    errors.OperationTimeoutError,
    errors.RequestTimeoutError,
    errors.ThrottledOpError,
    errors.SessionMovedError,
    errors.CancelledError,
    kazoo_threading.KazooTimeoutError,
)


class _Discreet(logging.Filter):
    """Lets through what kazoo warns of, and that once in a row.

    What it says about requests names credentials; and during an outage it
    says the same thing every second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        text = record.getMessage()
        repeated, self._last = text == self._last, text
        return not repeated


_LOG = logging.getLogger("nova_ha.coordination.kazoo")
_LOG.addFilter(_Discreet())


class _Handler(kazoo_threading.SequentialThreadingHandler):  # type: ignore[misc]
    """Gives up in time on a server that does not answer."""

    def __init__(self, connect_timeout: float) -> None:
        super().__init__()
        self._connect_timeout = connect_timeout

    def create_connection(
        self, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        limit = self._connect_timeout
        return super().create_connection(
            *args, timeout=min(timeout or limit, limit), **kwargs
        )


class Watcher:
    """A watch as kazoo wants it. Equal for equal watches: kazoo keeps a set
    for each path, so that arming one twice calls it once."""

    __slots__ = ("_watch",)

    def __init__(self, watch: znodes.Watch) -> None:
        self._watch = watch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Watcher) and self._watch == other._watch

    def __hash__(self) -> int:
        return hash(self._watch)

    def __call__(self, event: states.WatchedEvent) -> None:
        # Events of type NONE tell of the connection, which has its own
        # listeners.
        if event.type != states.EventType.NONE and event.path:
            self._watch(event.path)


def build(settings: settings_module.Settings) -> Any:
    """Return a KazooClient that has not been started."""
    servers = settings.hosts.count(",") + 1
    # Every server gets its turn before the session ends.
    handler = _Handler(settings.session_timeout / (servers + 1))
    return kazoo_client.KazooClient(
        hosts=settings.hosts,
        timeout=settings.session_timeout,
        handler=handler,
        auth_data=[
            ("digest", f"{user}:{password}")
            for user, password in settings.credentials
        ],
        # Whatever is created without an ACL of its own is the creator's.
        default_acl=security.CREATOR_ALL_ACL,
        connection_retry=kazoo_retry.KazooRetry(
            max_tries=-1,
            delay=0.1,
            max_delay=MAX_RECONNECT_DELAY,
            sleep_func=handler.sleep_func,
        ),
        command_retry=kazoo_retry.KazooRetry(
            max_tries=2,
            deadline=settings.session_timeout / 2,
            sleep_func=handler.sleep_func,
        ),
        use_ssl=settings.use_ssl,
        ca=settings.ca_file,
        certfile=settings.cert_file,
        keyfile=settings.key_file,
        verify_certs=settings.verify,
        check_hostname=settings.verify,
        logger=_LOG,
    )


def on_granted(client: Any, granted: Callable[[float], None]) -> None:
    """Call ``granted`` with each session time-out that a server grants, in
    seconds, before the client is told that it is connected."""
    connection = client._connection
    invoke = connection._invoke

    def observed(timeout: float, request: Any, xid: Any = None) -> Any:
        reply = invoke(timeout, request, xid)
        # 0 is the answer to a session that has expired.
        if isinstance(request, serialization.Connect) and reply[0].time_out:
            granted(reply[0].time_out / 1000.0)
        return reply

    connection._invoke = observed


def ask_for_least(client: Any) -> None:
    """Have the client ask for the shortest session that there is."""
    connection = client._connection
    invoke = connection._invoke

    def least(timeout: float, request: Any, xid: Any = None) -> Any:
        if isinstance(request, serialization.Connect):
            request = request._replace(time_out=1)
        return invoke(timeout, request, xid)

    connection._invoke = least


def restart(client: Any) -> None:
    """Begin anew after the connection thread has ended by itself."""
    client.stop()
    # It leaves a farewell for the thread, which the next one would send.
    client._queue.clear()
    client.start_async()


@contextlib.contextmanager
def translated(path: str, version: int = znodes.ANY_VERSION) -> Iterator[None]:
    """Turn kazoo's errors into those of :mod:`.znodes`."""
    try:
        yield
    except errors.NoNodeError:
        raise znodes.NodeMissing(path) from None
    except errors.NodeExistsError:
        raise znodes.NodeExists(path) from None
    except errors.NotEmptyError:
        raise znodes.NodeNotEmpty(path) from None
    except errors.BadVersionError:
        raise exception.StaleVersion(path, version) from None
    except (errors.NoAuthError, errors.AuthFailedError):
        raise exception.CoordinationDenied(path) from None
    except _NO_ANSWER as error:
        raise exception.CoordinationUnavailable(
            f"no answer from ZooKeeper ({path}: {type(error).__name__})"
        ) from None
    except errors.KazooException as error:
        raise exception.CoordinationError(
            f"ZooKeeper refused {path}: {type(error).__name__}"
        ) from None


def node(path: str, data: bytes | None, stat: Any) -> znodes.Node:
    return znodes.Node(
        path, data, stat.version, stat.czxid, stat.mzxid, stat.ephemeralOwner
    )


def to_acl(entries: Sequence[znodes.Acl]) -> list[security.ACL]:
    return [
        security.ACL(entry.perms.value, security.Id(entry.scheme, entry.id))
        for entry in entries
    ]


def from_acl(entries: Sequence[security.ACL]) -> list[znodes.Acl]:
    return [
        znodes.Acl(entry.id.scheme, entry.id.id, znodes.Perm(entry.perms))
        for entry in entries
    ]
