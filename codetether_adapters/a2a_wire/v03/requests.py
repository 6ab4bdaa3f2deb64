"""What release 0.3 asks in other shapes: how to answer, and webhooks."""

from __future__ import annotations

from typing import Any

import cattrs
from attrs import field, frozen

from codetether_adapters.a2a_wire.dialect import members
from codetether_adapters.a2a_wire.values import Authentication, Configuration, PushConfig

__all__ = ["shape_requests"]


@frozen(kw_only=True)
class _Authentication:
    schemes: tuple[str, ...]
    credentials: str | None = None


@frozen(kw_only=True)
class _Webhook:
    url: str
    id: str | None = None
    token: str | None = field(default=None, repr=False)
    authentication: _Authentication | None = None

    @classmethod
    def of(cls, config: PushConfig) -> _Webhook:
        known = config.authentication
        schemes = _Authentication(schemes=(known.scheme,), credentials=known.credentials) if known else None
        return cls(url=config.url, id=config.id, token=config.token, authentication=schemes)

    def config(self, task_id: str | None = None) -> PushConfig:
        known = self.authentication
        scheme = (
            Authentication(scheme=known.schemes[0], credentials=known.credentials) if known and known.schemes else None
        )
        return PushConfig(url=self.url, id=self.id, task_id=task_id, token=self.token, authentication=scheme)


@frozen(kw_only=True)
class _TaskWebhook:
    task_id: str
    push_notification_config: _Webhook


@frozen(kw_only=True)
class _Configuration:
    """``historyLength`` of 0 is all of it, as is none."""

    accepted_output_modes: tuple[str, ...] = ()
    history_length: int | None = None
    blocking: bool = True
    push_notification_config: _Webhook | None = None


def shape_requests(made: cattrs.Converter) -> None:
    """Give the converter these shapes."""

    def read_configuration(value: Any, _: Any) -> Configuration:
        told = made.structure(value, _Configuration)
        webhook = told.push_notification_config
        return Configuration(
            accepted_output_modes=told.accepted_output_modes,
            history_length=told.history_length or None,
            return_immediately=not told.blocking,
            push_config=webhook.config() if webhook else None,
        )

    def write_configuration(told: Configuration) -> Any:
        written = _Configuration(
            accepted_output_modes=told.accepted_output_modes,
            history_length=told.history_length,
            blocking=not told.return_immediately,
            push_notification_config=_Webhook.of(told.push_config) if told.push_config else None,
        )
        return made.unstructure(written)

    def read_config(value: Any, _: Any) -> PushConfig:
        if "pushNotificationConfig" not in members(value):
            return made.structure(value, _Webhook).config()
        told = made.structure(value, _TaskWebhook)
        return told.push_notification_config.config(told.task_id)

    def write_config(config: PushConfig) -> Any:
        written = _TaskWebhook(task_id=config.task_id or "", push_notification_config=_Webhook.of(config))
        return made.unstructure(written)

    made.register_structure_hook(Configuration, read_configuration)
    made.register_unstructure_hook(Configuration, write_configuration)
    made.register_structure_hook(PushConfig, read_config)
    made.register_unstructure_hook(PushConfig, write_config)
