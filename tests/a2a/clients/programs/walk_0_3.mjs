// Everything that the official SDK of release 0.3 does with an agent, and what it sees of it.
//
// In: the agent's address, a token, the binding to speak, and where webhooks are to be told. Out: what was seen, in the
// same words as the other clients use.

import {
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
  createAuthenticatingFetchWithRetry,
} from "@a2a-js/sdk/client";
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

const { agent, token, binding, hook } = JSON.parse(await text(process.stdin));

const fetchImpl = createAuthenticatingFetchWithRetry(fetch, {
  headers: async () => ({}),
  shouldRetryWithHeaders: async (request, answer) =>
    answer.status === 401 ? { Authorization: `Bearer ${token}` } : undefined,
});
const client = await new ClientFactory(
  ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new JsonRpcTransportFactory({ fetchImpl })],
    preferredTransports: [binding],
  }),
).createFromUrl(agent);

function asking(words, { context, task, now = false, webhook } = {}) {
  return {
    message: {
      kind: "message",
      messageId: randomUUID(),
      role: "user",
      parts: [{ kind: "text", text: words }],
      contextId: context,
      taskId: task,
    },
    configuration: { blocking: !now, pushNotificationConfig: webhook },
  };
}

const state = (status) => status.state.replace("-", "_");
const words = (message) => (message?.parts ?? []).map((part) => part.text).join("");
const content = (part) => (part.kind === "file" ? Buffer.from(part.file.bytes, "base64").toString() : part.text);

function seen(task) {
  return {
    state: state(task.status),
    said: words(task.status.message),
    artifacts: Object.fromEntries((task.artifacts ?? []).map((each) => [each.name, each.parts.map(content).join("")])),
    history: (task.history ?? []).map(words),
  };
}

function event(each) {
  if (each.kind === "task") return "task";
  return each.kind === "artifact-update" ? `artifact ${each.artifact.name}` : state(each.status);
}

async function refusal(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return error.constructor.name.replace(/(JSONRPC)?Error\d*$/, "");
  }
}

const told = {};
told.card = (await client.getAgentCard()).name;
const done = await client.sendMessage(asking("shout hello", { context: "talk" }));
told.sent = seen(done);
told.got = seen(await client.getTask({ id: done.id }));
told.streamed = [];
for await (const each of client.sendMessageStream(asking("shout again", { context: "talk" })))
  told.streamed.push(event(each));
told.missing = await refusal(client.getTask({ id: "tsk_none" }));
const waiting = await client.sendMessage(asking("wait", { now: true }));
told.canceled = state((await client.cancelTask({ id: waiting.id })).status);
told["canceled again"] = await refusal(client.cancelTask({ id: waiting.id }));
told.ended = await refusal(client.sendMessage(asking("more", { task: waiting.id })));

const asked = await client.sendMessage(asking("ask", { webhook: { id: "h", url: hook, token: "let-me-in" } }));
told.asked = seen(asked);
told.task = asked.id;
told.watched = [];
let following;
for await (const each of client.resubscribeTask({ id: asked.id })) {
  told.watched.push(event(each));
  following ??= client.sendMessage(asking("blue", { task: asked.id }));
}
told.answered = seen(await following);

const named = { id: asked.id, pushNotificationConfigId: "more" };
const more = { taskId: asked.id, pushNotificationConfig: { id: "more", url: hook } };
const kept = await client.setTaskPushNotificationConfig(more);
const shown = await client.getTaskPushNotificationConfig(named);
const before = await client.listTaskPushNotificationConfig({ id: asked.id });
await client.deleteTaskPushNotificationConfig(named);
const after = await client.listTaskPushNotificationConfig({ id: asked.id });
told.webhooks = [
  kept.pushNotificationConfig.id,
  shown.pushNotificationConfig.url === hook,
  ...[before, after].map((page) => page.map((each) => each.pushNotificationConfig.id).sort()),
];

process.stdout.write(JSON.stringify(told));
