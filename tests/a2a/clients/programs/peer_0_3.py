"""The official SDK's server of release 0.3: PORT, FILE of what was heard, and whether it streams."""

import sys
from pathlib import Path

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentSkill, Message, Part, Role, TextPart
from a2a.utils import new_task
from peer_behaviour import behave


def text_part(words):
    return Part(root=TextPart(text=words))


class Executor(AgentExecutor):
    async def execute(self, context, event_queue):
        text = context.get_user_input()
        if text == "message":
            await event_queue.enqueue_event(Message(message_id="direct", role=Role.agent, parts=[text_part("no task")]))
            return
        task = context.current_task
        if task is None:
            task = new_task(context.message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        speak = lambda words: updater.new_agent_message([text_part(words)])  # noqa: E731
        await behave(text, updater, speak, text_part, sys.argv[2])

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


class Store(InMemoryTaskStore):
    """Says beside FILE what it keeps of the one task's artifact, a line each time."""

    async def save(self, task, *more):
        await super().save(task, *more)
        note_kept(task)


def note_kept(task):
    with Path(f"{sys.argv[2]}.kept").open("a") as kept:
        for artifact in task.artifacts or ():
            print(*(part.root.text for part in artifact.parts), sep="", file=kept)


port, streams = int(sys.argv[1]), sys.argv[3] == "streams"
card = AgentCard(
    name="sample",
    description="An agent of the official kit",
    version="1",
    url=f"http://127.0.0.1:{port}/",
    capabilities=AgentCapabilities(streaming=streams),
    default_input_modes=["text/plain"],
    default_output_modes=["text/plain"],
    skills=[AgentSkill(id="any", name="any", description="Anything", tags=["any"])],
)
handler = DefaultRequestHandler(agent_executor=Executor(), task_store=Store())
uvicorn.run(A2AStarletteApplication(card, handler).build(), host="127.0.0.1", port=port, log_level="warning")
