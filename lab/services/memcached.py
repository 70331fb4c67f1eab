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

"""memcached, for keystone's tokens."""

from lab import network
from lab.services import base


class Memcached:
    """One cache."""

    def __init__(self, site: base.Site) -> None:
        self._site = site
        self._port = site.ports.get("memcached")
        server = base.system_command("memcached")
        self.process = site.server(
            "memcached",
            f"{server} -u {base.account()} -l {network.LOOPBACK} "
            f"-p {self._port} -U 0 -m 64 -c 1024".split(" "),
        )

    @property
    def address(self) -> str:
        """host:port."""
        return f"{network.LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        :raises lab.process.LabError: when it does not.
        """
        self.process.start()
        self._site.wait_listening(self.process, self._port)

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()
