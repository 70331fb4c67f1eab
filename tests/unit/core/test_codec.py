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

"""Payloads: what goes in comes out, and what does not fit is named."""

import dataclasses
import datetime
import json
from typing import Any

import hypothesis
from hypothesis import strategies as st

from nova_ha import exception
from nova_ha.core import codec
from nova_ha.core import model
from tests import base

NOW = datetime.datetime(2026, 3, 1, 12, 30, 5, 250000, tzinfo=datetime.UTC)

TEXT = st.text(max_size=20)
TIMES = st.datetimes(timezones=st.just(datetime.UTC))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)

# Mappings are given by hand: hypothesis makes a Mapping from nothing else.
st.register_type_strategy(datetime.datetime, TIMES)
st.register_type_strategy(float, NUMBERS)
st.register_type_strategy(str, TEXT)

MAPS = {
    "resources": st.dictionaries(TEXT, st.integers(), max_size=3),
    "times": st.dictionaries(TEXT, TIMES, max_size=3),
}


def values(cls: type) -> st.SearchStrategy[Any]:
    """Any value of a dataclass; fields outside the payload are fixed."""
    fixed: dict[str, Any] = {
        field.name: MAPS[field.name]
        for field in dataclasses.fields(cls)
        if field.name in MAPS
    }
    if cls is model.RecoveryCase:
        fixed["moves"] = st.lists(values(model.Move), max_size=3).map(tuple)
    if cls is model.Beacon:
        fixed["session"] = st.just(0)
    return st.builds(cls, **{**_inferred(cls), **fixed})


def _inferred(cls: type) -> dict[str, Any]:
    # st.builds leaves out arguments that have defaults, unless told.
    return {
        field.name: ...
        for field in dataclasses.fields(cls)
        if field.name not in MAPS
    }


STORED = (
    model.Beacon,
    model.Goodbye,
    model.GuestInventory,
    model.HostRecord,
    model.Control,
    model.Confirmation,
    model.PublishedVerdict,
    model.RecoveryCase,
)


class RoundTripTest(base.TestCase):
    @hypothesis.given(st.sampled_from(STORED).flatmap(values))
    @hypothesis.settings(
        max_examples=300,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    def test_every_stored_value(self, value: Any) -> None:
        data = codec.encode(value)
        self.assertEqual(value, codec.decode(type(value), data, "/x"))
        self.assertEqual(1, json.loads(data)["v"])

    @hypothesis.given(st.binary(max_size=80) | TEXT.map(str.encode))
    def test_rubbish_is_a_payload_error_and_nothing_else(
        self, data: bytes
    ) -> None:
        self.assertRaises(
            exception.PayloadError, codec.decode, model.Control, data, "/x"
        )

    def test_contender_takes_what_belongs_to_the_znode(self) -> None:
        contender = model.Contender(
            engine="ctl1:42", machine_id="m", epoch=model.Epoch(7)
        )
        data = codec.encode(contender)
        self.assertEqual(
            {"v", "engine", "machine_id", "refused"}, set(json.loads(data))
        )
        self.assertEqual(
            dataclasses.replace(contender, leading=True),
            codec.decode(
                model.Contender,
                data,
                "/x",
                epoch=model.Epoch(7),
                leading=True,
            ),
        )

    def test_session_of_a_beacon_is_not_stored(self) -> None:
        beacon = model.Beacon(
            host=model.HostName("c1"),
            boot_id=model.BootId("b"),
            machine_id="m",
            session=99,
        )
        self.assertNotIn("session", json.loads(codec.encode(beacon)))

    def test_form_of_times_enums_and_sets(self) -> None:
        inventory = model.GuestInventory(
            host=model.HostName("c1"),
            boot_id=model.BootId("b"),
            guests=frozenset({model.InstanceId("z"), model.InstanceId("a")}),
            sequence=3,
        )
        self.assertEqual(
            ["a", "z"], json.loads(codec.encode(inventory))["guests"]
        )
        goodbye = model.Goodbye(
            host=model.HostName("c1"),
            boot_id=model.BootId("b"),
            reason=model.GoodbyeReason.STOP,
            ttl=120.0,
            said_at=NOW,
        )
        body = json.loads(codec.encode(goodbye))
        self.assertEqual("2026-03-01T12:30:05.250000Z", body["said_at"])
        self.assertEqual("stop", body["reason"])

    def test_times_of_other_zones_become_utc(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=2))
        control = model.Control(at=NOW.astimezone(zone))
        self.assertEqual(
            model.Control(at=NOW),
            codec.decode(model.Control, codec.encode(control), "/x"),
        )


