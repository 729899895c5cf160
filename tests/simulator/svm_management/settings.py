# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of API 3.0: what the pages leave open, what can go wrong, and how much there is to see.

Settings that are keyed by an address take ``host``, ``host:port``, or ``*`` for every address.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from simulator.settings import RANDOM, option


@dataclass
class SvmSettings:
    """Kept by `simulator.svm_management`; ``--set`` and ``PATCH /settings`` know the names."""

    _drawn: ClassVar[random.Random] = random.Random(0)

    svm_shape: str = option("fixed", "random: every shape of API 3.0 is drawn per answer", "fixed", RANDOM)

    token_seconds: float = option(1800.0, "seconds for which a bearer token is good", minimum=0)
    svm_error_shape: str = option("object", "body of an error of API 3.0", "object", "nested", "problem", "text")

    # ---- certificates
    certificate_accepted: str = option(
        "trusted", "what isAccepted says: whether the certificate is trusted by now, or always the same",
        "trusted", "always", "never",
    )  # fmt: skip
    certificate_warnings: dict[str, str] = option(  # noqa: RUF009
        None, "validationWarnings by address, several separated by |"
    )
    certificate_errors: dict[str, str] = option(  # noqa: RUF009
        None, "validationErrors by address, several separated by |"
    )
    certificate_versions: dict[str, str] = option(  # noqa: RUF009
        None, "any text by address: another text, another certificate and thumbprint"
    )
    address_kinds: dict[str, str] = option(  # noqa: RUF009
        None, "what answers at an address: https, ssh, or none"
    )
    thumbprint_style: str = option("upper", "how thumbprints are written", "upper", "lower", "colons")

    # ---- connections
    connection_seconds: float = option(1.0, "seconds that connecting takes; 0: the next look sees its end", minimum=0)
    refresh_delay_seconds: float = option(
        0.0, "seconds for which a refreshed infrastructure still shows what it had before", minimum=0
    )
    reconnect_seconds: float = option(
        0.0, "seconds after which a failed connection is tried again by itself; 0: only when refreshed", minimum=0
    )
    connection_errors: dict[str, str] = option(  # noqa: RUF009
        None, "a documented connection error by address; host@admin and host@readOnly mean one account"
    )
    connection_messages: bool = option(True, "whether errorMessage says more (the pages show it empty)")
    secondary_servers: dict[str, str] = option(  # noqa: RUF009
        None, "addresses of secondary XEN and NUMAVSERVER servers with the address of their primary"
    )
    known_accounts: dict[str, str] = option(  # noqa: RUF009
        None, "accounts of the infrastructures with their passwords; without any, every account is good"
    )
    duplicate_infrastructures: str = option(
        "refuse", "what adding the same type and address again does", "refuse", "allow"
    )
    list_infrastructures: bool = option(False, "whether the call that lists infrastructures exists")
    list_shape: str = option("array", "shape of the lists that the pages do not describe", "array", "object")
    read_only_key: str = option(
        "pages", "spelling of the read-only account in answers", "pages", "readOnly", "readonly"
    )
    read_only_info: str = option(
        "given",
        "whether connectionInfo tells of a read-only account that was not given: not, as connected, as not connected, or "
        "with an empty status",
        "given",
        "always",
        "unused",
        "empty",
    )
    read_only_details: str = option("full", "details of the read-only account (OpenStack)", "full", "pages")
    regions_nesting: str = option(
        "endpoints", "where microservices stand: all under endpoints, or as the listings have it", "endpoints", "pages"
    )
    openstack_regions: str = option("RegionOne", "regions of every OpenStack, separated by commas")
    microservice_protocol: str = option("keystone", "protocol of the microservices", "keystone", "http", "https")
    microservice_addresses: dict[str, str] = option(  # noqa: RUF009
        None, "address:port by microservice, or by host/microservice"
    )
    microservice_failure: str = option(
        "service", "where a failed microservice shows: there, or in the account too", "service", "account"
    )

    # ---- objects
    hypervisors: int = option(3, "hypervisors of a new infrastructure", minimum=1)
    projects: int = option(2, "OpenStack projects in each domain of a new infrastructure", minimum=1)
    domains: int = option(1, "OpenStack domains of a new infrastructure", minimum=1)
    vms_per_location: int = option(2, "virtual machines on each hypervisor or in each project", minimum=0)
    duplicate_names: bool = option(False, "whether every new infrastructure has several objects of one name")
    object_ids: str = option("uuid", "identifiers of objects", "uuid", "words")
    is_svm: str = option("shown", "whether machines say whether they are SVMs", "shown", "hidden")
    objects_shown: str = option(
        "current", "machines that are shown: as they are now, as they were when the infrastructure was last read (first "
        "shown, or refreshed), or as they were first shown",
        "current", "refreshed", "first",
    )  # fmt: skip
    objects_lag: str = option("all", "what objects_shown is about: all calls, or lists alone", "all", "lists")
    openstack_parent: str = option(
        "project", "parent of an SVM in OpenStack, and host of its task: its project, a hypervisor as in the listings, or "
        "the same with no project's list showing the SVM",
        "project", "hypervisor", "only hypervisor",
    )  # fmt: skip
    vm_includes_svms: bool = option(False, "whether the object type VM finds SVMs too")

    # ---- images
    list_images: bool = option(False, "whether the call that lists images exists")
    svm_version: str = option("6.2.0.1131", "version of newly registered images")
    image_damaged: bool = option(False, "whether images fail the check of their authenticity")
    missing_manifests: str = option("", "paths that the server cannot read, separated by |")
    numa_image_type: str = option("NUMAVSERVER", "which spelling images take", "NUMAVSERVER", "NUMAVERSER", "both")
    register_again: str = option(
        "new", "what registering a manifest again gives: a new id, the same id, or 409", "new", "same", "refuse"
    )

    # ---- SVMs and their tasks
    partial_failure: str = option(
        "Failed", "how a task ends when some of its children failed, but not all", "Failed", "Completed"
    )
    svm_visible: str = option("completed", "when a new SVM is listed", "completed", "created")
    required_elements: str = option(
        "pages", "which elements have to be there: all that the pages do not call optional, or the least",
        "pages", "least",
    )  # fmt: skip
    steps_nesting: str = option(
        "nested", "where steps stand: below their SVM's task, or beside it as the listing has them", "nested", "pages"
    )
    steps_shown: str = option("all", "which steps of an SVM under way are shown", "all", "started")
    result_before_end: str = option(
        "empty", "what tasks show as their result before they end: null, or true as in a listing", "empty", "true"
    )
    svm_task_error: str = option("text", "a task's error", "text", "object", "message")
    svm_task_status: int = option(200, "HTTP status of the answers that name a task of API 3.0", minimum=200)
    svm_task_answer: str = option(
        "task", "what the answer to a call that changes SVMs shows: its task in full, or some way to write the id",
        "task", "id", "text", "task_id", "nested", "location", "nothing",
    )  # fmt: skip
    svm_task_ids: str = option("shown", "whether a task shows the id of a new SVM", "shown", "hidden")
    svm_names: str = option("any", "whether a place takes two SVMs of one name", "any", "unique")
    svm_state_canceled: str = option("Cancelled", "spelling of a canceled task", "Cancelled", "Canceled", "Stopped")
    parameters_shape: str = option("list", "a task's parameters: key and value, or a mapping", "list", "mapping")
    list_tasks: bool = option(False, "whether API 3.0 lists tasks (no page says so)")
    cancel_tasks: bool = option(False, "whether API 3.0 cancels tasks (no page says so)")

    def shape(self, name: str) -> str:
        """The word to use for one answer of a setting that is a shape."""
        if self.svm_shape == RANDOM:
            choices: tuple[str, ...] = self.__dataclass_fields__[name].metadata["choices"]
            return self._drawn.choice(choices)
        word: str = getattr(self, name)
        return word
