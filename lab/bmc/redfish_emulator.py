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
"""sushy-emulator with a machine of the lab behind its one system.

``python -m lab.bmc.redfish_emulator DIRECTORY CONFIG``. The emulator's own
fake driver keeps a power state of its own; here it is the machine's.
"""

import io
import json
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

from lab.bmc import faults

_VERBS = {
    "On": "on",
    "ForceOn": "on",
    "ForceOff": "off",
    "GracefulShutdown": "off",
    "ForceRestart": "reset",
    "GracefulRestart": "reset",
    "PowerCycle": "cycle",
}


class Driver(fakedriver.FakeDriver):  # type: ignore[misc]
    """The emulator's fake driver, its power taken from a machine."""

    controller: faults.Controller

    def get_power_state(self, identity: str) -> str:
        self._get(identity)
        return "On" if self.controller.read_power() else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        self._get(identity)
        verb = _VERBS.get(state)
        if verb is None:
            raise error.NotSupportedError(f"no such ResetType: {state}")
        if not self.controller.change_power(verb):
            raise error.BadRequest("The power control is locked")


class Transcript:
    """WSGI middleware that notes each request and its answer."""

    def __init__(
        self, application: Any, controller: faults.Controller
    ) -> None:
        self._application = application
        self._controller = controller

    def __call__(
        self, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        """Pass it on and note it."""
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if environ["REQUEST_METHOD"] != "GET":
            self._controller.note(request, "received", reset=_reset(environ))
        status: list[str] = []

        def note_status(line: str, *rest: Any) -> Any:
            status.append(line)
            return start_response(line, *rest)

        body = list(self._application(environ, note_status))
        more = {}
        if b'"PowerState"' in b"".join(body):
            more["power"] = _power(b"".join(body))
        self._controller.note(request, "".join(status), **more)
        return body


def _reset(environ: dict[str, Any]) -> str | None:
    """The kind of reset that is asked for; the body can be read again."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        return str(json.loads(body)["ResetType"])
    except (ValueError, KeyError, TypeError):
        return None


def _power(body: bytes) -> str:
    after = body.partition(b'"PowerState":')[2]
    return after.split(b'"')[1].decode()


def main() -> None:
    """Serve."""
    directory, config = sys.argv[1:]
    controller = faults.Controller(pathlib.Path(directory))
    Driver.controller = controller
    fakedriver.FakeDriver = Driver
    # Not the emulator's own main: it would put its check of the password
    # around the transcript, and refused requests would not be in it.
    application = emulator.app
    application.configure(config_file=config)
    application.wsgi_app = Transcript(application.wsgi_app, controller)
    settings = application.config
    application.run(
        host=settings["SUSHY_EMULATOR_LISTEN_IP"],
        port=settings["SUSHY_EMULATOR_LISTEN_PORT"],
    )


if __name__ == "__main__":
    main()