class CompatibilityTest(base.TestCase):
    """One release apart."""

    def test_unknown_keys_are_ignored(self) -> None:
        self.assertEqual(
            model.Control(armed=True),
            codec.decode(
                model.Control, b'{"v":1,"armed":true,"mood":"good"}', "/x"
            ),
        )

    def test_missing_keys_take_the_default(self) -> None:
        self.assertEqual(
            model.Control(), codec.decode(model.Control, b'{"v":1}', "/x")
        )

    def test_another_version_is_refused(self) -> None:
        for version in (b"2", b"true", b'"1"', b"null"):
            self._refused(model.Control, b'{"v":' + version + b"}", "v:")

    def _refused(self, cls: type, data: bytes, words: str) -> None:
        error = self.assertRaises(
            exception.PayloadError, codec.decode, cls, data, "/n/control"
        )
        self.assertEqual("/n/control", error.where)
        self.assertIn(words, error.problem)

    def test_misfits_name_the_field(self) -> None:
        for body, words in (
            (b'"armed":1', "armed: not true or false"),
            (b'"by":null', "by: not a string"),
            (b'"at":"yesterday"', "at: 'yesterday' is not a time in UTC"),
            (b'"at":"2026-03-01T12:30:05"', "is not a time in UTC"),
            (b'"at":"2026-03-01T12:30:05+02:00Z"', "is not a time in UTC"),
        ):
            self._refused(model.Control, b'{"v":1,%s}' % body, words)

    def test_misfits_inside_name_the_whole_way(self) -> None:
        base_body = (
            b'"id":"c","host":"h","boot_id":"b","opened_at":'
            b'"2026-03-01T12:30:05Z","verdict":{"kind":"down",'
            b'"reason":"power-off"}'
        )
        for body, words in (
            (b'"moves":[{"instance":"a"},{}]', "moves[1].instance: missing"),
            (b'"moves":{}', "moves: not a list"),
            (b'"moves":[7]', "moves[0]: not a JSON object"),
            (b'"times":{"x":1}', "times[x]: not a string"),
            (b'"state":"dancing"', "state: 'dancing' is not a CaseState"),
            (b'"state":["closed"]', "is not a CaseState"),
            (b'"fence_rounds":1.5', "fence_rounds: not a whole number"),
        ):
            self._refused(
                model.RecoveryCase, b'{"v":1,%s,%s}' % (base_body, body), words
            )

    def test_numbers_that_are_none(self) -> None:
        start = (
            b'{"v":1,"host":"h","boot_id":"b","reason":"stop",'
            b'"said_at":"2026-03-01T12:30:05Z","ttl":'
        )
        for number in (b"NaN", b"1e999", b"1" * 400, b"true"):
            self._refused(model.Goodbye, start + number + b"}", "ttl: not a")

    def test_deep_nesting_is_no_crash(self) -> None:
        self._refused(model.Control, b"[" * 200000, "")

    def test_not_an_object(self) -> None:
        self._refused(model.Control, b"[]", "not a JSON object")


class EncodeTest(base.TestCase):
    def test_size_is_bounded(self) -> None:
        control = model.Control(reason="x" * codec.MAX_BYTES)
        error = self.assertRaises(
            exception.PayloadError, codec.encode, control, "/n/control"
        )
        self.assertIn("/n/control", str(error))

    def test_values_of_a_wrong_type_are_refused(self) -> None:
        for wrong in (
            {"at": datetime.datetime(2026, 3, 1)},  # no time zone
            {"armed": "yes"},
            {"by": 7},
        ):
            self.assertRaises(
                exception.PayloadError,
                codec.encode,
                model.Control(**wrong),  # type: ignore[arg-type]
            )
