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

"""Whatever an agent or a stranger writes: it is read, or told of and skipped.

Nothing but :class:`exception.PayloadError` may come out of the codec, and
nothing at all out of the reader: one poisoned node must not keep the engine
from reading the others.
"""

import json

import fixtures
import hypothesis
from hypothesis import strategies

from nova_ha import exception
from nova_ha.coordination import paths
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import model
from tests import base

HOST = model.HostName("cmp1")
PATHS = paths.Paths()
CLASSES = (
    model.Beacon,
    model.Goodbye,
    model.GuestInventory,
    model.HostRecord,
    model.RecoveryCase,
    model.PublishedVerdict,
    model.Confirmation,
    model.Control,
)

FIELDS = strategies.sampled_from(
    sorted({name for cls in CLASSES for name in codec._fields(cls)} | {"v"})
)
SCALARS = (
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(strategies.characters(), max_size=20)
    | strategies.sampled_from(
        ["2026-03-01T12:30:05Z", "9999-12-31T23:59:59Z", "cmp1", "alive"]
    )
)
VALUES = strategies.recursive(
    SCALARS,
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(FIELDS, inner, max_size=6)
    ),
    max_leaves=20,
)
BODIES = strategies.dictionaries(FIELDS, VALUES, max_size=12).map(
    lambda body: json.dumps({"v": 1} | body).encode()
)
NASTY = strategies.sampled_from(
    [
        b"",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100000,
        b'{"v":1,"sequence":' + b"9" * 100000 + b"}",
        b'{"v":1,"ttl":NaN}',
        b'{"v":1,"ttl":1e99999}',
        b'{"v":1,"host":"\\ud800"}',
        b'{"v":1,"v":2}',
        b'{"v":true}',
        b"\xef\xbb\xbf{}",
        b"x" * 2_000_000,
    ]
)
PAYLOADS = BODIES | NASTY | strategies.binary(max_size=100)


class PoisonTestCase(base.TestCase):
    @hypothesis.given(strategies.sampled_from(CLASSES), PAYLOADS)
    def test_the_codec_reads_or_says_why_not(self, cls, data):
        others = {"session": 1} if cls is model.Beacon else {}
        try:
            value = codec.decode(cls, data, "/node", **others)
        except exception.PayloadError as error:
            self.assertLess(len(str(error)), 1000)
            return
        # What was read can be written, and shown to somebody.
        codec.encode(value, "/node")
        repr(value).encode()

    @hypothesis.given(
        strategies.dictionaries(
            strategies.sampled_from(
                [
                    PATHS.host(HOST),
                    PATHS.beacon(HOST),
                    PATHS.goodbye(HOST),
                    PATHS.guests(HOST),
                ]
            ),
            PAYLOADS,
        )
    )
    def test_the_reader_always_has_an_answer(self, payloads):
        nodes = {path: node(path, data) for path, data in payloads.items()}
        reader = reading.HostReader(None, PATHS)
        facts = reader.facts(HOST, nodes)
        self.assertEqual(PATHS.beacon(HOST) in nodes, facts.beacon is not None)
        self.assertEqual(PATHS.host(HOST) in nodes, facts.record is not None)


def node(path, data, changed=1):
    return znodes.Node(
        path=path, data=data, version=0, created=1, changed=changed, owner=7
    )


class DecoderTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.decoder = reading.Decoder()
        self.changes = 0

    def decode(self, data, cls=model.GuestInventory):
        self.changes += 1
        one = node(PATHS.guests(HOST), data, self.changes)
        return self.decoder.decode(cls, one, HOST)

    def told(self):
        return self.log.output.count("Unreadable")

    def inventory(self, *guests):
        return codec.encode(
            model.GuestInventory(
                host=HOST,
                boot_id=model.BootId("boot"),
                guests=frozenset(guests),
                sequence=1,
            )
        )

    def test_a_flood_of_rubbish_is_told_once(self):
        for number in range(100):
            self.assertIsNone(self.decode(b"rubbish %d" % number))
        self.assertEqual(1, self.told())

    def test_and_again_when_it_was_readable_in_between(self):
        self.decode(b"rubbish")
        self.assertIsNotNone(self.decode(self.inventory("i1")))
        self.decode(b"rubbish")
        self.assertEqual(2, self.told())

    def test_an_agent_cannot_fill_the_engines_memory(self):
        many = [f"{number:036}" for number in range(10000)]
        self.assertIsNone(self.decode(self.inventory(*many)))
        self.assertIn("bytes", self.log.output)
        self.assertIsNotNone(self.decode(self.inventory(*many[:5000])))

    def test_what_is_gone_is_forgotten(self):
        kept, gone = (PATHS.confirmation(f"case-{n}") for n in "12")
        for path in (kept, gone, PATHS.control):
            self.decoder.decode(model.Control, node(path, b"{}"))
        self.decoder.keep_below(PATHS.confirmations, [kept])
        self.assertEqual({kept, PATHS.control}, set(self.decoder._known))
