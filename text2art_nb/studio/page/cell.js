// What a cell shows beside a picture of its own: buttons and how far it is; a link where something is shared.

function render({ model, el }) {
  const { root, leave } = rootOf(el, "t2a-live");
  const head = make("div", { class: "t2a-head" });
  const link = make("a", { class: "t2a-download", target: "_blank", rel: "noopener" });
  const note = make("div", { class: "t2a-note" });
  const buttons = make("div", { class: "t2a-buttons" });
  const files = make("div");
  const picture = pictureOf("the picture as it is now");
  const frame = make("div", { class: "t2a-picture" }, picture.img);
  root.append(head, link, note, buttons, files, progressOf(model), frame);

  follow(model, ["title", "link", "note"], () => {
    const address = model.get("link");
    setText(head, model.get("title"));
    setText(link, address);
    if (/^https?:/.test(address)) link.href = address;
    setText(note, model.get("note"));
    head.hidden = !head.textContent;
    link.hidden = !address;
    note.hidden = !note.textContent;
  });
  const made = new Map();
  follow(model, ["buttons"], () => {
    for (const [name, label, title, disabled] of model.get("buttons")) {
      if (!made.has(name)) {
        made.set(name, button(label, () => tell(model, name), { class: `t2a-button t2a-${name}`, title }));
        buttons.append(made.get(name));
      }
      setText(made.get(name), label);
      made.get(name).disabled = disabled;
    }
  });
  frame.hidden = true;
  hear(model, "picture", ({ kind }, [data]) => {
    picture.bytes(data, kind);
    frame.hidden = false;
  });
  hear(model, "file", ({ name, kind }, [data]) => {
    const save = saveLink(name, kind, data);
    files.replaceChildren(save);
    save.click();
  });
  tell(model, "hello");
  return leave;
}

export default { render };
