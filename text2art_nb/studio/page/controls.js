// The controls: one for each kind of field. A control shows what Python says, and tells what the user does.
// Each gets `made` ({model, name, described, id, labelled, send}) and returns {nodes, show}.

/** Keeps what a user types and what Python says apart: an answer that is late overwrites nothing. */
function typed(input, send) {
  let known = input.value;
  const sent = [];
  return {
    tell() {
      if (input.value === (sent.length ? sent[sent.length - 1] : known)) return;
      sent.push(input.value);
      send(input.value);
    },
    show(value) {
      const answered = sent.indexOf(value);
      if (answered >= 0) {
        sent.splice(0, answered + 1);
        known = value;
        return;
      }
      if (value === known) return;
      known = value;
      sent.length = 0;
      input.value = value;
    },
  };
}

function lineControl({ id, noted, send, described }, attributes = {}) {
  const input = make("input", { type: "text", id, "aria-describedby": noted, spellcheck: "false", ...attributes });
  input.autocomplete = "off";
  const line = typed(input, send);
  input.addEventListener("change", line.tell);
  return {
    nodes: [input],
    input,
    show({ value, placeholder = "" }) {
      line.show(String(value));
      input.placeholder = placeholder;
    },
    kind: described.kind,
  };
}

function promptControl({ id, noted, send }) {
  const input = make("textarea", { id, rows: "3", "aria-describedby": noted });
  const line = typed(input, send);
  let due = null;
  const soon = () => {
    clearTimeout(due);
    due = setTimeout(line.tell, 150);
  };
  input.addEventListener("input", soon);
  input.addEventListener("change", () => {
    clearTimeout(due);
    line.tell();
  });
  return {
    nodes: [input],
    show({ value, placeholder = "" }) {
      line.show(value);
      input.placeholder = placeholder;
    },
  };
}

function namedControl(made) {
  const list = make("datalist", { id: `${made.id}-names` });
  const control = lineControl(made, { list: list.id });
  return {
    nodes: [control.input, list],
    show(shown) {
      control.show(shown);
      replaceOptions(list, shown.options.map((each) => [each, each]));
    },
  };
}

/** A slider and the number beside it, which takes exact values. */
function sliderOf({ id = null, label, noted = null, step, send }) {
  const range = make("input", { type: "range", id, step, "aria-label": id ? null : label, "aria-describedby": noted });
  const number = make("input", { type: "text", class: "t2a-readout", inputmode: "decimal" });
  number.setAttribute("aria-label", `${label}, as a number`);
  let dragged = false;
  range.addEventListener("pointerdown", () => (dragged = true));
  for (const kind of ["pointerup", "pointercancel", "blur"]) range.addEventListener(kind, () => (dragged = false));
  range.addEventListener("input", () => (number.value = range.value));
  range.addEventListener("change", () => send(Number(range.value)));
  let known = "";
  number.addEventListener("change", () => {
    const value = Number(number.value.trim().replace(",", "."));
    const right = number.value.trim() !== "" && Number.isFinite(value);
    const held = Math.min(Math.max(value, Number(range.min)), Number(range.max));
    number.value = right ? String(held) : known;
    if (!right) return;
    range.value = held;
    send(held);
  });
  return {
    row: make("div", { class: "t2a-slider" }, range, number),
    show(value, [lowest, highest]) {
      range.min = lowest;
      range.max = highest;
      if (dragged) return;
      range.value = value;
      known = String(Math.round(value * 1e6) / 1e6);
      if (document.activeElement !== number) number.value = known;
    },
  };
}

function sliderControl({ id, noted, described, send }) {
  const slider = sliderOf({ id, label: described.label, noted, step: described.step, send });
  return { nodes: [slider.row], show: ({ value, bounds }) => slider.show(value, bounds) };
}

function replaceOptions(list, options) {
  const key = JSON.stringify(options);
  if (list.dataset.options === key) return;
  list.dataset.options = key;
  list.replaceChildren(...options.map(([value, text]) => make("option", { value, text })));
}

function selectControl({ id, noted, send }) {
  const select = make("select", { id, "aria-describedby": noted });
  select.addEventListener("change", () => send(select.value));
  return {
    nodes: [select],
    show({ value, options }) {
      replaceOptions(select, options.map((each) => [each, each]));
      select.value = value;
    },
  };
}

