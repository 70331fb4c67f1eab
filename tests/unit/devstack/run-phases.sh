#!/bin/bash
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

# Runs phases of the plugin as stack.sh, unstack.sh and clean.sh do, in a
# directory of its own, and records what would have changed the machine.
#
# run-phases.sh MODE[:PHASE] ...
#
# Environment: SANDBOX, NOVA_HA_REPOSITORY, ENABLED_SERVICES, and what a node's
# local.conf would set. DEVSTACK_DIR: a checkout of DevStack, whose library is
# used instead of library.sh.

set -o errexit

TOP_DIR=$SANDBOX
DEST=$SANDBOX/stack
DATA_DIR=$DEST/data
FILES=$SANDBOX/files
SYSTEMD_DIR=$SANDBOX/systemd
SYSTEMCTL=systemctl
STACK_USER=$(id -un)
GLOBAL_VENV=True
DEVSTACK_VENV=$SANDBOX/venv
PATH=$DEVSTACK_VENV/bin:$PATH
REGION_NAME=RegionOne
SERVICE_HOST=${SERVICE_HOST:-192.0.2.10}
SERVICE_PASSWORD=secret
SERVICE_DOMAIN_NAME=Default
SERVICE_PROJECT_NAME=service
KEYSTONE_SERVICE_URI=http://$SERVICE_HOST/identity
RABBIT_USERID=stackrabbit
RABBIT_PASSWORD=secret
ENABLE_DEBUG_LOG_LEVEL=True
LOG_COLOR=True
VIRT_DRIVER=${VIRT_DRIVER:-libvirt}
LIBVIRT_GROUP=libvirt
NOVA_CONF=$SANDBOX/etc/nova.conf
NOVA_INSTANCES_PATH=$DATA_DIR/nova/instances
NOVA_HA_CONF_DIR=$SANDBOX/etc/nova-ha
# What GetDistro would find.
os_VENDOR=Debian
os_RELEASE=12
os_CODENAME=bookworm
os_PACKAGE=deb
DISTRO=bookworm

function record {
    (IFS=$'\t' && echo "$*") >> "$SANDBOX/calls"
}

# -- The machine -------------------------------------------------------------

function sudo {
    "$@"
}

function systemctl {
    record systemctl "$@"
    local enabled=$SANDBOX/enabled/${2:-}
    case $1 in
        enable) touch "$enabled" ;;
        disable) rm "$enabled" ;;
        is-enabled) [[ -e $enabled ]] ;;
    esac
}

function openstack {
    record openstack "$@"
    echo an-id
}

# -- The library -------------------------------------------------------------

if [[ -n "${DEVSTACK_DIR:-}" ]]; then
    source "$DEVSTACK_DIR/functions"
    source "$DEVSTACK_DIR/lib/rpc_backend"
    eval "$(sed -n '/^function create_service_user /,/^}/p' "$DEVSTACK_DIR/lib/keystone")"
    DEVSTACK_PLUGINS=nova-ha
    GITDIR[nova-ha]=$NOVA_HA_REPOSITORY
else
    source "$(dirname "${BASH_SOURCE[0]}")/library.sh"
fi

# What would need a network, or talks.
for name in echo_summary install_package pip_install; do
    eval "function $name { true; }"
done

# Record the calls, and then do what the library does.
for name in install_package setup_develop create_service_user run_process \
    stop_process merge_config_file; do
    eval "library_$(declare -f "$name")"
    eval "function $name { record $name \"\$@\"; library_$name \"\$@\"; }"
done

for phase in override_defaults source "$@"; do
    # As in DevStack, an empty phase is no argument to tell from none.
    run_phase ${phase/:/ }
done
