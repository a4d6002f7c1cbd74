// The gallery, the drop zone for a picture to remix, and the runs to continue.

function galleryOf(model) {
  const thumbs = new Map(); // by the picture's name
  const sheet = make("div", { class: "t2a-pills", role: "group", "aria-label": "pictures" });
  const empty = make("div", { class: "t2a-empty", text: "What you draw is kept here." });
  const small = { class: "t2a-button t2a-small" };
  const newer = button("Newer", () => tell(model, "turn", { by: -1 }), small);
  const older = button("Older", () => tell(model, "turn", { by: 1 }), small);
  const pages = make("div", { class: "t2a-buttons" }, newer, older);
  const detail = chosenOf(model);
  const root = fold("Gallery", empty, sheet, pages, detail);
  root.classList.add("t2a-gallery");
  root.addEventListener("toggle", () => tell(model, "gallery", { open: root.open }));

  function thumb(name) {
    const picture = pictureOf(name);
    const made = make("button", { type: "button", class: "t2a-thumb", title: name, "aria-label": name }, picture.img);
    made.addEventListener("click", () => tell(model, "see", { name }));
    return { made, picture };
  }

  follow(model, ["gallery"], () => {
    const { names = [], page = 0, pages: count = 1 } = model.get("gallery");
    empty.hidden = names.length > 0;
    pages.hidden = count === 1;
    newer.disabled = page === 0;
    older.disabled = page >= count - 1;
    if (sheet.dataset.names === names.join("\n")) return;
    sheet.dataset.names = names.join("\n");
    for (const name of [...thumbs.keys()]) if (!names.includes(name)) thumbs.delete(name);
    for (const name of names) if (!thumbs.has(name)) thumbs.set(name, thumb(name));
    sheet.replaceChildren(...names.map((name) => thumbs.get(name).made));
  });
  hear(model, "thumbs", ({ names }, pictures) => {
    names.forEach((name, k) => thumbs.get(name)?.picture.bytes(pictures[k], "image/jpeg"));
  });
  return root;
}

/** One picture of the gallery: what it is, its files, its settings. */
function chosenOf(model) {
  const picture = pictureOf("");
  const prompts = make("b");
  const about = make("div");
  const files = make("span", { class: "t2a-files" });
  const note = make("span", { class: "t2a-note", role: "status", "aria-live": "polite" });
  const get = (suffix) => button(suffix.slice(1).toUpperCase(), () => tell(model, "download", { suffix }));
  const kinds = [".png", ".svg", ".mp4", ".gif"].map(get);
  const use = button("Use its settings", () => tell(model, "reuse"));
  for (const each of [...kinds, use]) each.className = "t2a-button t2a-small";
  const frame = make("div", { class: "t2a-picture" }, picture.img);
  const root = make("div", { class: "t2a-chosen" }, frame, make("div", { class: "t2a-prompt-preview" }, prompts, about));
  root.append(make("div", { class: "t2a-buttons" }, ...kinds, use), make("div", {}, files, note));
  let before = null;
  follow(model, ["gallery"], () => {
    const { chosen = null, note: said = "" } = model.get("gallery");
    root.hidden = chosen === null;
    setText(note, said);
    if (chosen === null) return;
    if (chosen.name !== before) files.replaceChildren();
    before = chosen.name;
    setText(prompts, chosen.prompts);
    setText(about, chosen.about);
    kinds[1].hidden = !chosen.svg;
    picture.img.alt = chosen.prompts;
  });
  hear(model, "chosen", (_, [data]) => picture.bytes(data, "image/jpeg"));
  hear(model, "file", ({ name, kind }, [data]) => files.replaceChildren(saveLink(name, kind, data)));
  return root;
}

function remixOf(model) {
  const label = "Drop a PNG, JPEG, GIF or MP4 made by text2art: all settings are taken from it";
  const zone = dropZone(model, "remix", { label, accept: ".png,.jpg,.jpeg,.gif,.mp4,image/*,video/mp4" });
  const note = make("div", { class: "t2a-note", role: "status", "aria-live": "polite" });
  const root = fold("Remix a friend's picture", zone.place, note);
  root.open = true;
  follow(model, ["remix"], () => {
    const { note: said = "", wrong = false } = model.get("remix");
    setText(note, said);
    note.classList.toggle("t2a-error", wrong);
  });
  return root;
}

function resumeListOf(model) {
  const list = make("select", { "aria-label": "runs to continue" });
  const go = (more) => tell(model, "continue_run", { run: list.value, more });
  const resume = button("Resume", () => go(false), { class: "t2a-button" });
  const longer = button("", () => go(true), { class: "t2a-button" });
  const hint = make("div", { class: "t2a-note" });
  const field = make("div", { class: "t2a-field t2a-resume-list" }, list, make("div", { class: "t2a-buttons" }, resume, longer), hint);
  let newest = null;

  function choose() {
    const chosen = model.get("runs").runs?.find(([name]) => name === list.value);
    longer.disabled = chosen === undefined;
    resume.disabled = chosen === undefined || chosen[2];
  }
  list.addEventListener("change", choose);
  follow(model, ["runs"], () => {
    const { runs = [], more = 100, hint: said = "" } = model.get("runs");
    const kept = list.value;
    replaceOptions(list, runs.map(([name, text]) => [name, text]));
    const first = runs[0]?.[0] ?? null;
    list.value = first !== newest || !runs.some(([name]) => name === kept) ? first : kept;
    newest = first;
    setText(longer, `+${more} iterations`);
    setText(hint, said);
    choose();
  });
  return fold("Continue a run", field);
}
