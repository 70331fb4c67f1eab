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

"""What becomes of a request, and of the errors of the libraries."""

import traceback

from keystoneauth1 import exceptions as ks_exc
from novaclient import exceptions as nova_exc

from nova_ha import exception
from nova_ha.compute import rest
from tests import base
from tests.unit.compute import fake_api

UNAVAILABLE = exception.ComputeUnavailable
REFUSED = exception.ComputeRefused

TRANSLATIONS = (
    (ks_exc.Unauthorized(), REFUSED, 401),
    (ks_exc.NotFound(), REFUSED, 404),
    (ks_exc.Conflict(), REFUSED, 409),
    (ks_exc.InternalServerError(), UNAVAILABLE, 500),
    (ks_exc.ServiceUnavailable(), UNAVAILABLE, 503),
    (ks_exc.GatewayTimeout(), UNAVAILABLE, 504),
    (ks_exc.ConnectTimeout("late"), UNAVAILABLE, 0),
    (ks_exc.ConnectFailure("no route"), UNAVAILABLE, 0),
    (ks_exc.SSLError("bad certificate"), UNAVAILABLE, 0),
    (ks_exc.DiscoveryFailure("no versions"), UNAVAILABLE, 0),
    (ks_exc.EndpointNotFound("compute"), exception.ComputeError, 0),
    (ks_exc.MissingAuthPlugin(), exception.ComputeError, 0),
    (nova_exc.BadRequest(400, "in use"), REFUSED, 400),
    (nova_exc.Conflict(409, "state"), REFUSED, 409),
    (nova_exc.ClientException(500, "oops"), UNAVAILABLE, 500),
    (nova_exc.ClientException(300, "choices"), exception.ComputeError, 300),
    (KeyError("servers"), exception.ComputeError, 0),
)


class TestTranslated(base.TestCase):
    def test_every_library_error(self) -> None:
        for error, expected, status in TRANSLATIONS:
            with self.subTest(error=repr(error)):
                raised = self.assertRaises(expected, self.fail_with, error)
                self.assertIs(expected, type(raised))
                self.assertEqual(status, raised.status)
                self.assertIn("asking", str(raised))

    def fail_with(self, error: Exception) -> None:
        with rest.translated("asking"):
            raise error

    def test_traceback_does_not_show_the_cause(self) -> None:
        try:
            self.fail_with(ks_exc.ConnectFailure("short"))
        except exception.ComputeError as error:
            text = "".join(traceback.format_exception(error))
            self.assertNotIn("keystoneauth1", text)

    def test_long_messages_become_one_short_line(self) -> None:
        error = self.assertRaises(
            REFUSED, self.fail_with, nova_exc.BadRequest(400, "a\nb" * 999)
        )
        self.assertNotIn("\n", str(error))
        self.assertLess(len(str(error)), 350)

    def test_own_errors_pass(self) -> None:
        self.assertRaises(
            exception.CellDown, self.fail_with, exception.CellDown("x")
        )


class TestReader(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = fake_api.FakeApi()
        self.reader = self.api.reader()

    def test_broken_connection_is_tried_once_more(self) -> None:
        self.api.answers["/x"] = [ks_exc.ConnectFailure("reset"), {"a": 1}]
        self.assertEqual({"a": 1}, self.reader.get("/x"))

    def test_not_twice(self) -> None:
        self.api.answers["/x"] = [ks_exc.ConnectFailure("reset")] * 3
        self.assertRaises(UNAVAILABLE, self.reader.get, "/x")
        self.assertEqual(2, self.api.count("/x"))

    def test_time_out_is_not_tried_again(self) -> None:
        self.api.answers["/x"] = ks_exc.ConnectTimeout("late")
        self.assertRaises(UNAVAILABLE, self.reader.get, "/x")
        self.assertEqual(1, self.api.count("/x"))

    def test_odd_answers(self) -> None:
        for answer in ("<html>", "[1]", "null", ""):
            with self.subTest(answer=answer):
                self.api.answers["/x"] = answer
                error = self.assertRaises(
                    exception.ComputeError, self.reader.get, "/x"
                )
                self.assertIn("makes no sense", str(error))

    def test_own_version_wins(self) -> None:
        self.api.answers["/x"] = {}
        self.reader.get("/x")
        self.reader.get("/x", microversion="2.87")
        self.assertEqual([None, "2.87"], self.api.microversions)


class TestPages(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = fake_api.FakeApi()
        self.entries = [{"id": n} for n in range(5)]
        self.api.answers["/x"] = fake_api.paged("xs", lambda _: self.entries)

    def read(self, limit: int, until_empty: bool = False) -> list[int]:
        pages = self.api.reader().pages(
            "/x", "xs", {"limit": limit}, marker="id", until_empty=until_empty
        )
        return [entry["id"] for page in pages for entry in page]

    def test_all_pages(self) -> None:
        for limit, requests in ((2, 3), (5, 2), (10, 1)):
            with self.subTest(limit=limit):
                self.api.calls.clear()
                self.assertEqual([0, 1, 2, 3, 4], self.read(limit))
                self.assertEqual(requests, len(self.api.calls))

    def test_short_page_does_not_end_it_if_told(self) -> None:
        """Nova drops entries after it has cut the page."""
        full = self.api.answers["/x"]

        def without_the_second(params: dict[str, object]) -> object:
            body = full(params)
            body["xs"] = [entry for entry in body["xs"] if entry["id"] != 1]
            if len(body["xs"]) < 2:
                body.pop("xs_links", None)
            return body

        self.api.answers["/x"] = without_the_second
        self.assertEqual([0], self.read(2))
        self.assertEqual([0, 2, 3, 4], self.read(2, until_empty=True))

    def test_missing_list(self) -> None:
        self.api.answers["/x"] = {"other": []}
        self.assertRaises(exception.ComputeError, self.read, 2)
