// The whole panel: the form, the picture, the gallery.

function render({ model, el }) {
  const { root, leave } = rootOf(el, "t2a-panel");
  const small = make("small");
  const head = make("div", { class: "t2a-head", text: "text2art" });
  head.append(small);
  follow(model, ["head"], () => setText(small, model.get("head")));
  const { ask, rest } = formOf(model);
  const columns = make("div", { class: "t2a-columns" }, ask, previewOf(model), rest);
  root.append(head, columns, galleryOf(model), remixOf(model), resumeListOf(model));
  checkedOf(model, root);
  tell(model, "hello");
  return leave;
}

export default { render };
