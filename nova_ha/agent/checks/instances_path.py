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

"""Check ``instances_path``: Nova's instances path can be written to."""

import contextlib
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.agent import bounded
from nova_ha.core import model

_PREFIX = ".nova-ha-check-"


class InstancesPathCheck(ports.Check):
    """A small file can be written, synced and deleted within a deadline."""

    name = "instances_path"

    def __init__(
        self,
        *,
        path: str,
        host: str,
        deadline: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param host: part of the file's name: on shared storage every host
        writes a file of its own, always the same, so that a crash in the
        middle leaves at most one behind.
        :param deadline: seconds."""
        self._path = path
        self._file = pathlib.Path(path, _PREFIX + host.replace("/", "_"))
        self._probe = bounded.Bounded(
            self._write, deadline=deadline, clock=clock, name="probe-path"
        )

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self:
        path = settings["instances_path"]
        if not os.path.isabs(path):
            raise exception.ConfigError(
                "[agent] instances_path",
                f"{path!r} is not an absolute path",
                "take it from nova.conf, or instances_path out of checks",
            )
        return cls(
            path=path,
            host=settings["host"],
            deadline=settings["check_deadline"],
            clock=clock,
        )

    def run(self) -> model.CheckResult:
        detail = ""
        try:
            self._probe.call()
        except bounded.NoAnswer as error:
            detail = f"{self._path}: {error}"
        except OSError as error:
            why = error.strerror or type(error).__name__
            detail = f"{self._path} is not writable: {why}"
        return model.CheckResult(name=self.name, ok=not detail, detail=detail)

    def _write(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(self._file, flags | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, b"nova-ha-agent writes and deletes this\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._file)
