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

"""The driver that the documentation shows keeps the contract."""

import importlib.util
import pathlib
import sys
import types

from tests import base

_EXAMPLES = (
    pathlib.Path(__file__).parents[3] / "doc/source/contributor/examples"
)


def _load(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, _EXAMPLES / f"{name}.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_load("relay")


class RelayContractTest(_load("test_relay").RelayContractTest, base.TestCase):
    """The page "A driver of your own"."""
