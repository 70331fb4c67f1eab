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

"""A token of Keystone, by the OS_* variables of the environment."""

import argparse
from collections.abc import Callable

from keystoneauth1 import exceptions as ks_exc
from keystoneauth1 import loading

from nova_ha import exception

_REMEDY = (
    "source the openrc of a user who may, or go to ZooKeeper directly: "
    "nova-ha --direct ..."
)


def tokens(timeout: float) -> Callable[[], str]:
    """How to get a token; nothing is asked before one is wanted.

    :param timeout: seconds for one request to Keystone.
    """
    parser = argparse.ArgumentParser()
    loading.register_session_argparse_arguments(parser)
    loading.register_auth_argparse_arguments(parser, [], default="password")
    # The command's own arguments are not Keystone's: only what the
    # environment says remains.
    given = parser.parse_args([])
    given.timeout = timeout

    def token() -> str:
        try:
            auth = loading.load_auth_from_argparse_arguments(given)
            session = loading.load_session_from_argparse_arguments(
                given, auth=auth
            )
            found = session.get_token()
        except ks_exc.ClientException as error:
            # It names what is missing, never its value.
            raise _unusable(str(error)) from None
        if not found:
            raise _unusable("there are none")
        return str(found)

    return token


def _unusable(why: str) -> exception.ConfigError:
    return exception.ConfigError(
        "OS_* variables of the environment", " ".join(why.split()), _REMEDY
    )
