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


import traceback

from nova_ha.fencing import parameters as params
from tests import base


class ParameterTest(base.TestCase):
    def _parameter(self, kind: params.Kind, **more: object):
        return params.Parameter(name="p", help="h", kind=kind, **more)

    def _refused(self, parameter: params.Parameter, raw: object) -> str:
        return str(self.assertRaises(ValueError, parameter.convert, raw))

    def test_no_guessing_of_types(self) -> None:
        kinds = {
            params.Kind.TEXT: "x",
            params.Kind.INTEGER: 3,
            params.Kind.NUMBER: 2.5,
            params.Kind.BOOLEAN: True,
        }
        for kind, good in kinds.items():
            parameter = self._parameter(kind)
            self.assertEqual(good, parameter.convert(good))
            bad = [each for each in kinds.values() if each != good]
            for raw in [*bad, None, [], {}, "", "\n"]:
                if kind is params.Kind.NUMBER and raw == 3:
                    continue  # a whole number is a number
                self._refused(parameter, raw)

    def test_limits(self) -> None:
        parameter = self._parameter(
            params.Kind.INTEGER, minimum=1, maximum=65535
        )
        for raw in (1, 65535):
            self.assertEqual(raw, parameter.convert(raw))
        for raw in (0, 65536, -1):
            self.assertIn(str(raw), self._refused(parameter, raw))

    def test_not_a_number_is_out_of_every_range(self) -> None:
        parameter = self._parameter(
            params.Kind.NUMBER, minimum=0.1, maximum=300
        )
        self._refused(parameter, float("nan"))
        self._refused(parameter, float("inf"))

    def test_choices_and_checks(self) -> None:
        parameter = self._parameter(
            params.Kind.TEXT,
            choices=("a", "b"),
            check=lambda value: "no b" if value == "b" else None,
        )
        self.assertEqual("a", parameter.convert("a"))
        self.assertEqual("no b", self._refused(parameter, "b"))
        self.assertIn("not one of a, b", self._refused(parameter, "c"))

    def test_secret_does_not_show(self) -> None:
        parameter = self._parameter(params.Kind.SECRET)
        secret = parameter.convert("hunter2")
        self.assertEqual("hunter2", secret.reveal())
        values = params.Parameters({"p": secret})
        for shown in (
            repr(secret),
            str(secret),
            f"{secret}",
            repr(values),
            repr(values.for_host("h")),
        ):
            self.assertNotIn("hunter2", shown)
        for raw in (["hunter2"], "hunter2\x00"):
            self.assertNotIn("hunter2", self._refused(parameter, raw))


class ParametersTest(base.TestCase):
    def test_host_is_filled_in(self) -> None:
        values = params.Parameters(
            {
                "address": "{host}-bmc",
                "password": params.Secret("{host}"),
                "port": 623,
            }
        )
        self.assertTrue(values.per_host)
        filled = values.for_host("c1")
        self.assertEqual("c1-bmc", filled.text("address"))
        self.assertEqual("{host}", filled.secret("password").reveal())
        self.assertFalse(filled.per_host)

    def test_wrong_access_is_a_programming_error(self) -> None:
        values = params.Parameters({"a": params.Secret("hunter2"), "b": True})
        for call in (
            lambda: values.text("a"),
            lambda: values.number("b"),
            lambda: values.flag("a"),
            lambda: values.secret("b"),
        ):
            error = self.assertRaises(TypeError, call)
            shown = "".join(traceback.format_exception(error))
            self.assertNotIn("hunter2", shown)
