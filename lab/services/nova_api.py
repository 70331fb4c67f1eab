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

"""nova-api with a log of every request that changes something, and with
faults behind the log (:mod:`lab.services.nova_faults`).

One JSON line a request: what was asked, when it came, when it was answered
and how. Tests and the demonstration read from it what Nova was really asked.
Bodies are not kept (they may hold passwords): only the action's name and
the few members that say what was asked of whom.
"""

import datetime
import io
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from lab.services import nova_faults

#: Environment variables that name the log, and the plan of the faults.
LOG_VARIABLE = "NOVA_HA_LAB_CALL_LOG"
FAULTS_VARIABLE = "NOVA_HA_LAB_FAULTS"

_READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT = ("host", "forced_down", "status", "disabled_reason", "force")

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class CallLog:
    """WSGI middleware."""

    def __init__(self, application: Application, path: str) -> None:
        self._application = application
        self._path = path
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Pass a request on; note it when it changes something."""
        if environ["REQUEST_METHOD"] in _READ_ONLY:
            return self._application(environ, start_response)
        entry = _describe(environ)
        status: list[str] = []

        def note_status(line: str, *rest: Any) -> Any:
            status.append(line)
            return start_response(line, *rest)

        try:
            return self._application(environ, note_status)
        finally:
            entry["status"] = int(status[0].split()[0]) if status else None
            entry["ended"] = time.monotonic()
            self._write(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry, sort_keys=True) + "\n"
        with self._lock, open(self._path, "a", encoding="utf-8") as log:
            log.write(line)


def _describe(environ: dict[str, Any]) -> dict[str, Any]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    action, arguments = _action(body)
    return {
        "utc": datetime.datetime.now(datetime.UTC).isoformat(),
        "started": time.monotonic(),
        "method": environ["REQUEST_METHOD"],
        "path": environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"],
        "microversion": environ.get("HTTP_OPENSTACK_API_VERSION")
        or environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION"),
        "request_id": environ.get("HTTP_X_OPENSTACK_REQUEST_ID"),
        "action": action,
        "arguments": arguments,
    }


def _action(body: bytes) -> tuple[str | None, dict[str, Any]]:
    """The action's name, and the members worth keeping."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return None, {}
    if not isinstance(value, dict):
        return None, {}
    action = None
    if len(value) == 1:
        name, inner = next(iter(value.items()))
        if isinstance(inner, dict) or inner is None:
            action, value = name, inner or {}
    return action, {name: value[name] for name in _KEPT if name in value}


def _load() -> Application:
    # Nova patches the world at this import: nothing may come before it.
    from nova.wsgi import osapi_compute

    plan = nova_faults.Plan(pathlib.Path(os.environ[FAULTS_VARIABLE]))
    application = nova_faults.Faults(osapi_compute.application, plan)
    return CallLog(application, os.environ[LOG_VARIABLE])


def __getattr__(name: str) -> Application:
    """``application`` loads Nova; the middleware alone does not."""
    if name != "application":
        raise AttributeError(name)
    application = _load()
    globals()["application"] = application
    return application
