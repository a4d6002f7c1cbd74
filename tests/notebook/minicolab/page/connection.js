// A kernel of a notebook server, over the server's WebSocket: Jupyter's messages, with their buffers.
export class Connection {
  constructor(server, kernel, receive) {
    this.session = crypto.randomUUID();
    const address = `${server.replace(/^http/, "ws")}api/kernels/${kernel}/channels?session_id=${this.session}`;
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = (event) => receive(decode(event.data));
    this.ready = new Promise((done, fail) => {
      this.socket.onopen = () => done();
      this.socket.onerror = () => fail(new Error(`no kernel answers at ${address}`));
    });
  }

  // Returns the message's id, by which its answers name it.
  send(channel, type, content, buffers = []) {
    const id = crypto.randomUUID();
    const header = { msg_id: id, msg_type: type, session: this.session, username: "colab", version: "5.3" };
    header.date = new Date().toISOString();
    const message = { header, parent_header: {}, metadata: {}, content, channel };
    this.socket.send(buffers.length ? encode(message, buffers) : JSON.stringify(message));
    return id;
  }
}

// With buffers: the number of parts, where each begins (unsigned, big-endian), then the message and the buffers.
function encode(message, buffers) {
  const asBytes = (each) => (ArrayBuffer.isView(each) ? new Uint8Array(each.buffer, each.byteOffset, each.byteLength) : new Uint8Array(each));
  const parts = [new TextEncoder().encode(JSON.stringify(message)), ...buffers.map(asBytes)];
  const head = 4 * (parts.length + 1);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, head));
  const numbers = new DataView(whole.buffer);
  numbers.setUint32(0, parts.length);
  let start = head;
  parts.forEach((part, index) => {
    numbers.setUint32(4 * (index + 1), start);
    whole.set(part, start);
    start += part.byteLength;
  });
  return whole.buffer;
}

function decode(data) {
  if (typeof data === "string") return { ...JSON.parse(data), buffers: [] };
  const numbers = new DataView(data);
  const starts = Array.from({ length: numbers.getUint32(0) }, (_, index) => numbers.getUint32(4 * (index + 1)));
  const [first, ...buffers] = starts.map((start, index) => data.slice(start, starts[index + 1]));
  return { ...JSON.parse(new TextDecoder().decode(first)), buffers };
}
