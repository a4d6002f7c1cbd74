// The widget models of a notebook, which Colab keeps in its main page: frames ask for them, and hear what changes.
const WIDGET = "jupyter.widget";

export class Models {
  constructor() {
    this.models = new Map();
  }

  // Takes the kernel's messages about comms. Returns whether the message was about a widget.
  receive(type, content, buffers, frames) {
    if (type === "comm_open" && content.target_name === WIDGET) {
      this.open(content, buffers);
      for (const frame of frames) frame.tell({ event: "opened", id: content.comm_id, data: content.data });
      return true;
    }
    const model = this.models.get(content.comm_id);
    if (!model) return false;
    if (type === "comm_close") {
      this.models.delete(content.comm_id);
      for (const frame of model.frames) frame.tell({ event: "closed", id: content.comm_id });
    } else {
      if (content.data.state) Object.assign(model.state, withBuffers(content.data, buffers));
      for (const frame of model.frames) frame.tell({ event: "message", id: content.comm_id, data: content.data, buffers });
    }
    return true;
  }

  open(content, buffers) {
    const state = withBuffers(content.data, buffers);
    const { _model_name: modelName, _model_module: modelModule, _model_module_version: modelModuleVersion } = state;
    this.models.set(content.comm_id, { modelName, modelModule, modelModuleVersion, state, frames: new Set() });
  }

  // What a frame is given of a model; it hears of every later change.
  give(id, frame) {
    const model = this.models.get(id);
    if (!model) return undefined;
    model.frames.add(frame);
    const { frames, ...given } = model;
    return given;
  }

  listen(id, frame) {
    this.models.get(id)?.frames.add(frame);
  }

  // What a frame sends to the kernel counts here at once. Other frames hear of it from the kernel, or not at all.
  sent(id, data, buffers) {
    const model = this.models.get(id);
    if (model && data?.method === "update") Object.assign(model.state, withBuffers(data, buffers ?? []));
  }

  forget(frame) {
    for (const model of this.models.values()) model.frames.delete(frame);
  }

  // As Colab saves them: every model that lives, by its id, without the "state" that Jupyter puts around them.
  saved() {
    const one = ({ modelName, modelModule, modelModuleVersion, state }) => ({
      model_module: modelModule,
      model_module_version: modelModuleVersion,
      model_name: modelName,
      state: JSON.parse(JSON.stringify(state, (_, value) => (isBytes(value) ? base64(value) : value))),
    });
    return Object.fromEntries([...this.models].map(([id, model]) => [id, one(model)]));
  }
}

function withBuffers(data, buffers) {
  const state = structuredClone(data.state);
  (data.buffer_paths ?? []).forEach((path, index) => {
    const holder = path.slice(0, -1).reduce((inner, key) => inner[key], state);
    holder[path.at(-1)] = buffers[index];
  });
  return state;
}

function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function base64(value) {
  const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  let text = "";
  for (let start = 0; start < bytes.length; start += 32768) text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  return btoa(text);
}
