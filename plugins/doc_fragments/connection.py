# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for the address of the Integration Server and the connection with it."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the connection options."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Name or IP address of the Integration Server.
      - Taken from the environment variable E(KSVLA_HOST) when it is not given.
    type: str
  port:
    description:
      - Port of the Integration Server.
      - Taken from the environment variable E(KSVLA_PORT) when it is not given.
    type: int
    default: 7271
  validate_certs:
    description:
      - Whether to verify the certificate of the Integration Server.
      - Rather than switching this off, trust a self-signed certificate with O(ca_path) or O(fingerprint).
      - Taken from the environment variable E(KSVLA_VALIDATE_CERTS) when it is not given.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the certificates of the authorities to trust (PEM), or a folder of them, on the machine where the
        module runs; or the certificates themselves as PEM text.
      - Taken from the environment variable E(KSVLA_CA_PATH) when it is not given. A file or folder that it names on the
        controller is read there, also for a module that runs on another machine.
    type: path
  fingerprint:
    description:
      - The SHA-256 fingerprint of the Integration Server's certificate, with or without colons.
      - Trusts exactly this certificate, no matter who signed it. With O(ca_path) as well, both must match.
      - Taken from the environment variable E(KSVLA_FINGERPRINT) when it is not given.
    type: str
  request_timeout:
    description:
      - Seconds to wait for a connection, and for each piece of an answer.
      - Taken from the environment variable E(KSVLA_REQUEST_TIMEOUT) when it is not given.
    type: float
    default: 30
  retries:
    description:
      - How often a request is repeated after a failure that may be temporary, with growing pauses.
      - A request that changes something is repeated only after checking that it did not take effect.
      - Taken from the environment variable E(KSVLA_RETRIES) when it is not given.
    type: int
    default: 5
requirements:
  - requests
notes:
  - Environment variables are read on the controller, from where Ansible runs and then from the C(environment) of the
    task, and handed to the module as options. So they also apply with C(become) and on another machine. An empty
    variable is unset.
  - With a local connection the work is done inside the controller, without starting a process for it. Set the variable
    C(ksvla_execution) or E(KSVLA_EXECUTION) to V(module) to start a process for each task, or to V(controller) to fail
    where the controller cannot do the work.
  - Long waits show their progress on the standard error stream. Set the variable C(ksvla_progress) or
    E(KSVLA_PROGRESS) to V(false) to show none.
"""
