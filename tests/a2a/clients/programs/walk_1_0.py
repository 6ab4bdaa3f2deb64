"""Everything that the official SDK of release 1.0 does with an agent, and what it sees of it.

In: the agent's address, a token, the binding to speak, and where webhooks are to be told. Out: what was seen, in the
same words as the other clients use.
"""

import asyncio
import json
import sys
from contextlib import aclosing
from uuid import uuid4

import httpx
from a2a.client import ClientCallContext, ClientConfig, ClientFactory
from a2a.client.auth import AuthInterceptor, InMemoryContextCredentialStore
from a2a.types import (
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
    TaskState,
)
from a2a.utils.errors import A2AError

SESSION = ClientCallContext(state={"sessionId": "s"})
BREAKS = "\x85\u2028\u2029"
"""Where this client ends the lines of a stream, though the standard does not."""


def asking(text, context=None, task=None, *, now=False, webhook=None):
    message = Message(
        message_id=uuid4().hex, role=Role.ROLE_USER, parts=[Part(text=text)], context_id=context, task_id=task
    )
    configuration = SendMessageConfiguration(return_immediately=now, task_push_notification_config=webhook)
    return SendMessageRequest(message=message, configuration=configuration)


def state(status):
    return TaskState.Name(status.state).removeprefix("TASK_STATE_").lower()


def words(message):
    return "".join(part.text for part in message.parts)


def content(part):
    kind = part.WhichOneof("content")
    return part.raw.decode() if kind == "raw" else getattr(part, kind)


def seen(task):
    return {
        "state": state(task.status),
        "said": words(task.status.message),
        "artifacts": {each.name: "".join(map(content, each.parts)) for each in task.artifacts},
        "history": [words(message) for message in task.history],
    }


def event(response):
    kind = response.WhichOneof("payload")
    if kind == "task":
        return "task"
    if kind == "artifact_update":
        return f"artifact {response.artifact_update.artifact.name}"
    return state(response.status_update.status)


async def refusal(call):
    try:
        await call
    except A2AError as error:
        return type(error).__name__.removesuffix("Error")
    return None


async def walk(agent, token, binding, hook):
    store = InMemoryContextCredentialStore()
    await store.set_credentials("s", "bearer", token)
    async with httpx.AsyncClient(timeout=60) as http:
        chosen = {"httpx_client": http, "supported_protocol_bindings": [binding]}
        make, auth = ClientFactory.create_from_url, [AuthInterceptor(store)]
        client = await make(ClientFactory(ClientConfig(**chosen)), agent, interceptors=auth)
        at_once = await make(ClientFactory(ClientConfig(streaming=False, **chosen)), agent, interceptors=auth)

        async def sent(*args, **kwargs):
            async with aclosing(at_once.send_message(asking(*args, **kwargs), context=SESSION)) as answers:
                (answer,) = [each async for each in answers]
            return answer.task

        async def get(id):
            return await client.get_task(GetTaskRequest(id=id), context=SESSION)

        async def cancel(id):
            return await client.cancel_task(CancelTaskRequest(id=id), context=SESSION)

        told = {}
        card = await client.get_extended_agent_card(GetExtendedAgentCardRequest(), context=SESSION)
        told["card"] = card.name
        done = await sent("shout hello", "talk")
        told["sent"] = seen(done)
        told["got"] = seen(await get(done.id))
        told["streamed"] = [
            event(each) async for each in client.send_message(asking(f"shout again{BREAKS}", "talk"), context=SESSION)
        ]
        first = await client.list_tasks(ListTasksRequest(context_id="talk", page_size=1), context=SESSION)
        token = first.next_page_token
        second = await client.list_tasks(
            ListTasksRequest(context_id="talk", page_size=1, page_token=token), context=SESSION
        )
        told["listed"] = [each.id == done.id for each in (*first.tasks, *second.tasks)]
        told["missing"] = await refusal(get("tsk_none"))
        waiting = await sent("wait", now=True)
        told["canceled"] = state((await cancel(waiting.id)).status)
        told["canceled again"] = await refusal(cancel(waiting.id))
        told["ended"] = await refusal(sent("more", task=waiting.id))

        asked = await sent("ask", webhook=TaskPushNotificationConfig(id="h", url=hook, token="let-me-in"))
        told["asked"] = seen(asked)
        told["task"] = asked.id
        told["watched"] = []
        following = None
        async for each in client.subscribe(SubscribeToTaskRequest(id=asked.id), context=SESSION):
            told["watched"].append(event(each))
            following = following or asyncio.create_task(sent("blue", task=asked.id))
        told["answered"] = seen(await following)

        more = TaskPushNotificationConfig(id="more", task_id=asked.id, url=hook)
        named = GetTaskPushNotificationConfigRequest(task_id=asked.id, id="more")
        every = ListTaskPushNotificationConfigsRequest(task_id=asked.id)
        kept = await client.create_task_push_notification_config(more, context=SESSION)
        shown = await client.get_task_push_notification_config(named, context=SESSION)
        before = await client.list_task_push_notification_configs(every, context=SESSION)
        gone = DeleteTaskPushNotificationConfigRequest(task_id=asked.id, id="more")
        await client.delete_task_push_notification_config(gone, context=SESSION)
        after = await client.list_task_push_notification_configs(every, context=SESSION)
        told["webhooks"] = [
            kept.id,
            shown.url == hook,
            *(sorted(each.id for each in page.configs) for page in (before, after)),
        ]
        return told


json.dump(asyncio.run(walk(**json.load(sys.stdin))), sys.stdout)
