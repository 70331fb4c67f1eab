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

"""A real ZooKeeper for the tests of a class, and sessions in every role."""

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

from nova_ha import clock
from nova_ha.coordination import acl
from nova_ha.coordination import credentials
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import proxy as proxy_module
from tests.zookeeper_server import ZooKeeperServer
from tests.zookeeper_server import wait_until

TIMEOUT = 2.0
"""Session time-out of the tests, seconds; the tick is 0.1 s."""

PASSWORDS = {role: f"{role}-has-this-long-password" for role in acl.Role}


def own_password(host: str) -> str:
    """Of the credential that is one host's own."""
    return f"{host}-has-this-password-of-its-own"


_NUMBERS = itertools.count()


class ZooKeeperTest(coordinated.Coordinated):
    """Each test has a namespace of its own, made by the operator."""

    server: ClassVar[ZooKeeperServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = ZooKeeperServer()
        cls.addClassCleanup(cls.server.destroy)
        cls.server.start()

    def setUp(self) -> None:
        super().setUp()
        self.clock = clock.SystemClock()
        self.paths = paths_module.Paths(f"n{next(_NUMBERS)}")
        self.proxies: dict[int, proxy_module.Proxy] = {}
        self.operator = self.open(acl.Role.OPERATOR)
        tree_module.init_tree(
            self.operator, self.paths, acl.identities(PASSWORDS)
        )

    def settings(
        self,
        role: str,
        *,
        password: str = "",
        timeout: float = TIMEOUT,
        hosts: str = "",
        host: str = "",
        host_password: str = "",
    ) -> settings.Settings:
        """:param host: whose own credential, too."""
        if host:
            host_password = host_password or own_password(host)
        return settings.Settings(
            hosts=hosts or self.server.hosts,
            namespace=self.paths.namespace,
            session_timeout=timeout,
            username=role,
            password=password or PASSWORDS[acl.Role(role)],
            host_username=acl.host_user(model.HostName(host)) if host else "",
            host_password=host_password,
        )

    def enrol(self, host: model.HostName, password: str = "") -> None:
        own = acl.identity(acl.host_user(host), password or own_password(host))
        credentials.enrol(self.operator, self.paths, host, own)

    def open_agent(
        self, host: model.HostName = coordinated.C1
    ) -> kazoo_znodes.KazooZnodes:
        self.enrol(host)
        return self.open(acl.Role.AGENT, host=host)

    def open(self, role: str, **settings: Any) -> kazoo_znodes.KazooZnodes:
        """A session of a role, behind a wire of its own."""
        proxy = proxy_module.Proxy(self.server.port)
        self.addCleanup(proxy.close)
        session = opening.new_session(
            self.settings(role, hosts=proxy.hosts, **settings), self.clock
        )
        self.addCleanup(session.close)
        session.start()
        self.proxies[id(session)] = proxy
        return session

    def wire(self, session: kazoo_znodes.KazooZnodes) -> proxy_module.Proxy:
        return self.proxies[id(session)]

    def cut_off(self, session: kazoo_znodes.KazooZnodes) -> None:
        self.wire(session).cut()
        self.eventually(lambda: session.state is not ConnectionState.CONNECTED)

    def reconnect(self, session: kazoo_znodes.KazooZnodes) -> None:
        self.wire(session).restore()
        self.eventually(lambda: session.state is ConnectionState.CONNECTED)

    def expire(self, session: kazoo_znodes.KazooZnodes) -> None:
        """Cut the wire until the server has ended the session."""
        old = f"0x{session.session:x}"
        self.cut_off(session)
        # "dump" lists the sessions that the server has not expired.
        self.eventually(lambda: old not in self.server.command("dump"))
        self.wire(session).restore()
        self.eventually(lambda: session.session not in (0, int(old, 16)))

    def eventually(
        self, condition: Callable[[], object], timeout: float = 15
    ) -> None:
        wait_until(condition, timeout)
