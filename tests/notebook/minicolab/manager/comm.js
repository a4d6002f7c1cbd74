// A channel of Colab's page (promises, an endless list of messages) as the comm that ipywidgets' models expect.
export class KernelComm {
  constructor(id, channel) {
    this.comm_id = id;
    this.target_name = "";
    this.channel = channel;
  }

  open() {
    throw new Error("channels to the kernel are opened by the manager");
  }

  send(data, callbacks, _metadata, buffers) {
    const plain = JSON.parse(JSON.stringify(data)); // what can't be cloned would break the message to the page
    const options = buffers && { buffers: buffers.map((each) => asBytes(each)) };
    this.channel.send(plain, options).then(() => {
      callbacks?.iopub?.status?.({ content: { execution_state: "idle" } });
    });
    return "";
  }

  close() {
    this.channel.close();
    return "";
  }

  async on_msg(callback) {
    for await (const message of this.channel.messages) {
      const buffers = (message.buffers ?? []).map((each) => new Uint8Array(each));
      try {
        callback({ content: { comm_id: this.comm_id, data: message.data }, buffers });
      } catch (error) {
        console.error(error);
      }
    }
  }

  async on_close(callback) {
    for await (const message of this.channel.messages) void message;
    callback(undefined);
  }
}

function asBytes(buffer) {
  return ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer;
}
