#!/usr/bin/env bash
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

# Tests on real servers: run them, and what fails once more, by itself.
#
#   tools/run-on-servers.sh [arguments of "stestr run"]
#
# A machine with two processors that others use, too, sometimes stands still
# for longer than a session time-out, and then nova_ha rightly acts upon it.
# Such a test gets one more chance, with nothing beside it, and is named in
# the output. What fails twice has failed.

set -euo pipefail

if stestr run "$@"; then
    exit 0
fi
failing=$(stestr failing --list || true)
if [ -z "$failing" ]; then
    echo "==> The tests could not be run" >&2
    exit 1
fi
echo "==> Once more, one at a time:"
echo "$failing"
stestr run --failing --concurrency 1
echo "==> These failed once, beside others, and passed by themselves:"
echo "$failing"
