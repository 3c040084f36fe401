"""Look at a cluster and make topics in it: the hands of `expathub.kafka.provision`, which decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    NodeNotReadyError,
    NoError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    for_code,
)

from expathub.errors import ExpathubError
from expathub.kafka.provision import HUB_PREFIXES, Broker, Change, Cluster, Create, Found
from expathub.kafka.topics import BROKER_SETTINGS

T = TypeVar("T")

_SET_ON_TOPIC = 1
"""Kafka's ConfigSource for a setting that the topic has of its own (DYNAMIC_TOPIC_CONFIG)."""

_SILENCE = (NodeNotReadyError, KafkaConnectionError, RequestTimedOutError, TimeoutError)
_ATTEMPTS = 10
_ATTEMPT_PAUSE_SECONDS = 0.2

_SETTLE_SECONDS = 10.0
_SETTLE_PAUSE_SECONDS = 0.05


class TopicError(ExpathubError):
    """The cluster refused to make or change a topic."""


async def look(admin: AIOKafkaAdminClient) -> Cluster:
    """Read which brokers and which of the hub's topics there are, with their settings.

    Works while brokers are down, as long as one answers; raises the client's error when none does.
    """
    nodes = [broker["node_id"] for broker in (await _insist(admin.describe_cluster))["brokers"]]
    described = [
        topic
        for topic in await _insist(admin.describe_topics)
        if topic["topic"].startswith(HUB_PREFIXES) and not _error(topic)
    ]
    names = [ConfigResource(ConfigResourceType.TOPIC, topic["topic"]) for topic in described]
    settings = await _insist(lambda: _settings(admin, names))
    brokers = [await _broker(admin, node) for node in sorted(nodes)]
    return Cluster(
        tuple(broker for broker in brokers if broker),
        {topic["topic"]: _found(topic, *settings[topic["topic"]]) for topic in described},
    )


async def _broker(admin: AIOKafkaAdminClient, node: int) -> Broker | None:
    """Read what a broker is set to; None where it does not answer (the cluster may not have noticed yet)."""
    try:
        found = await _settings(admin, [ConfigResource(ConfigResourceType.BROKER, str(node))])
    except _SILENCE:
        return None
    in_force, _ = found[str(node)]
    return Broker(node, {key: in_force.get(key, "") for key in BROKER_SETTINGS})


async def _insist(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again where a broker does not answer: the client asks any, also one that has just gone."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(*_SILENCE):
            return await ask()
        await asyncio.sleep(_ATTEMPT_PAUSE_SECONDS)
    return await ask()


async def carry_out(admin: AIOKafkaAdminClient, actions: Iterable[Create | Change]) -> None:
    """Create and change topics, and return when every broker would answer for them; raises `TopicError`."""
    listed = list(actions)
    creations = [action for action in listed if isinstance(action, Create)]
    changes = [action for action in listed if isinstance(action, Change)]
    if creations:
        await _create(admin, creations)
    if changes:
        await _change(admin, changes)


async def _create(admin: AIOKafkaAdminClient, creations: list[Create]) -> None:
    wanted = [
        NewTopic(
            action.topic.name,
            action.topic.partitions,
            action.replication,
            topic_configs=dict(action.topic.settings),
        )
        for action in creations
    ]
    answer: Any = await _insist(lambda: admin.create_topics(wanted))
    for name, code, reason in answer.topic_errors:
        if for_code(code) is not TopicAlreadyExistsError:  # asked twice, or by two at once
            _refuse_unless_fine(name, code, reason, "made")
    await _settle(admin, {action.topic.name for action in creations})


async def _settle(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Wait until each new partition has a leader: a service started now must find them all."""
    try:
        async with asyncio.timeout(_SETTLE_SECONDS):
            while not await _settled(admin, names):  # noqa: ASYNC110 (only asking again tells)
                await asyncio.sleep(_SETTLE_PAUSE_SECONDS)
    except TimeoutError:
        raise TopicError(
            "New topics have no leader yet.", "Wait for the cluster, then `expathub provision verify`."
        ) from None


async def _settled(admin: AIOKafkaAdminClient, names: set[str]) -> bool:
    return not any(_error(topic) or _leaderless(topic) for topic in await admin.describe_topics(sorted(names)))


async def _change(admin: AIOKafkaAdminClient, changes: list[Change]) -> None:
    answers: list[Any] = await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, change.name, dict(change.settings)) for change in changes],
    )
    for answer in answers:
        for code, reason, _, name in answer.resources:
            _refuse_unless_fine(name, code, reason, "changed")


def _refuse_unless_fine(name: str, code: int, reason: str | None, done: str) -> None:
    error = for_code(code)
    if error is not NoError:
        raise TopicError(f"{name} could not be {done}: {reason or error.__name__}.", "Mend that and run it again.")


async def _settings(
    admin: AIOKafkaAdminClient, resources: list[ConfigResource]
) -> Mapping[str, tuple[dict[str, str], dict[str, str]]]:
    """Return for each resource its settings in force, and those among them that it has of its own."""
    answers: list[Any] = await admin.describe_configs(resources)
    found = {}
    for answer in answers:
        for code, reason, _, name, entries in answer.resources:
            _refuse_unless_fine(name, code, reason, "read")
            in_force = {key: value for key, value, *_ in entries if value is not None}
            own = {key: value for key, value, _, source, *_ in entries if source == _SET_ON_TOPIC and value is not None}
            found[name] = (in_force, own)
    return found


def _found(topic: Mapping[str, Any], in_force: Mapping[str, str], own: Mapping[str, str]) -> Found:
    replicas = [partition["replicas"] for partition in topic["partitions"]]
    return Found(
        name=topic["topic"],
        partitions=len(replicas),
        replication=min(map(len, replicas)),
        nodes=frozenset(node for nodes in replicas for node in nodes),
        settings=in_force,
        own_settings=own,
    )


def _error(topic: Mapping[str, Any]) -> bool:
    return for_code(topic["error_code"]) is not NoError


def _leaderless(topic: Mapping[str, Any]) -> bool:
    return any(partition["leader"] < 0 for partition in topic["partitions"])
