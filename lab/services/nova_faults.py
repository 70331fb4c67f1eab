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

"""Faults of nova-api: errors, delays, answers that never arrive.

They stand before Nova's own application, where a load balancer would: what
they refuse never reaches Nova, and of what they lose Nova knows nothing.
A test plans them while nova-api runs.
"""

import contextlib
import dataclasses
import fcntl
import io
import json
import pathlib
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lab import files

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the next requests that fit.

    :param method: of HTTP.
    :param action: the name of a server's action; empty: any request.
    :param agent: what the User-Agent begins with; empty: anybody's.
    :param times: how many requests it takes.
    :param delay: seconds before a request is passed on.
    :param status: answered in Nova's place, which is not asked; 0: Nova is.
    :param lost: the connection is cut once Nova has done what it was asked.
    """

    method: str
    action: str = ""
    agent: str = ""
    times: int = 1
    delay: float = 0.0
    status: int = 0
    lost: bool = False

    def fits(self, method: str, body: bytes, agent: str) -> bool:
        """Whether it would take a request."""
        return (
            self.method == method
            and agent.startswith(self.agent)
            and (not self.action or self.action in _names(body))
        )


def _names(body: bytes) -> Iterable[str]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return ()
    return value if isinstance(value, dict) else ()


class Plan:
    """The faults that are still to come, shared with nova-api by a file."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def set(self, *faults: Fault) -> None:
        """Plan these from now on, and no others."""
        with self._locked():
            self._write(faults)

    def left(self) -> tuple[Fault, ...]:
        """Those that have not taken all their requests yet."""
        return tuple(
            Fault(**one)
            for one in files.read_json(self._path).get("faults", ())
        )

    def take(self, method: str, body: bytes, agent: str) -> Fault | None:
        """The first that fits a request: one request less for it."""
        if not self.left():
            return None
        with self._locked():
            faults = list(self.left())
            for index, fault in enumerate(faults):
                if fault.fits(method, body, agent):
                    times = fault.times - 1
                    rest = dataclasses.replace(fault, times=times)
                    faults[index : index + 1] = [rest] if times else []
                    self._write(faults)
                    return fault
        return None

    def _write(self, faults: Iterable[Fault]) -> None:
        values = [dataclasses.asdict(fault) for fault in faults]
        files.write_json(self._path, {"faults": values})

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self._path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Faults:
    """WSGI middleware that acts on a plan."""

    def __init__(self, application: Application, plan: Plan) -> None:
        self._application = application
        self._plan = plan

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass a request on, unless a fault takes it."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        fault = self._plan.take(
            environ["REQUEST_METHOD"],
            body,
            environ.get("HTTP_USER_AGENT", ""),
        )
        if fault is None:
            return self._application(environ, start_response)
        time.sleep(fault.delay)
        if fault.status:
            start_response(
                f"{fault.status} Planned", [("Content-Length", "0")]
            )
            return []
        answer = self._application(environ, start_response)
        if fault.lost:
            environ["gunicorn.socket"].shutdown(socket.SHUT_RDWR)
        return answer
