// A code cell: its outputs, and the frame that shows them, which is sandboxed and of another origin.
const SANDBOX =
  "allow-downloads allow-forms allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-same-origin " +
  "allow-scripts allow-storage-access-by-user-activation";

export class Cell {
  // answer(cell, question): what the page answers to a frame that asks.
  constructor(index, code, frames, answer) {
    this.index = index;
    this.code = code;
    this.frames = frames;
    this.answer = answer;
    this.outputs = [];
    this.running = false;
    this.executionCount = null;
    this.place = document.createElement("section");
    document.getElementById("notebook").append(this.place);
  }

  // A new run has a new frame, and nothing of the old outputs.
  begin() {
    this.outputs = [];
    this.clearNext = false;
    this.running = true;
    this.failed = false;
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", SANDBOX);
    frame.setAttribute("allow", "clipboard-read; clipboard-write");
    frame.name = `cell-${this.index}`;
    frame.title = `outputs of cell ${this.index}`;
    const theme = document.documentElement.getAttribute("theme") ?? "light";
    frame.src = `${this.frames}frame.html?cell=${this.index}&theme=${theme}`;
    const channel = new MessageChannel();
    this.port = channel.port1;
    this.port.onmessage = (event) => this.asked(event.data);
    frame.onload = () => frame.contentWindow.postMessage("port", "*", [channel.port2]);
    this.place.replaceChildren(frame);
    this.frame = frame;
    this.waiting = new Map();
  }

  // Messages wait in the channel until the frame listens.
  tell(message) {
    this.port?.postMessage(message);
  }

  // Runs JavaScript in the frame, and gives what comes of it.
  evaluate(script) {
    const id = crypto.randomUUID();
    const answered = new Promise((done, fail) => this.waiting.set(id, { done, fail }));
    this.tell({ event: "evaluate", id, script });
    return answered;
  }

  async asked(question) {
    if (question.method === "height") this.frame.style.height = `${question.height}px`;
    else if (question.method === "evaluated") {
      const { done, fail } = this.waiting.get(question.id);
      this.waiting.delete(question.id);
      if (question.error === undefined) done(question.value);
      else fail(question.error);
    } else {
      let reply;
      try {
        reply = { value: await this.answer(this, question) };
      } catch (error) {
        reply = { error: String(error) };
      }
      this.tell({ event: "reply", number: question.number, ...reply });
    }
  }

  receive(type, content) {
    if (type === "clear_output") {
      if (content.wait) this.clearNext = true;
      else this.clear();
      return;
    }
    if (!["display_data", "execute_result", "stream", "error"].includes(type)) return;
    if (this.clearNext) this.clear();
    const last = this.outputs.at(-1);
    if (type === "stream" && last?.output_type === "stream" && last.name === content.name) last.text += content.text;
    else this.outputs.push({ output_type: type, ...content });
    this.failed ||= type === "error";
    this.draw(this.outputs.length - 1);
  }

  update(content) {
    this.outputs.forEach((output, index) => {
      if (output.transient?.display_id !== content.transient.display_id) return;
      Object.assign(output, { data: content.data, metadata: content.metadata });
      this.draw(index);
    });
  }

  clear() {
    this.clearNext = false;
    this.outputs = [];
    this.tell({ event: "clear" });
  }

  draw(index) {
    this.tell({ event: "output", index, output: this.outputs[index] });
  }

  saved() {
    const outputs = this.outputs.map(({ transient, ...output }) => output);
    return { outputs, execution_count: this.executionCount };
  }
}
