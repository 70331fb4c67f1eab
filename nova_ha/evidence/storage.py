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

"""The storage heartbeats, where the engine has the instances path mounted.

Everything is read by one thread. When the storage hangs that thread hangs,
and nothing else: the source is then no longer read, which proves nothing.
"""

import os
import pathlib
import threading
from collections.abc import Sequence
from typing import Self

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import events
from nova_ha.core import heartbeat
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.evidence import base

LOG = logging.getLogger(__name__)

ANSWER = 2.0
"""Seconds that a question for one host is waited for."""


class StorageHeartbeats(base.Driver, ports.SignReader):
    """Reads all heartbeats every ``interval`` seconds."""

    name = sources.STORAGE

    def __init__(
        self, path: str, clock: clock_mod.Clock, interval: float
    ) -> None:
        """:param path: Nova's instances path, as it is mounted here."""
        self._directory = pathlib.Path(path, heartbeat.DIRECTORY)
        self._clock = clock
        self._interval = interval
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._questions: list[_Question] = []
        self._trouble = ""
        self._strange: set[str] = set()

    @classmethod
    def from_surroundings(cls, around: base.Surroundings) -> Self:
        path = around.settings["storage_path"]
        if not os.path.isabs(path):
            raise exception.ConfigError(
                "[evidence] storage_path",
                f"{path!r} is not an absolute path",
                "say where Nova's shared instances path is mounted here, or "
                "take storage out of drivers",
            )
        return cls(path, around.clock, around.settings["interval"])

    def start(self, sink: ports.Sink) -> None:
        self._clock.spawn(lambda: self._run(sink), "storage-heartbeats")

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()

    # -- one host, at once ---------------------------------------------------

    def read(self, host: model.HostName) -> sources.Sign | None:
        question = _Question(host)
        with self._lock:
            self._questions.append(question)
        self._wake.set()
        self._clock.wait(question.answered, ANSWER)
        return question.answer

    def _answer(self) -> None:
        with self._lock:
            questions, self._questions = self._questions, []
        for question in questions:
            question.answer = self._read(heartbeat.file_name(question.host))
            question.answered.set()

    # -- all hosts -----------------------------------------------------------

    def look(self) -> events.SignsRead:
        """Read all heartbeats once. A storage that cannot be read shows
        nothing of any host."""
        began = self._clock.monotonic()
        looks = {}
        for name in self._names():
            host, sign = heartbeat.host_of(name), self._read(name)
            if host is not None and sign is not None:
                looks[host] = events.Look(sign=sign, began=began)
        return events.SignsRead(source=self.name, looks=looks)

    def _names(self) -> list[str]:
        try:
            names = sorted(self.file_names())
        except OSError as error:
            if not self._trouble:
                LOG.warning("Storage heartbeats cannot be read: %s", error)
            self._trouble = str(error)
            return []
        if self._trouble:
            LOG.info("Storage heartbeats can be read again")
        self._trouble = ""
        return [one for one in names if one.endswith(heartbeat.SUFFIX)]

    def _read(self, name: str) -> sources.Sign | None:
        try:
            data = self.content(name)
        except OSError:
            return None
        found = heartbeat.decode(data)
        if found is None:
            self._tell_strange(name)
            return None
        self._strange.discard(name)
        return found.sign

    def _tell_strange(self, name: str) -> None:
        if name not in self._strange:
            self._strange.add(name)
            LOG.error("%s/%s is no heartbeat", self._directory, name)

    # -- the seam to the storage itself --------------------------------------

    def file_names(self) -> Sequence[str]:
        """The names of all files.

        :raises OSError:
        """
        return os.listdir(self._directory)

    def content(self, name: str) -> bytes:
        """What a file holds now, or the beginning of it.

        :raises OSError:
        """
        # Opening it is what makes NFS ask its server for the file of now.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._directory / name, flags)
        try:
            return os.read(descriptor, heartbeat.MAX_BYTES + 1)
        finally:
            os.close(descriptor)

    # -- its thread ----------------------------------------------------------

    def _run(self, sink: ports.Sink) -> None:
        while not self._stopped.is_set():
            due = self._clock.monotonic() + self._interval
            try:
                sink(self.look())
            except Exception:
                # The edge of a thread that must outlive any odd file.
                LOG.exception("Storage heartbeats could not be understood")
            self._answer_until(due)

    def _answer_until(self, due: float) -> None:
        while not self._stopped.is_set():
            self._answer()
            left = due - self._clock.monotonic()
            if left <= 0 or not self._clock.wait(self._wake, left):
                return
            # Before the look at the questions: what comes later wakes again.
            self._wake.clear()


class _Question:
    """Somebody waits for a host's heartbeat of now."""

    def __init__(self, host: model.HostName) -> None:
        self.host = host
        self.answer: sources.Sign | None = None
        self.answered = threading.Event()
