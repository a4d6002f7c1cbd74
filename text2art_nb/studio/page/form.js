// The form: every field with its label and its error; styles, palettes, style losses; the folds.

/** A field, and how to show what Python says of it. */
function fieldOf(model, name, described) {
  const id = fresh(name);
  const made = { model, name, described, id, labelled: `${id}-label`, noted: `${id}-note` };
  made.send = (value) => tell(model, "field", { name, value });
  const isGroup = GROUPS.has(described.kind);
  const label = make(isGroup ? "span" : "label", { class: "t2a-name", id: made.labelled, text: described.label });
  if (!isGroup) label.htmlFor = id;
  const hint = make("span", { class: "t2a-hint", text: described.hint });
  const note = make("div", { class: "t2a-note", id: made.noted, "aria-live": "polite" });
  const control = CONTROLS[described.kind](made);
  const root = make("div", { class: `t2a-field t2a-${name.replaceAll("_", "-")}-field t2a-kind-${described.kind}` });
  if (name === "prompts") root.classList.add("t2a-prompt");
  if (name === "seed") root.classList.add("t2a-seed");
  root.append(make("div", { class: "t2a-label" }, label, hint), ...control.nodes, note);
  let before = "";

  function show(shown) {
    const now = JSON.stringify(shown);
    if (now === before) return;
    before = now;
    control.show(shown);
    root.hidden = shown.hidden ?? false;
    const wrong = shown.wrong ?? false;
    if (wrong && note.textContent !== shown.note) openAround(root);
    setText(note, shown.note ?? "");
    note.classList.toggle("t2a-error", wrong);
    root.querySelector("input, textarea, select")?.setAttribute("aria-invalid", String(wrong));
  }
  return { root, show, control };
}

/** Open the folds that something is under. */
function openAround(element) {
  for (let around = element.closest("details"); around; around = around.parentElement?.closest("details")) {
    around.open = true;
  }
}

function formOf(model) {
  const form = model.get("form");
  const fields = Object.fromEntries(
    Object.entries(form.fields).map(([name, described]) => [name, fieldOf(model, name, described)]),
  );
  const sliders = lossesOf(model, form.losses, form.losses_label);
  const part = (name) => (name === "losses" ? sliders : fields[name].root);
  const rows = (names) => names.map((row) => make("div", { class: "t2a-row" }, ...row.map(part)));
  fields.seed.root.querySelector("input").after(rollButton(model));
  fields.palette.root.append(swatchesOf(model, form.palettes));
  const rooms = form.sections.map(([title, names]) => [names, fold(title, ...rows([names]))]);
  const [first, ...others] = form.styles.map(([group, words]) => [group, pillsOf(model, group, words)]);
  const reading = make("div", { class: "t2a-prompt-preview", "aria-live": "polite" });
  const styles = others.flatMap(([group, pills]) => [make("div", { class: "t2a-section", text: group }), pills]);
  const ask = make("div", { class: "t2a-ask" });
  ask.append(fields.prompts.root, reading, first[1], fold("More styles", ...styles));
  const more = fold("More settings", ...rows(form.more), ...rooms.map(([, room]) => room));
  const rest = make("div", { class: "t2a-rest" }, ...rows(form.rows), more);

  follow(model, ["prompt_preview"], () => {
    const html = model.get("prompt_preview"); // Python has escaped what a user wrote in it
    if (reading.dataset.shown !== html) reading.innerHTML = reading.dataset.shown = html;
  });
  follow(model, ["fields"], () => {
    const shown = model.get("fields");
    for (const [name, field] of Object.entries(fields)) if (shown[name]) field.show(shown[name]);
    for (const [names, room] of rooms) room.hidden = names.every((name) => shown[name]?.hidden);
  });
  return { ask, rest };
}

function rollButton(model) {
  return button("Roll", () => tell(model, "roll"), { class: "t2a-button t2a-small", title: "another seed" });
}

/** A row of styles: a press puts the words into the prompt, another takes them out. */
function pillsOf(model, group, words) {
  const pills = words.map((word) => button(word, () => tell(model, "style", { word }), { class: "t2a-pill" }));
  follow(model, ["lit"], () => {
    const lit = new Set(model.get("lit"));
    pills.forEach((pill) => pill.setAttribute("aria-pressed", String(lit.has(pill.textContent))));
  });
  return make("div", { class: "t2a-pills", role: "group", "aria-label": `styles: ${group}` }, ...pills);
}

function swatchesOf(model, palettes) {
  const swatches = Object.entries(palettes).map(([name, colours]) => {
    const stops = colours.map((colour, k) => {
      return `${colour} ${(100 * k) / colours.length}% ${(100 * (k + 1)) / colours.length}%`;
    });
    const press = () => tell(model, "palette", { name });
    const swatch = button("", press, { class: "t2a-swatch", title: name, "aria-label": name });
    swatch.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    return swatch;
  });
  follow(model, ["palette"], () => {
    const chosen = model.get("palette");
    swatches.forEach((swatch) => swatch.setAttribute("aria-pressed", String(swatch.title === chosen)));
  });
  return make("div", { class: "t2a-pills", role: "group", "aria-label": "palettes" }, ...swatches);
}

/** The style losses: a slider each. */
function lossesOf(model, names, title) {
  const sliders = names.map((name) => {
    const slider = sliderOf({ label: name, step: 0.1, send: (value) => tell(model, "loss", { name, value }) });
    const words = make("span", { class: "t2a-side-label", "aria-hidden": "true", text: name });
    return { name, slider, root: make("div", { class: "t2a-loss" }, words, slider.row) };
  });
  follow(model, ["losses"], () => {
    const losses = model.get("losses");
    for (const { name, slider } of sliders) {
      const [value, lowest, highest] = losses[name] ?? [0, 0, 5];
      slider.show(value, [lowest, highest]);
    }
  });
  const label = make("span", { class: "t2a-name", text: title });
  const head = make("div", { class: "t2a-label" }, label, make("span", { class: "t2a-hint", text: "weights; 0 is off" }));
  const grid = make("div", { class: "t2a-losses", role: "group", "aria-label": title });
  grid.append(...sliders.map(({ root }) => root));
  return make("div", { class: "t2a-field t2a-losses-field" }, head, grid);
}
