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

# Make a virtual environment, or bring an existing one up to date.
#
#     tools/venv.sh DIRECTORY PIP-ARGUMENT...
#
# PYTHON names the interpreter (python3 by default, 3.11 or later). On Debian
# and Ubuntu, where "venv" is a package of its own, it is installed if need be.

set -euo pipefail

directory=$1
shift
python=${PYTHON:-python3}

as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

if ! command -v "$python" > /dev/null; then
    echo "$python is not there. Install Python 3.11 or later, or name it:" \
        "make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old: nova_ha needs Python 3.11 or" \
        "later. Name another one: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    package=$("$python" -c \
        'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "Installing $package: $python cannot make virtual environments"
    # The lists of another apt that is just running do as well.
    as_root apt-get -qq update || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o DPkg::Lock::Timeout=300 install "$package"
fi

# A half-made environment (interrupted, or made by an interpreter that has
# gone) is made anew.
if ! "$directory/bin/python" -m pip --version > /dev/null 2>&1; then
    echo "Making the virtual environment $directory"
    rm -rf "$directory"
    "$python" -m venv "$directory"
fi

echo "Installing into $directory: $*"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
