"""What administrators do with runs of workflows and with messages that did not leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from runtime.actions import ActionSource, Offer, Outcome, register
from runtime.decisions import workflows
from runtime.decisions.workflow_store import PARKED, PAUSED, STOPPED, WAITING
from runtime.errors import Conflict
from runtime.messages import say
from runtime.messaging.outbox import FAILED, UNKNOWN, send_again

if TYPE_CHECKING:
    from runtime.records.values import Stored
    from runtime.site import Session

_OPEN = {"rerun": (PARKED, STOPPED), "skip": (PARKED,), "cancel": (PARKED, PAUSED, WAITING, STOPPED)}
_ICONS = {"rerun": "refresh", "skip": "player-track-next", "cancel": "player-stop"}
_DOES = {"rerun": workflows.rerun, "skip": workflows.skip, "cancel": workflows.cancel}


class RunActions(ActionSource):
    """Rerun a parked run, go on after the step that failed, or end it."""

    word = "workflow"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == "workflow_run"

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        if not session.user.admin:
            return
        for name, states in _OPEN.items():
            fits = record.raw("state") in states
            yield Offer(
                name=name,
                label=say(f"run.{name}", session.language),
                word=self.word,
                icon=_ICONS[name],
                why=None if fits else say("run.not_now", session.language),
                tone="primary" if name == "rerun" else "danger" if name == "cancel" else "",
                hidden=not fits,
            )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        _DOES[name](session, record.record_id or 0)
        return Outcome(message=say(f"run.{name}_done", session.language))


class MessageActions(ActionSource):
    """Send a message again that failed, or whose fate is unknown."""

    word = "message"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == "message"

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        if not session.user.admin:
            return
        fits = record.raw("state") in (FAILED, UNKNOWN)
        yield Offer(
            name="send_again",
            label=say("message.send_again", session.language),
            word=self.word,
            icon="send",
            why=None if fits else say("run.not_now", session.language),
            confirm=say("message.maybe_twice", session.language) if record.raw("state") == UNKNOWN else "",
            hidden=not fits,
        )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        if not send_again(session, record.record_id or 0):
            raise Conflict("already_done")
        return Outcome(message=say("message.sent_again", session.language))


register(RunActions())
register(MessageActions())
