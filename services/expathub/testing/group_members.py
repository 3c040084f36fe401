"""Who is in a consumer group, and how to put somebody out of it: what the broker does after a silent session timeout.

For tests that cannot wait for that, and for the fault "thrown out of the group while at work".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.group import LeaveGroupRequest

from expathub.kafka import waiting


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One member as the broker knows it."""

    id: str
    client_id: str


async def members_of(bootstrap: str, group: str) -> list[GroupMember]:
    """List the members of a group; raises `KafkaUnreachableError`."""
    async with waiting.admin_client(bootstrap) as admin:
        answers: list[Any] = await admin.describe_consumer_groups([group])
    found = (member for answer in answers for one in answer.groups for member in one[5])
    return [GroupMember(member_id, client_id) for member_id, client_id, *_ in found]


async def put_out(bootstrap: str, group: str, chosen: Callable[[GroupMember], bool]) -> list[GroupMember]:
    """Put the chosen members out of a group, dead or alive; returns whom."""
    out = [member for member in await members_of(bootstrap, group) if chosen(member)]
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        for member in out:
            await client.send(node, LeaveGroupRequest(group, member.id))
    finally:
        await client.close()
    return out
