"""The official SDK's server under hypercorn, around an agent that says back what it is told."""

import asyncio
import os

from a2a.helpers import new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Part
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


class Echo(AgentExecutor):
    async def execute(self, context, event_queue):
        task = context.current_task or new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        await updater.add_artifact([Part(text=context.get_user_input())])
        await updater.complete()

    async def cancel(self, context, event_queue):
        raise NotImplementedError


async def ready(request):
    return JSONResponse({})


def main(port):
    interface = AgentInterface(url=f"http://127.0.0.1:{port}/", protocol_binding="JSONRPC", protocol_version="1.0")
    card = AgentCard(
        name="Echo", version="1", supported_interfaces=[interface], capabilities=AgentCapabilities(streaming=True)
    )
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
    application = Starlette(routes=[Route("/readyz", ready), *create_jsonrpc_routes(handler, "/v1/a2a")])
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_max_requests = 1_000_000
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main(int(os.environ["CODETETHER_PORT"]))
