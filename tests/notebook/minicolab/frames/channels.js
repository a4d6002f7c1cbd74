// Channels to the kernel, as Colab gives them to scripts and to the widget manager.
import { ask, on } from "./page.js";

const channels = new Map();

class Channel {
  constructor(id) {
    this.id = id;
    this.readers = new Set();
    this.early = []; // what came while nobody read: the first readers get it
    this.closed = false;
  }

  send(data, options) {
    return ask("send", { id: this.id, data, buffers: options?.buffers });
  }

  close() {
    this.end();
    ask("closeChannel", { id: this.id });
  }

  // Every reader gets every message from when it began to read.
  get messages() {
    const reader = { queue: [...this.early], wake: () => {} };
    this.readers.add(reader);
    const channel = this;
    return {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          while (reader.queue.length) yield reader.queue.shift();
          if (channel.closed) return;
          await new Promise((done) => (reader.wake = done));
        }
      },
    };
  }

  receive(message) {
    if (!this.readers.size) this.early.push(message);
    else this.early = [];
    for (const reader of this.readers) {
      reader.queue.push(message);
      reader.wake();
    }
  }

  end() {
    this.closed = true;
    for (const reader of this.readers) reader.wake();
  }
}

export function channelOf(id) {
  if (!channels.has(id)) channels.set(id, new Channel(id));
  return channels.get(id);
}

export async function openChannel(target, data, buffers) {
  const id = crypto.randomUUID();
  const channel = channelOf(id);
  await ask("openChannel", { id, target, data, buffers });
  return channel;
}

on("message", ({ id, data, buffers }) => channels.get(id)?.receive({ data, buffers }));
on("closed", ({ id }) => channels.get(id)?.end());
