"""An agent that speaks ACP as badly as it is told: the standard library only, run as a script.

    python agent.py SCENARIO [HEARD]

SCENARIO is a JSON object: what to do, step by step, at each method that is requested or notified of, in place of what
a plain agent would do. Everything that it hears is written to the file HEARD, a message a line. The steps are

``update``   tell of progress                         ``say``      print anything on standard output
``answer``   answer the request                       ``error``    refuse it
``complain`` print on standard error                  ``repeat``   do ``steps`` so many times
``ask``      ask these at once, for leave or by their ``method``, and tell the answers in a message, in that order
``await``    go on when that method is called         ``exit``     end, with this status
``kill``     end by this signal                       ``close``    close the output and live on
``long``     tell so many characters in one line
``fork``     leave a child that will not end and holds the output; its pid goes to the file of that name
``once``     do ``steps`` unless that file is there, and make it
``gate``     read that file, a named pipe
``sleep``    do nothing, for ever
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
PLAIN: dict[str, list[dict[str, Any]]] = {
    "initialize": [{"answer": {"protocolVersion": 1, "agentCapabilities": {}}}],
    "session/new": [{"answer": {"sessionId": "fake-1"}}],
    "session/prompt": [
        {"update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "Done."}}},
        {"update": {"sessionUpdate": "usage_update", "used": 10, "size": 100}},
        {"answer": {"stopReason": "end_turn"}},
    ],
    "session/cancel": [],
}


class Agent:
    """One conversation."""

    def __init__(self, scenario: dict[str, Any], heard: str | None) -> None:
        self.scenario = {**PLAIN, **scenario}
        self.heard = heard
        self.asked = 0

    def run(self) -> None:
        while (message := self.listen()) is not None:
            if "method" in message:
                self.play(message)

    def play(self, message: dict[str, Any]) -> None:
        steps = self.scenario.get(message["method"])
        if steps is None:
            steps = [{"error": {"code": -32601, "message": "Method not found"}}] if "id" in message else []
        for step in steps:
            self.step(step, message)

    def step(self, step: dict[str, Any], message: dict[str, Any]) -> None:
        (verb, value), *more = step.items()
        match verb:
            case "update":
                self.send({"method": "session/update", "params": {"sessionId": "fake-1", "update": value}})
            case "long":
                content = {"type": "text", "text": "x" * value}
                self.step({"update": {"sessionUpdate": "agent_message_chunk", "content": content}}, message)
            case "say":
                print(value, flush=True)
            case "complain":
                print(value, file=sys.stderr, flush=True)
            case "answer":
                self.send({"id": message["id"], "result": value})
            case "error":
                self.send({"id": message["id"], "error": value})
            case "repeat":
                for _ in range(value):
                    for each in dict(more)["steps"]:
                        self.step(each, message)
            case "ask":
                self.ask(value)
            case "await":
                while (heard := self.listen()) is not None and heard.get("method") != value:
                    pass
            case "exit":
                os._exit(value)
            case "kill":
                os.kill(os.getpid(), value)
            case "close":
                sys.stdout.close()
                os.close(1)
            case "fork":
                child = subprocess.Popen([sys.executable, "-c", CHILD], start_new_session=True)
                with Path(value).open("a") as file:
                    file.write(f"{child.pid}\n")
            case "once":
                if not Path(value).exists():
                    Path(value).touch()
                    for each in dict(more)["steps"]:
                        self.step(each, message)
            case "gate":
                Path(value).read_text()
            case "sleep":
                time.sleep(600)
            case _:
                raise ValueError(step)

    def ask(self, questions: list[dict[str, Any]]) -> None:
        first = self.asked
        self.asked += len(questions)
        for number, question in enumerate(questions, first):
            method = question.get("method", "session/request_permission")
            self.send({"id": f"ask-{number}", "method": method, "params": {"sessionId": "fake-1", **question}})
        outcomes: dict[str, Any] = {}
        while len(outcomes) < len(questions) and (heard := self.listen()) is not None:
            if str(heard.get("id", "")).startswith("ask-"):
                outcomes[heard["id"]] = heard.get("result", heard.get("error"))
        text = json.dumps([outcomes[id] for id in sorted(outcomes)])
        content = {"type": "text", "text": f"told {text}"}
        self.step({"update": {"sessionUpdate": "agent_message_chunk", "content": content}}, {})

    def send(self, message: dict[str, Any]) -> None:
        print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

    def listen(self) -> dict[str, Any] | None:
        line = sys.stdin.readline()
        if not line:
            return None
        if self.heard:
            with Path(self.heard).open("a") as file:
                file.write(line)
        message: dict[str, Any] = json.loads(line)
        return message


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    Agent(json.loads(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None).run()
