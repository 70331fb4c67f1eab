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

"""Sessions that somebody else goes on with, on a real ZooKeeper.

What it takes is the session's id, which everybody is shown: this is what a
thief can do, and what it is worth to him.
"""

import struct

import kazoo.client
import kazoo.exceptions

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import contenders
from nova_ha.coordination import election
from nova_ha.coordination import reading
from nova_ha.coordination import store as store_module
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.contract.coordination.election_contract import Engine

_SECRET = 0xB3415C00
"""ZooKeeperServer.superSecret, the same in every ZooKeeper."""

_MASK = (1 << 48) - 1


def session_password(session: int) -> bytes:
    """What ZooKeeperServer.generatePasswd makes of an id: 16 bytes of
    java.util.Random."""
    state = (session ^ _SECRET ^ 0x5DEECE66D) & _MASK
    words = []
    for _ in range(4):
        state = (state * 0x5DEECE66D + 0xB) & _MASK
        words.append(state >> 16)
    return struct.pack("<4I", *words)


class KeptSessionTest(zookeeper.ZooKeeperTest):
    def keep(self, session: int) -> kazoo.client.KazooClient:
        """Go on with a session, as the agent of c1 and from there."""
        role = acl.Role.AGENT
        user = acl.host_user(C1)
        thief = kazoo.client.KazooClient(
            hosts=self.server.hosts,
            timeout=zookeeper.TIMEOUT,
            client_id=(session, session_password(session)),
            auth_data=[
                ("digest", f"{role}:{zookeeper.PASSWORDS[role]}"),
                ("digest", f"{user}:{zookeeper.own_password(C1)}"),
            ],
        )
        thief.start()
        self.addCleanup(thief.close)
        self.addCleanup(thief.stop)
        self.assertEqual(session, thief.client_id[0])
        return thief

    def outlive(self) -> None:
        """Wait until a session that nobody keeps has ended."""
        other = self.open(acl.Role.ENGINE)
        old = f"0x{other.session:x}"
        self.cut_off(other)
        self.eventually(lambda: old not in self.server.command("dump"))

    def test_of_a_dead_host(self) -> None:
        self.enrol(C1)
        agent = self.open_agent(C2)
        theirs = beacons.ZooKeeperBeacons(agent, self.paths, C2)
        theirs.show(coordinated.beacon(host=C2))
        session = agent.session
        self.wire(agent).cut()
        thief = self.keep(session)
        self.outlive()
        path = self.paths.beacon(C2)
        engine = self.open(acl.Role.ENGINE)
        node = engine.get(path)
        assert node is not None, "ZooKeeper does not allow this any more"
        self.assertEqual(session, node.owner)
        # He says nothing with it, and what is taken from him stays so.
        refused = kazoo.exceptions.NoAuthError
        self.assertRaises(refused, thief.set, path, b"{}")
        epoch = self.stand(engine)
        store = store_module.ZooKeeperCaseStore(engine, self.paths)
        store.drop_beacon(epoch, C2, session)
        self.assertIsNone(engine.get(path))
        self.assertRaises(refused, thief.create, path, b"{}", ephemeral=True)
        # The host itself is back at once, by its agent's next try: the server
        # moves the session from one of its two clients to the other and back,
        # and closes the connection that it leaves.
        self.reconnect(agent)
        self.assertRaises(exception.CoordinationUnavailable, theirs.touch)
        self.eventually(lambda: self.shown(theirs))
        self.assertIsNotNone(engine.get(path))

    def shown(self, theirs: beacons.ZooKeeperBeacons) -> bool:
        try:
            theirs.show(coordinated.beacon(host=C2))
        except exception.CoordinationUnavailable:
            return False
        return True

    def test_of_a_dead_leader(self) -> None:
        self.enrol(C1)
        self.patch(election, "QUIET", 2.0)
        first = Engine(self, "e1")
        self.eventually(lambda: first.epoch)
        session = first.tree.session
        second = Engine(self, "e2")
        self.eventually(
            lambda: [one.engine for one in self.standing()] == ["e1", "e2"]
        )
        self.wire(first.tree).cut()
        self.keep(session)
        self.eventually(lambda: second.epoch)
        # It was not the end of the session that made it lead.
        self.assertIn(f"0x{session:x}", self.server.command("dump"))
        self.assertEqual("e2", self.standing()[0].engine)

    def standing(self) -> list[model.Contender]:
        return list(
            contenders.read(self.operator, self.paths, reading.Decoder())
        )
