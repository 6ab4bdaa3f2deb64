"""Everything that the official SDK of release 0.3 does with an agent, and what it sees of it.

In: the agent's address, a token, the binding to speak, and where webhooks are to be told. Out: what was seen, in the
same words as the other clients use.
"""

import asyncio
import base64
import json
import sys
from uuid import uuid4

import httpx
from a2a.client import ClientCallContext, ClientConfig, ClientFactory
from a2a.client.auth import AuthInterceptor, InMemoryContextCredentialStore
from a2a.client.errors import A2AClientJSONRPCError
from a2a.types import (
    FilePart,
    GetTaskPushNotificationConfigParams,
    Message,
    MessageSendConfiguration,
    Part,
    PushNotificationConfig,
    Role,
    TaskArtifactUpdateEvent,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
    TextPart,
)

SESSION = ClientCallContext(state={"sessionId": "s"})
REFUSALS = {-32001: "TaskNotFound", -32002: "TaskNotCancelable", -32004: "UnsupportedOperation"}


def words(message):
    return "".join(part.root.text for part in message.parts) if message else ""


def content(part):
    return base64.b64decode(part.root.file.bytes).decode() if isinstance(part.root, FilePart) else part.root.text


def seen(task):
    return {
        "state": task.status.state.value.replace("-", "_"),
        "said": words(task.status.message),
        "artifacts": {each.name: "".join(map(content, each.parts)) for each in task.artifacts or []},
        "history": [words(message) for message in task.history or []],
    }


def event(update):
    if update is None:
        return "task"
    if isinstance(update, TaskArtifactUpdateEvent):
        return f"artifact {update.artifact.name}"
    return update.status.state.value.replace("-", "_")


async def refusal(call):
    try:
        await call
    except A2AClientJSONRPCError as error:
        return REFUSALS.get(error.error.code, error.error.code)
    return None


async def walk(agent, token, binding, hook):
    store = InMemoryContextCredentialStore()
    await store.set_credentials("s", "bearer", token)
    async with httpx.AsyncClient(timeout=60) as http:
        chosen = {"httpx_client": http, "supported_transports": [binding]}
        auth = [AuthInterceptor(store)]
        client = await ClientFactory.connect(agent, ClientConfig(**chosen), interceptors=auth)
        at_once = await ClientFactory.connect(agent, ClientConfig(streaming=False, **chosen), interceptors=auth)

        def asking(text, context=None, task=None):
            parts = [Part(root=TextPart(text=text))]
            return Message(message_id=uuid4().hex, role=Role.user, parts=parts, context_id=context, task_id=task)

        async def sent(*args, now=False, webhook=None, **kwargs):
            configuration = MessageSendConfiguration(blocking=not now, push_notification_config=webhook)
            answers = at_once.send_message(asking(*args, **kwargs), configuration=configuration, context=SESSION)
            ((task, _),) = [each async for each in answers]
            return task

        async def get(id):
            return await client.get_task(TaskQueryParams(id=id), context=SESSION)

        async def cancel(id):
            return await client.cancel_task(TaskIdParams(id=id), context=SESSION)

        told = {}
        told["card"] = (await client.get_card(context=SESSION)).name
        done = await sent("shout hello", "talk")
        told["sent"] = seen(done)
        told["got"] = seen(await get(done.id))
        told["streamed"] = [
            event(update) async for _, update in client.send_message(asking("shout again", "talk"), context=SESSION)
        ]
        told["missing"] = await refusal(get("tsk_none"))
        waiting = await sent("wait", now=True)
        told["canceled"] = (await cancel(waiting.id)).status.state.value
        told["canceled again"] = await refusal(cancel(waiting.id))
        told["ended"] = await refusal(sent("more", task=waiting.id))

        asked = await sent("ask", webhook=PushNotificationConfig(id="h", url=hook, token="let-me-in"))
        told["asked"] = seen(asked)
        told["task"] = asked.id
        told["watched"] = []
        following = None
        async for _, update in client.resubscribe(TaskIdParams(id=asked.id), context=SESSION):
            told["watched"].append(event(update))
            following = following or asyncio.create_task(sent("blue", task=asked.id))
        told["answered"] = seen(await following)

        config = PushNotificationConfig(id="more", url=hook)
        more = TaskPushNotificationConfig(task_id=asked.id, push_notification_config=config)
        named = GetTaskPushNotificationConfigParams(id=asked.id, push_notification_config_id="more")
        kept = await client.set_task_callback(more, context=SESSION)
        shown = await client.get_task_callback(named, context=SESSION)
        told["webhooks"] = [kept.push_notification_config.id, shown.push_notification_config.url == hook]
        return told


json.dump(asyncio.run(walk(**json.load(sys.stdin))), sys.stdout)
