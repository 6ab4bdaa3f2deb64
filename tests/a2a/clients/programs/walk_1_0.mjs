// Everything that the official SDK of release 1.0 does with an agent, and what it sees of it.
//
// In: the agent's address, a token, the binding to speak, and where webhooks are to be told. Out: what was seen, in the
// same words as the other clients use.

import {
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
  RestTransportFactory,
  createAuthenticatingFetchWithRetry,
} from "@a2a-js/sdk/client";
import { Role, TaskState, taskStateToJSON } from "@a2a-js/sdk";
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

const { agent, token, binding, hook } = JSON.parse(await text(process.stdin));

const fetchImpl = createAuthenticatingFetchWithRetry(fetch, {
  headers: async () => ({}),
  shouldRetryWithHeaders: async (request, answer) =>
    answer.status === 401 ? { Authorization: `Bearer ${token}` } : undefined,
});
const transports = { JSONRPC: JsonRpcTransportFactory, "HTTP+JSON": RestTransportFactory };
const client = await new ClientFactory(
  ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new transports[binding]({ fetchImpl })],
    preferredTransports: [binding],
  }),
).createFromUrl(agent);

function asking(words, { context = "", task = "", now = false, webhook } = {}) {
  const part = { content: { $case: "text", value: words }, metadata: undefined, filename: "", mediaType: "" };
  return {
    tenant: "",
    message: {
      messageId: randomUUID(),
      role: Role.ROLE_USER,
      parts: [part],
      contextId: context,
      taskId: task,
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: {
      acceptedOutputModes: [],
      taskPushNotificationConfig: webhook,
      historyLength: undefined,
      returnImmediately: now,
    },
    metadata: undefined,
  };
}

const state = (status) => taskStateToJSON(status.state).replace("TASK_STATE_", "").toLowerCase();
const words = (message) => (message?.parts ?? []).map((part) => part.content.value).join("");
const content = ({ content: { $case, value } }) => ($case === "raw" ? Buffer.from(value).toString() : value);

function seen(task) {
  return {
    state: state(task.status),
    said: words(task.status.message),
    artifacts: Object.fromEntries(task.artifacts.map((each) => [each.name, each.parts.map(content).join("")])),
    history: task.history.map(words),
  };
}

function event({ payload: { $case, value } }) {
  if ($case === "task") return "task";
  return $case === "artifactUpdate" ? `artifact ${value.artifact.name}` : state(value.status);
}

async function refusal(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return error.name.replace(/Error$/, "");
  }
}

const get = (id) => client.getTask({ tenant: "", id, historyLength: undefined });
const cancel = (id) => client.cancelTask({ tenant: "", id, metadata: undefined });

const told = {};
told.card = (await client.getAgentCard()).name;
const done = await client.sendMessage(asking("shout hello", { context: "talk" }));
told.sent = seen(done);
told.got = seen(await get(done.id));
told.streamed = [];
for await (const each of client.sendMessageStream(asking("shout again", { context: "talk" })))
  told.streamed.push(event(each));
const page = { tenant: "", contextId: "talk", pageSize: 1, pageToken: "", historyLength: undefined };
const first = await client.listTasks({ ...page, status: TaskState.UNRECOGNIZED });
const second = await client.listTasks({ ...page, status: TaskState.UNRECOGNIZED, pageToken: first.nextPageToken });
told.listed = [...first.tasks, ...second.tasks].map((each) => each.id === done.id);
told.missing = await refusal(get("tsk_none"));
const waiting = await client.sendMessage(asking("wait", { now: true }));
told.canceled = state((await cancel(waiting.id)).status);
told["canceled again"] = await refusal(cancel(waiting.id));
told.ended = await refusal(client.sendMessage(asking("more", { task: waiting.id })));

const config = { tenant: "", taskId: "", id: "h", url: hook, token: "let-me-in", authentication: undefined };
const asked = await client.sendMessage(asking("ask", { webhook: config }));
told.asked = seen(asked);
told.task = asked.id;
told.watched = [];
let following;
for await (const each of client.resubscribeTask({ tenant: "", id: asked.id })) {
  told.watched.push(event(each));
  following ??= client.sendMessage(asking("blue", { task: asked.id }));
}
told.answered = seen(await following);

const named = { tenant: "", taskId: asked.id, id: "more" };
const every = { tenant: "", taskId: asked.id, pageSize: 0, pageToken: "" };
const kept = await client.createTaskPushNotificationConfig({ ...config, ...named, token: "" });
const shown = await client.getTaskPushNotificationConfig(named);
const before = await client.listTaskPushNotificationConfig(every);
await client.deleteTaskPushNotificationConfig(named);
const after = await client.listTaskPushNotificationConfig(every);
told.webhooks = [kept.id, shown.url === hook, ...[before, after].map((each) => each.configs.map(({ id }) => id).sort())];

process.stdout.write(JSON.stringify(told));
