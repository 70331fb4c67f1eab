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

"""A REST API that answers what a test puts into it."""

import json
from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as ks_exc

from nova_ha import clock
from nova_ha.compute import rest

Answer = Any
"""A JSON object, an exception to raise, or a function of the query."""


class FakeClock(clock.SystemClock):
    """Monotonic time as set by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeResponse:
    def __init__(self, body: Any) -> None:
        self._text = body if isinstance(body, str) else json.dumps(body)

    def json(self) -> Any:
        return json.loads(self._text)


class FakeApi:
    """Stands for keystoneauth's adapter."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.microversions: list[str | None] = []

    def get(
        self,
        path: str,
        params: dict[str, Any],
        headers: dict[str, str],
        microversion: str | None = None,
    ) -> FakeResponse:
        self.calls.append((path, params))
        self.microversions.append(microversion)
        answer = self.answers.get(path, ks_exc.NotFound())
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, list):  # one after another
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return FakeResponse(answer)

    def reader(self) -> rest.Reader:
        return rest.Reader(self, "fake")  # type: ignore[arg-type]

    def count(self, path: str) -> int:
        return sum(1 for called, _params in self.calls if called == path)


def paged(
    key: str,
    entries: Callable[[dict[str, Any]], list[dict[str, Any]]],
    marker: str = "id",
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Serve a list as Nova does, with limit, marker and links."""

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        found = entries(params)
        if "marker" in params:
            names = [str(entry[marker]) for entry in found]
            found = found[names.index(params["marker"]) + 1 :]
        page = found[: params["limit"]]
        body: dict[str, Any] = {key: page}
        if len(page) == params["limit"]:
            body[f"{key}_links"] = [{"rel": "next", "href": "..."}]
        return body

    return answer
