// The canvas for masks in a cell of its own.

function render({ model, el }) {
  const { root, leave } = rootOf(el, "t2a-live");
  root.append(maskPainter(model));
  tell(model, "hello");
  return leave;
}

export default { render };