/** One of a few, all in sight: radio buttons that look like buttons. */
function radiosOf({ id, labelled, noted, send }) {
  const row = make("div", { class: "t2a-choice", role: "radiogroup", "aria-labelledby": labelled });
  row.setAttribute("aria-describedby", noted);
  return {
    row,
    show(value, options) {
      const key = JSON.stringify(options);
      if (row.dataset.options !== key) {
        row.dataset.options = key;
        row.replaceChildren(
          ...options.map(([each, text]) => {
            const radio = make("input", { type: "radio", name: id, value: each, on: { change: () => send(each) } });
            return make("label", { class: "t2a-option" }, radio, make("span", { text }));
          }),
        );
      }
      for (const radio of row.querySelectorAll("input")) radio.checked = radio.value === value;
    },
  };
}

function choiceControl(made) {
  const radios = radiosOf(made);
  return {
    nodes: [radios.row],
    show: ({ value, options }) => radios.show(value, options.map((each) => [each, each])),
  };
}

function kindControl(made) {
  const radios = radiosOf({ ...made, send: (first) => made.send({ first }) });
  const then = make("select", { id: `${made.id}-then` });
  replaceOptions(then, made.described.thens);
  then.addEventListener("change", () => made.send({ then: then.value }));
  const label = make("label", { class: "t2a-side-label", for: then.id, text: "then" });
  const name = "share of the steps of what comes then, in percent";
  const share = sliderOf({ label: name, step: 5, send: (value) => made.send({ share: value }) });
  const shared = make("div", { class: "t2a-share" }, make("span", { class: "t2a-side-label", text: "% of steps" }), share.row);
  return {
    nodes: [radios.row, make("div", { class: "t2a-then" }, label, then, shared)],
    show({ value, firsts, bounds }) {
      radios.show(value.first, firsts);
      then.value = value.then;
      shared.hidden = !value.shared;
      share.show(value.share, bounds);
    },
  };
}

function switchControl({ id, noted, send }) {
  const input = make("input", { type: "checkbox", id, "aria-describedby": noted });
  input.addEventListener("change", () => send(input.checked));
  const words = make("span", { "aria-hidden": "true", text: "on" });
  return {
    nodes: [make("span", { class: "t2a-switch" }, input, words)],
    show({ value }) {
      input.checked = value;
    },
  };
}

function severalControl({ labelled, described, send }) {
  let chosen = [];
  const pills = described.options.map((option) =>
    button(
      option,
      () => {
        const rest = chosen.filter((each) => each !== option);
        send(chosen.includes(option) ? rest : [...rest, option]);
      },
      { class: "t2a-pill" },
    ),
  );
  return {
    nodes: [make("div", { class: "t2a-pills", role: "group", "aria-labelledby": labelled }, ...pills)],
    show({ value }) {
      chosen = value;
      pills.forEach((pill) => pill.setAttribute("aria-pressed", String(value.includes(pill.textContent))));
    },
  };
}

function picturesControl({ model, name, noted, described, labelled, send }, ...more) {
  const { many } = described;
  const invitation = many ? "Drop pictures here, or click" : "Drop a picture here, or click";
  const zone = dropZone(model, name, { label: invitation, many, described: noted });
  const remove = button("Remove", () => send(null), { class: "t2a-button t2a-small", title: "do without it" });
  const row = make("div", { class: "t2a-drop-row", role: "group", "aria-labelledby": labelled });
  row.append(zone.place, remove, ...more);
  return {
    nodes: [row],
    show({ value, preview = "" }) {
      remove.hidden = value === 0;
      zone.preview(preview);
      zone.say(value === 0 ? invitation : value === 1 ? "Drop another" : `${value} pictures`);
    },
  };
}

function masksControl(made) {
  const paint = button("Paint a mask", () => tell(made.model, "paint_mask"), { class: "t2a-button t2a-small" });
  paint.title = "over the picture that is there now";
  const control = picturesControl(made, paint);
  return { nodes: [...control.nodes, maskPainter(made.model)], show: control.show };
}

const CONTROLS = {
  text: lineControl,
  number: (made) => lineControl(made, { inputmode: "numeric" }),
  prompt: promptControl,
  named: namedControl,
  slider: sliderControl,
  select: selectControl,
  choice: choiceControl,
  kind: kindControl,
  switch: switchControl,
  several: severalControl,
  pictures: picturesControl,
  masks: masksControl,
};
/** Those whose label stands for a group of things, not for one. */
const GROUPS = new Set(["choice", "kind", "several", "pictures", "masks"]);
