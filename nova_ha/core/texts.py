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

"""Texts that others write are bounded before they are kept or repeated."""

MOST = 500
"""Characters: enough for an error and its cause, too few to flood a log or
to fill a znode."""

CUT = "..."


def clip(text: str, most: int = MOST) -> str:
    """The text, cut to ``most`` characters."""
    if len(text) <= most:
        return text
    return text[: most - len(CUT)] + CUT
