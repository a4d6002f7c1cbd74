// The frame's end of the channel to the main page.
const asked = new Map();
const listeners = new Map();
const early = [];
let port;
let count = 0;

window.addEventListener("message", (event) => {
  if (event.data !== "port" || port) return;
  [port] = event.ports;
  port.onmessage = ({ data }) => (data.event === "reply" ? answer(data) : listeners.get(data.event)?.(data));
  early.splice(0).forEach((message) => port.postMessage(message));
});

function answer({ number, value, error }) {
  const { done, fail } = asked.get(number);
  asked.delete(number);
  if (error === undefined) done(value);
  else fail(new Error(error));
}

function post(message) {
  if (port) port.postMessage(message);
  else early.push(message);
}

// What the page says without being asked.
export function on(event, listener) {
  listeners.set(event, listener);
}

export function tell(method, content) {
  post({ method, ...content });
}

export function ask(method, content) {
  const number = ++count;
  const answered = new Promise((done, fail) => asked.set(number, { done, fail }));
  post({ method, number, ...content });
  return answered;
}

export function report(text) {
  ask("log", { text });
}
