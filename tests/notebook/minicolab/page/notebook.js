// Plays the page of a Colab notebook. In the address: server (of Jupyter), kernel (its id), frames (another origin,
// where the frames' page is served), theme. `colab` is what a test has in hand.
import { Cell } from "./cell.js";
import { Connection } from "./connection.js";
import { Models } from "./models.js";

const asked = new URLSearchParams(location.search);
document.documentElement.setAttribute("theme", asked.get("theme") ?? "light");

const models = new Models();
const cells = [];
const pending = new Map(); // what was sent and isn't answered yet, by the message's id: {cell, done}
const channels = new Map(); // channels that frames have opened, by the comm's id: the cell
const log = []; // what went wrong in frames, with the cell's number
const connection = new Connection(asked.get("server"), asked.get("kernel"), receive);
let drive = "refused";

function receive({ header, parent_header: parent, metadata, content, buffers }) {
  const type = header.msg_type;
  const asker = pending.get(parent?.msg_id);
  if (["comm_open", "comm_msg", "comm_close"].includes(type)) {
    const shown = cells.filter((cell) => cell.frame);
    if (!models.receive(type, content, buffers, shown)) tellChannel(type, content, buffers);
  } else if (type === "update_display_data") cells.forEach((cell) => cell.update(content));
  else if (type === "colab_request") reply(metadata, content.request, asker?.cell);
  else if (type === "status" && content.execution_state === "idle" && asker) {
    pending.delete(parent.msg_id);
    asker.done();
  } else if (type === "execute_reply" && asker?.cell) asker.cell.executionCount = content.execution_count;
  else asker?.cell?.receive(type, content);
}

// Resolves when the kernel is done with it.
function send(type, content, buffers, cell) {
  const id = connection.send("shell", type, content, buffers);
  return new Promise((done) => pending.set(id, { cell, done }));
}

function tellChannel(type, content, buffers) {
  const event = type === "comm_close" ? "closed" : "message";
  channels.get(content.comm_id)?.tell({ event, id: content.comm_id, data: content.data, buffers });
}

// What the kernel asks of the page (google.colab._message): the answer goes back as if somebody had typed it.
async function reply({ colab_request_type: type, colab_msg_id: id }, request, cell) {
  const value = { type: "colab_reply", colab_msg_id: id };
  try {
    if (type === "cell_javascript_eval") value.data = (await cell.evaluate(request.script)) ?? null;
    else if (type === "request_auth") value.data = authorize();
    else throw new Error(`the mini Colab does not know the request ${type}`);
  } catch (error) {
    value.error = String(error);
  }
  if (id !== undefined) connection.send("stdin", "input_reply", { value });
}

function authorize() {
  if (drive !== "allowed") throw new Error("credential propagation was unsuccessful");
  return null;
}

// What a frame asks of the page.
async function answer(cell, question) {
  const { method, id, data, buffers } = question;
  if (method === "getModelState") return models.give(id, cell);
  if (method === "listen") return models.listen(id, cell);
  if (method === "log") return void log.push(`cell ${cell.index}: ${question.text}`);
  if (method === "send") {
    models.sent(id, data, buffers);
    return send("comm_msg", { comm_id: id, data }, buffers); // resolves when the kernel is idle again
  }
  if (method === "openChannel") {
    channels.set(id, cell);
    return send("comm_open", { comm_id: id, target_name: question.target, data: data ?? {} }, buffers);
  }
  if (method === "closeChannel") return send("comm_close", { comm_id: id, data: {} });
  if (method === "proxyPort") return `http://127.0.0.1:${question.port}/`;
  throw new Error(`the mini Colab's page does not know ${method}`);
}

async function run(index) {
  await connection.ready;
  const cell = cells[index];
  models.forget(cell);
  cell.begin();
  const options = { silent: false, store_history: true, user_expressions: {}, allow_stdin: true, stop_on_error: true };
  await send("execute_request", { code: cell.code, ...options }, [], cell);
  cell.running = false;
}

window.colab = {
  ready: connection.ready,
  cells,
  models: models.models,
  log,
  add: (code) => cells.push(new Cell(cells.length, code, asked.get("frames"), answer)) - 1,
  run,
  // Runtime → Run all: one after the other, until one fails.
  async runAll() {
    for (const { index } of cells) {
      await run(index);
      if (cells[index].failed) return;
    }
  },
  saved: () => ({ cells: cells.map((cell) => cell.saved()), widgets: models.saved() }),
  allowDrive: (yes) => (drive = yes ? "allowed" : "refused"),
};
