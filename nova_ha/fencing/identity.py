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

"""Is it the right chassis? Comparing system UUIDs.

SMBIOS stores the first three fields of a UUID little-endian; an IPMI device
may answer its GUID in that order, in the order of RFC 4122, or (as the IPMI
specification has it) entirely reversed. All are in the field.
"""

import uuid


def same_system(enrolled: str, reported: str) -> bool | None:
    """Whether two UUIDs name the same system, in any order of bytes.

    :returns: None where either is no UUID, or a placeholder (all zeros or
        all ones) that says nothing.
    """
    ours, theirs = parse(enrolled), parse(reported)
    if ours is None or theirs is None:
        return None
    return bool(_spellings(ours) & _spellings(theirs))


def mismatch(enrolled: str, reported: str) -> str:
    """What it means that they name two systems."""
    return (
        f"it controls the machine {reported}, but the host's agent says "
        f"{enrolled}: another machine would be switched off"
    )


def parse(text: str) -> uuid.UUID | None:
    """A UUID from text, None for what is none or a placeholder."""
    try:
        value = uuid.UUID(text.strip())
    except ValueError:
        return None
    return None if value.int in (0, 2**128 - 1) else value


def _spellings(value: uuid.UUID) -> frozenset[bytes]:
    return frozenset({value.bytes, value.bytes_le, value.bytes[::-1]})
