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

"""Where things are: the names of the znodes.

``/nova-ha/<namespace>`` holds one region; see the table in the architecture.
A host's name is kept as Nova spells it. Characters that ZooKeeper or a
person's shell would trip over are escaped like in a URL (``%2F``), and the
way back accepts only what :func:`escape` would have written: otherwise an
agent could speak for ``cmp1`` from a node named ``%63mp1``.
"""

import dataclasses
import re
import urllib.parse

from nova_ha import exception
from nova_ha.core import model

TOP = "/nova-ha"

_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def escape(name: str) -> str:
    """Return ``name`` as the name of one znode.

    :raises PayloadError: it is empty, or not Unicode text.
    """
    if name.strip(".") == "":
        # "." and ".." mean something else in a path; "" means the parent.
        if not name:
            raise exception.PayloadError("znode name", "empty")
        return name.replace(".", "%2E")
    try:
        return urllib.parse.quote(name, safe="")
    except UnicodeEncodeError:
        raise exception.PayloadError(
            "znode name", f"{name!r:.80} is not Unicode text"
        ) from None


def unescape(node: str) -> str:
    """The way back.

    :raises PayloadError: :func:`escape` writes no such name.
    """
    try:
        name = urllib.parse.unquote(node, errors="strict")
    except UnicodeDecodeError:
        name = ""
    if not name or escape(name) != node:
        raise exception.PayloadError(
            node, "not the name of a host as nova_ha writes it"
        )
    return name


def name_of(path: str) -> str:
    """Name of the node at ``path``."""
    return path.rpartition("/")[2]


def parent_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """The tree of one namespace.

    :raises ConfigError: the namespace is not a plain name.
    """

    namespace: str = "default"

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise exception.ConfigError(
                "[zookeeper] namespace",
                f"{self.namespace!r:.80} is not a plain name",
                "use letters, digits, '.', '_' and '-', at most 64",
            )

    @property
    def root(self) -> str:
        return f"{TOP}/{self.namespace}"

    @property
    def roles(self) -> str:
        """ZooKeeper's ids of the roles; see :mod:`.acl`."""
        return f"{self.root}/roles"

    @property
    def hosts(self) -> str:
        return f"{self.root}/hosts"

    @property
    def agents(self) -> str:
        return f"{self.root}/agents"

    @property
    def leader(self) -> str:
        return f"{self.root}/leader"

    @property
    def lease(self) -> str:
        """Written by the leader at each renewal; see :mod:`.election`."""
        return f"{self.root}/lease"

    @property
    def cases(self) -> str:
        return f"{self.root}/cases"

    @property
    def verdicts(self) -> str:
        return f"{self.root}/verdicts"

    @property
    def confirmations(self) -> str:
        return f"{self.root}/confirmations"

    @property
    def requests(self) -> str:
        """Evacuations that operators ask for, by host."""
        return f"{self.root}/requests"

    @property
    def history(self) -> str:
        return f"{self.root}/history"

    @property
    def control(self) -> str:
        return f"{self.root}/control"

    @property
    def audit(self) -> str:
        """What operators did to the power of hosts; see :mod:`.audit`."""
        return f"{self.root}/audit"

    def deed(self, name: str) -> str:
        return f"{self.audit}/{escape(name)}"

    def host(self, host: model.HostName) -> str:
        return f"{self.hosts}/{escape(host)}"

    def agent(self, host: model.HostName) -> str:
        return f"{self.agents}/{escape(host)}"

    def beacon(self, host: model.HostName) -> str:
        return f"{self.agent(host)}/beacon"

    def goodbye(self, host: model.HostName) -> str:
        return f"{self.agent(host)}/goodbye"

    def guests(self, host: model.HostName) -> str:
        return f"{self.agent(host)}/guests"

    def case(self, host: model.HostName) -> str:
        return f"{self.cases}/{escape(host)}"

    def verdict(self, host: model.HostName) -> str:
        return f"{self.verdicts}/{escape(host)}"

    def confirmation(self, case: model.CaseId) -> str:
        return f"{self.confirmations}/{escape(case)}"

    def request(self, host: model.HostName) -> str:
        return f"{self.requests}/{escape(host)}"

    def closed(self, case: model.CaseId) -> str:
        return f"{self.history}/{escape(case)}"
