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

"""TLS to a real server: whose certificate is taken, and for which name."""

import pathlib
import tempfile
import threading
import time
from typing import Any, ClassVar

from nova_ha import clock
from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings
from nova_ha.coordination import tree as tree_module
from tests import base
from tests import zookeeper_server
from tests.contract.coordination import authority
from tests.contract.coordination import zookeeper

TIMEOUT = 10.0
REFUSED = 3.0
"""Seconds that a connection which must not come about is waited for."""


class TlsCase(base.TestCase):
    """A member whose certificate is for the name ``localhost``."""

    client_auth: ClassVar[str] = "none"
    directory: ClassVar[pathlib.Path]
    ca: ClassVar[authority.Authority]
    port: ClassVar[int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)
        cls.ca = authority.Authority(cls.directory, "ca")
        store = cls.directory / "member.pem"
        store.write_text(
            "".join(
                pathlib.Path(file).read_text()
                for file in cls.ca.sign("member", "DNS:localhost")
            )
        )
        reserved = zookeeper_server.reserve()
        cls.addClassCleanup(reserved.close)
        cls.port = reserved.getsockname()[1]
        factory = "org.apache.zookeeper.server.NettyServerCnxnFactory"
        server = zookeeper_server.ZooKeeperServer(
            more={
                "serverCnxnFactory": factory,
                "secureClientPort": cls.port,
                "secureClientPortAddress": "127.0.0.1",
                "ssl.keyStore.location": store,
                "ssl.keyStore.type": "PEM",
                "ssl.trustStore.location": cls.ca.certificate,
                "ssl.trustStore.type": "PEM",
                "ssl.clientAuth": cls.client_auth,
            }
        )
        cls.addClassCleanup(server.destroy)
        reserved.close()
        server.start()

    def session(
        self, host: str = "localhost", **options: Any
    ) -> kazoo_znodes.KazooZnodes:
        """One that has yet to be started."""
        values: dict[str, Any] = {
            "use_ssl": True,
            "ca_file": str(self.ca.certificate),
        }
        session = opening.new_session(
            settings.Settings(
                hosts=f"{host}:{self.port}",
                session_timeout=TIMEOUT,
                username=acl.Role.OPERATOR,
                password=zookeeper.PASSWORDS[acl.Role.OPERATOR],
                **{**values, **options},
            ),
            clock.SystemClock(),
        )
        self.addCleanup(session.close)
        return session

    def refused(self, **options: Any) -> None:
        self.assertRaises(
            exception.CoordinationUnavailable,
            self.session(**options).start,
            REFUSED,
        )


class TlsTest(TlsCase):
    def test_the_right_authority_and_name(self) -> None:
        session = self.session()
        session.start()
        paths = paths_module.Paths("tls")
        ids = acl.identities(zookeeper.PASSWORDS)
        tree_module.init_tree(session, paths, ids)
        tree_module.check_tree(session, paths)
        self.assertEqual(TIMEOUT, session.session_timeout)

    def test_another_name(self) -> None:
        """The certificate says nothing of the address."""
        self.refused(host="127.0.0.1")

    def test_another_authority(self) -> None:
        other = authority.Authority(self.directory, "other")
        self.refused(ca_file=str(other.certificate))

    def test_those_of_the_system(self) -> None:
        self.refused(ca_file=None)

    def test_clear_text(self) -> None:
        self.refused(use_ssl=False)

    def test_unverified_by_wish(self) -> None:
        self.session(host="127.0.0.1", ca_file=None, verify=False).start()

    def test_many_answers_and_watches_come_at_once(self) -> None:
        """None stays behind in a record that has been decrypted already."""
        session = self.session(namespace="many")
        session.start()
        paths = paths_module.Paths("many")
        ids = acl.identities(zookeeper.PASSWORDS)
        tree_module.init_tree(session, paths, ids)
        hosts = [f"{paths.hosts}/c{number}" for number in range(300)]
        seen: list[str] = []
        all_seen = threading.Event()

        def watch(path: str) -> None:
            seen.append(path)
            if len(seen) == len(hosts):
                all_seen.set()

        began = time.monotonic()
        for path in hosts:
            session.create(path, b"x" * 1000)
        self.assertEqual(300, len(session.get_many(hosts, watch)))
        for path in hosts:
            session.set(path, b"")
        self.assertTrue(all_seen.wait(TIMEOUT))
        # One that waits for the next ping takes seconds.
        self.assertLess(time.monotonic() - began, 2 * TIMEOUT)


class ClientCertificateTest(TlsCase):
    client_auth = "need"

    def test_without(self) -> None:
        self.refused()

    def test_with(self) -> None:
        certificate, key = self.ca.sign("client", "DNS:client")
        self.session(cert_file=certificate, key_file=key).start()

    def test_another_authoritys(self) -> None:
        other = authority.Authority(self.directory, "stranger")
        certificate, key = other.sign("eve", "DNS:eve")
        self.refused(cert_file=certificate, key_file=key)
