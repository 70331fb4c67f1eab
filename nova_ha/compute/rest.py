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

"""One request to Nova, Placement or Keystone, and what became of it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exc
from novaclient import exceptions as nova_exc
from oslo_log import log as logging

from nova_ha import exception

LOG = logging.getLogger(__name__)

Json = Mapping[str, Any]
Params = Mapping[str, str | int]

_LONGEST_ERROR = 300


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn errors of the libraries into those of the port.

    The cause is dropped on purpose: its traceback could show credentials.

    :raises ComputeUnavailable: no answer, or an error of the server (5xx).
    :raises ComputeRefused: 4xx, without effect.
    :raises ComputeError: anything else.
    """
    try:
        yield
    except nova_exc.ClientException as error:
        raise from_status(what, error.code, error.message) from None
    except ks_exc.HttpError as error:
        raise from_status(what, error.http_status, error.message) from None
    except (ks_exc.ConnectionError, ks_exc.DiscoveryFailure) as error:
        raise exception.ComputeUnavailable(
            f"{what}: no answer: {_short(error)}"
        ) from None
    except ks_exc.ClientException as error:
        raise exception.ComputeError(f"{what}: {_short(error)}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise exception.ComputeError(
            f"{what}: the answer makes no sense: {error!r:.100}"
        ) from None


def from_status(
    what: str, status: int | None, message: object
) -> exception.ComputeError:
    """The exception for an HTTP error."""
    status = int(status or 0)
    text = f"{what}: HTTP {status}: {_short(message)}"
    if 400 <= status < 500:
        return exception.ComputeRefused(text, status)
    if status >= 500:
        return exception.ComputeUnavailable(text, status)
    return exception.ComputeError(text, status)


def _short(message: object) -> str:
    return " ".join(str(message).split())[:_LONGEST_ERROR]


class Reader:
    """Reads JSON from one service.

    A read whose connection broke is sent once more, at once: a kept
    connection may have been closed by the server in the meantime. One that
    timed out is not, the deadline of the caller has passed.
    """

    def __init__(self, client: adapter.Adapter, service: str) -> None:
        self._client = client
        self._service = service

    def get(
        self,
        path: str,
        params: Params | None = None,
        microversion: str | None = None,
    ) -> Json:
        """GET a JSON object.

        :raises ComputeUnavailable: see :func:`translated`.
        :raises ComputeRefused: see :func:`translated`.
        :raises ComputeError: see :func:`translated`.
        """
        what = f"{self._service}: GET {path}"
        with translated(what):
            try:
                return self._get(path, params, microversion)
            except ks_exc.ConnectFailure as error:
                LOG.debug("%s: asked again after: %s", what, _short(error))
                return self._get(path, params, microversion)

    def _get(
        self, path: str, params: Params | None, microversion: str | None
    ) -> Json:
        # None would win over the adapter's own default.
        chosen = {"microversion": microversion} if microversion else {}
        response = self._client.get(
            path,
            params=dict(params or {}),
            headers={"Accept": "application/json"},
            **chosen,
        )
        body = response.json()
        if not isinstance(body, dict):
            raise TypeError("not a JSON object")
        return body

    def pages(
        self,
        path: str,
        key: str,
        params: Params,
        *,
        marker: str,
        microversion: str | None = None,
        until_empty: bool = False,
    ) -> Iterator[list[Json]]:
        """GET a list page by page.

        :param key: name of the list in the answer; ``<key>_links`` tells
            whether another page follows.
        :param marker: the attribute of an entry that names it as a marker.
        :param until_empty: go on until a page is empty, for lists from which
            Nova drops entries after it has cut the page: it then takes the
            short page for the last one and shows no link.
        """
        query = dict(params)
        while True:
            body = self.get(path, query, microversion)
            with translated(f"{self._service}: GET {path}"):
                page = list(body[key])
                linked = until_empty or bool(body.get(f"{key}_links"))
                following = linked and bool(page)
                if following:
                    query["marker"] = str(page[-1][marker])
            yield page
            if not following:
                return
