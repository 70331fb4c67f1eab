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

"""The shared instances path: storage heartbeats in virtual time.

One share for all hosts and engines. The agent's writer and the engine's
driver are the real ones; only the files are modelled. Like a hard NFS mount,
the path gives no error while its network is cut: whoever uses it hangs until
it is back.
"""

from collections.abc import Sequence

from nova_ha.agent import heartbeat as agent_heartbeat
from nova_ha.core import heartbeat
from nova_ha.core import model
from nova_ha.evidence import storage
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network

_LATENCY = 0.005
"""Seconds that one operation takes."""

_RETRY = 1.0
"""Seconds between two attempts of a mount that gets no answer."""

_PATH = "/shared"
"""Where it would be mounted."""


class Share:
    """The files in it, by name."""

    def __init__(
        self, kernel: kernel_mod.Kernel, networks: network.Networks
    ) -> None:
        self.files: dict[str, bytes] = {}
        self._kernel = kernel
        self._networks = networks

    def reach(self, program: kernel_mod.Program, node: str) -> None:
        """Let one operation of a thread arrive, however long that takes.

        :param node: whence it comes, in the network.
        """
        program.check_alive()
        self._kernel.pause(_LATENCY)
        while not self._networks.reaches(node, network.Server.STORAGE):
            self._kernel.pause(_RETRY)


class Writer(agent_heartbeat.HeartbeatWriter):
    """One agent's, on the share."""

    def __init__(
        self,
        identity: model.Beacon,
        share: Share,
        program: kernel_mod.Program,
        interval: float,
    ) -> None:
        """:param interval: seconds between two heartbeats."""
        super().__init__(
            identity, path=_PATH, interval=interval, clock=program.clock
        )
        self._host = identity.host
        self._share = share
        self._program = program

    def put(self, content: bytes) -> None:
        self._share.reach(self._program, self._host)
        self._share.files[heartbeat.file_name(self._host)] = content


class Reader(storage.StorageHeartbeats):
    """One engine's, of the share."""

    def __init__(
        self,
        share: Share,
        program: kernel_mod.Program,
        node: str,
        interval: float,
    ) -> None:
        """:param interval: seconds between two looks at all files."""
        super().__init__(_PATH, program.clock, interval)
        self._share = share
        self._program = program
        self._node = node

    def file_names(self) -> Sequence[str]:
        self._share.reach(self._program, self._node)
        return sorted(self._share.files)

    def content(self, name: str) -> bytes:
        self._share.reach(self._program, self._node)
        try:
            return self._share.files[name]
        except KeyError:
            raise FileNotFoundError(name) from None
