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
"""Does several things at the same time."""

import concurrent.futures
from collections.abc import Callable


class Steps:
    """Things that are done at the same time, and whose failures count."""

    def __init__(self) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor()
        self._begun: list[concurrent.futures.Future[None]] = []

    def begin(
        self, step: Callable[[], None]
    ) -> "concurrent.futures.Future[None]":
        """Start a step; its result() waits for its end."""
        self._begun.append(self._pool.submit(step))
        return self._begun[-1]

    def finish(self) -> None:
        """Wait for every step; raises what the first failed one raised."""
        for step in self._begun:
            step.result()
        self._pool.shutdown()

    def abandon(self) -> None:
        """Begin nothing more, and wait for what has begun."""
        self._pool.shutdown(cancel_futures=True)
