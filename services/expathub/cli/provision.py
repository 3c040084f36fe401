"""`expathub provision`: the topics that the configuration needs, made and compared.

Credentials and access rules come later: so far this makes topics and the key file of the references.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line
from expathub.errors import SomethingFoundError
from expathub.settings import Settings, load_settings

if TYPE_CHECKING:
    from expathub.kafka.provision import Change, Create, Plan
    from expathub.kafka.topics import Topic

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Make the topics that the configuration asks for, or compare. Credentials and access rules come later.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.callback(invoke_without_command=True)
def provision(context: typer.Context) -> None:
    """Make the topics that the configuration asks for, or compare. Credentials and access rules come later.

    Without a sub-command: plan.
    """
    if context.invoked_subcommand is None:
        plan(as_json=False)


@app.command()
def plan(as_json: Json = False) -> None:
    """Say what `apply` would do. Changes nothing."""
    work = _Work.prepare()
    found = asyncio.run(work.compare())
    key_missing = not work.settings.reference_keys.exists()
    if as_json:
        print_json(_as_json(found, made_key=key_missing))
        return
    _print_plan(found)
    if key_missing:
        print_line(f"make {work.settings.reference_keys}")
    elif found.is_clean:
        print_line(f"Nothing to do: {len(work.topics)} topics are as configured.")


@app.command()
def apply(as_json: Json = False) -> None:
    """Make what is missing and set what differs. Deletes nothing; never changes a partition count (then exit 1)."""
    from expathub.shell import reference_keys

    work = _Work.prepare()
    found = asyncio.run(work.apply())
    made_key = reference_keys.make(work.settings.reference_keys)
    if as_json:
        print_json(_as_json(found, made_key=made_key))
    else:
        _print_plan(found)
        if made_key:
            print_line(f"made {work.settings.reference_keys} (keep a copy in a safe place)")
        print_line(f"{len(work.topics)} topics, {len(found.actions)} made or changed. Credentials come later.")
    if found.unmended:
        raise SomethingFoundError(
            f"{len(found.unmended)} differences only a person may mend.", "They are listed above."
        )


@app.command()
def drift(as_json: Json = False) -> None:
    """Compare the cluster with the configuration: exit 1 and the differences if there are any."""
    work = _Work.prepare()
    found = asyncio.run(work.compare())
    if as_json:
        print_json(_as_json(found, made_key=False))
    else:
        _print_plan(found)
        if found.is_clean:
            print_line(f"No drift: {len(work.topics)} topics are as configured.")
    if not found.is_clean:
        raise typer.Exit(1)


@app.command()
def verify(as_json: Json = False) -> None:
    """Prove what the hub relies on: topics, broker settings, the order of times. Exit 1 if something does not hold."""
    work = _Work.prepare()
    faults = asyncio.run(work.verify())
    if as_json:
        print_json({"topics": len(work.topics), "faults": faults})
    elif faults:
        for fault in faults:
            print_line(fault)
    else:
        print_line(f"Verified: {len(work.topics)} topics, broker settings, and the order of times.")
    if faults:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Work:
    """What each sub-command starts from."""

    settings: Settings
    topics: tuple[Topic, ...]

    @classmethod
    def prepare(cls) -> _Work:
        from expathub import configuration
        from expathub.kafka import topics, waiting

        settings = load_settings()
        waiting.silence_client()
        return cls(settings, topics.plan(configuration.load(settings.partners, settings.schemas)))

    async def compare(self) -> Plan:
        from expathub.kafka import cluster, provision, waiting

        async with waiting.admin_client(self.settings.bootstrap) as admin:
            return provision.compare(self.topics, await cluster.look(admin))

    async def apply(self) -> Plan:
        from expathub.kafka import cluster, provision, waiting

        async with waiting.admin_client(self.settings.bootstrap) as admin:
            found = provision.compare(self.topics, await cluster.look(admin))
            await cluster.carry_out(admin, found.actions)
            return found

    async def verify(self) -> Sequence[str]:
        from expathub.kafka import cluster, provision, waiting

        async with waiting.admin_client(self.settings.bootstrap) as admin:
            return provision.verify(self.topics, await cluster.look(admin))


def _print_plan(found: Plan) -> None:
    for action in found.actions:
        print_line(str(action))
    for difference in found.unmended:
        print_line(f"cannot mend {difference}")
    for name in found.left_alone:
        print_line(f"left alone {name}: not in the configuration")


def _as_json(found: Plan, *, made_key: bool) -> dict[str, Any]:
    return {
        "actions": [_action(action) for action in found.actions],
        "unmended": [{"topic": difference.name, "what": difference.what} for difference in found.unmended],
        "left_alone": list(found.left_alone),
        "reference_key": made_key,
    }


def _action(action: Create | Change) -> dict[str, Any]:
    from expathub.kafka.provision import Create

    if isinstance(action, Create):
        return {
            "action": "create",
            "topic": action.topic.name,
            "partitions": action.topic.partitions,
            "copies": action.replication,
            "settings": dict(action.topic.settings),
        }
    return {
        "action": "change",
        "topic": action.name,
        "settings": {key: {"from": old, "to": new} for key, old, new in action.changed},
    }
