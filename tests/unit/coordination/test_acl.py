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

"""The table of rights, by itself; a server's view is a contract test."""

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import Perm
from nova_ha.core import codec
from nova_ha.core import model
from tests import base
from tests.fakes import znodes as fake

PATHS = paths_module.Paths()
HOST = model.HostName("c1")
GOOD = {role: f"{role}-password-123456" for role in acl.Role}


class GrantsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = acl.identities(GOOD)

    def rights(self, path: str) -> dict[str, Perm]:
        return {
            entry.who.removeprefix("digest:"): entry.perms
            for entry in acl.acl_for(PATHS.root, path, self.ids)
        }

    def test_every_path_has_its_list(self) -> None:
        case = model.CaseId("k")
        for path in (
            PATHS.root,
            PATHS.roles,
            PATHS.control,
            PATHS.host(HOST),
            PATHS.agent(HOST),
            PATHS.beacon(HOST),
            PATHS.goodbye(HOST),
            PATHS.guests(HOST),
            f"{PATHS.leader}/c-1",
            PATHS.case(HOST),
            PATHS.verdict(HOST),
            PATHS.confirmation(case),
            PATHS.closed(case),
        ):
            self.assertIn("operator", self.rights(path), path)

    def test_nobody_else_and_nothing_for_the_world(self) -> None:
        for place in acl.GRANTS.values():
            self.assertLessEqual(set(place), {*acl.Role, acl.HOST})

    def test_only_operators_set_lists(self) -> None:
        for place, grants in acl.GRANTS.items():
            for role, perms in grants.items():
                admin = bool(perms & Perm.ADMIN)
                self.assertEqual(role == "operator", admin, (place, role))

    def test_schedulers_only_read(self) -> None:
        for place in acl.GRANTS.values():
            self.assertIn(place.get("scheduler", Perm.READ), (Perm.READ,))

    def test_the_role_of_agents_only_reads(self) -> None:
        for place in acl.GRANTS.values():
            self.assertIn(place.get("agent", Perm.READ), (Perm.READ,))

    def test_a_host_writes_at_its_place_only(self) -> None:
        self.assertEqual(
            ["agents/*", "agents/*/*"],
            [place for place, who in acl.GRANTS.items() if acl.HOST in who],
        )

    def test_a_list_names_the_owner_of_the_place(self) -> None:
        own = acl.identity(acl.host_user(HOST), "own")
        for path, perms in (
            (PATHS.agent(HOST), Perm.CREATE | Perm.DELETE),
            (PATHS.beacon(HOST), Perm.WRITE),
        ):
            found = acl.acl_for(PATHS.root, path, self.ids, own)
            self.assertIn(znodes.Acl("digest", own, perms), found)
            self.assertEqual(
                {"agent@c1"},
                {
                    entry.who.removeprefix("digest:")
                    for entry in found
                    if entry.perms & (Perm.CREATE | Perm.WRITE)
                }
                - {"operator"},
            )

    def test_the_leader_takes_beacons_away_and_makes_none(self) -> None:
        own = acl.identity(acl.host_user(HOST), "own")
        found = acl.acl_for(PATHS.root, PATHS.agent(HOST), self.ids, own)
        self.assertIn(
            znodes.Acl("digest", self.ids["engine"], Perm.READ | Perm.DELETE),
            found,
        )

    def test_what_operators_did_is_for_operators(self) -> None:
        for place in ("audit", "audit/*"):
            self.assertEqual({"operator"}, set(acl.GRANTS[place]))

    def test_places_that_are_none(self) -> None:
        for path in (
            "/nova-ha",
            "/nova-ha/defaulted",
            "/other",
            f"{PATHS.root}/unheard-of",
            f"{PATHS.root}/cases/a/b",
        ):
            self.assertRaises(
                ValueError, acl.acl_for, PATHS.root, path, self.ids
            )

    def test_identity_as_zookeeper_computes_it(self) -> None:
        # From ZooKeeper's documentation of DigestAuthenticationProvider.
        self.assertEqual(
            "super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
            acl.identity("super", "test"),
        )


class IdentitiesTest(base.TestCase):
    def refused(self, words: str, **changes: str | None) -> None:
        passwords = dict(GOOD)
        for role, password in changes.items():
            if password is None:
                del passwords[acl.Role(role)]
            else:
                passwords[acl.Role(role)] = password
        error = self.assertRaises(
            exception.ConfigError, acl.identities, passwords
        )
        self.assertIn(words, str(error))
        for password in passwords.values():
            self.assertNotIn(password, str(error))

    def test_refusals(self) -> None:
        self.refused("role agent: is missing", agent=None)
        self.refused("has 15 characters", engine="123456789012345")
        self.refused(
            "is that of the role engine, too",
            scheduler=GOOD[acl.Role.ENGINE],
        )

    def test_digests_stay_out_of_representations(self) -> None:
        ids = acl.identities(GOOD)
        shown = repr(acl.acl_for(PATHS.root, PATHS.root, ids))
        shown += repr(acl.Roles(ids=ids))
        for one in ids.values():
            self.assertNotIn(one.partition(":")[2], shown)


class PublishedAclsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tree = fake.Ensemble().client()
        self.tree.create("/nova-ha")
        self.tree.create(PATHS.root)

    def test_no_tree(self) -> None:
        error = self.assertRaises(
            exception.ConfigError, acl.read_ids, self.tree, PATHS.root
        )
        self.assertIn("nova-ha zk init", error.remedy)

    def test_a_changed_id_counts_at_once(self) -> None:
        source = acl.PublishedAcls(PATHS.root, "agent@c1:own")
        self.tree.create(PATHS.roles, b"")
        for ids in ({"agent": "agent:1"}, {"agent": "agent:2"}):
            payload = codec.encode(acl.Roles(ids=ids))
            self.tree.set(PATHS.roles, payload)
            entries = source(self.tree, PATHS.beacon(HOST))
            self.assertEqual(
                [
                    znodes.Acl("digest", ids["agent"], Perm.READ),
                    znodes.Acl("digest", "agent@c1:own", Perm.WRITE),
                ],
                list(entries),
            )

    def test_an_agent_without_own_credential_writes_as_its_role(self) -> None:
        """Where the place is still that of a former release."""
        source = acl.PublishedAcls(PATHS.root)
        self.tree.create(
            PATHS.roles, codec.encode(acl.Roles(ids={"agent": "agent:1"}))
        )
        self.assertEqual(
            {"agent:1"},
            {entry.id for entry in source(self.tree, PATHS.beacon(HOST))},
        )


class OwnerTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = acl.identities(GOOD)

    def owner(self, owner: str, host: model.HostName = HOST) -> str:
        entries = acl.acl_for(PATHS.root, PATHS.agent(HOST), self.ids, owner)
        return acl.owner_of(host, entries, self.ids)

    def test_of_its_own(self) -> None:
        own = acl.identity(acl.host_user(HOST), "own")
        self.assertEqual(own, self.owner(own))

    def test_of_the_role_and_of_nobody(self) -> None:
        shared = self.ids["agent"]
        self.assertEqual(shared, self.owner(shared))
        self.assertEqual("", self.owner(""))

    def test_another_hosts_is_nobodys(self) -> None:
        other = acl.identity("agent@c2", "own")
        self.assertEqual("", self.owner(other))

    def test_names_are_escaped(self) -> None:
        # No host can have the name of a role, or end the user name early.
        self.assertEqual("agent@a%3Ab", acl.host_user(model.HostName("a:b")))
