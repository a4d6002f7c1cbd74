// A place to drop a picture on, or to click and choose one. Bytes go to Python in pieces: a server closes the
// connection on a message of more than ten megabytes.
const PIECE = 512 * 1024;
const MOST = 64 * 1024 * 1024;

function render({ model, el }) {
  const zone = document.createElement("label");
  zone.className = "t2a-drop";
  const words = document.createElement("span");
  const picture = document.createElement("img");
  const input = document.createElement("input");
  input.type = "file";
  input.accept = model.get("accept");
  input.multiple = model.get("many");
  input.setAttribute("aria-label", model.get("label"));
  zone.append(picture, words, input);
  el.append(zone);

  function show() {
    const preview = model.get("preview");
    picture.style.display = preview ? "" : "none";
    picture.src = preview || "data:,";
    words.textContent = model.get("label");
  }

  async function send(file) {
    if (file.size > MOST) {
      words.textContent = `${file.name} is larger than 64 MB`;
      return;
    }
    const id = `${Date.now()}-${Math.random()}`;
    const bytes = await file.arrayBuffer();
    for (let offset = 0; offset === 0 || offset < bytes.byteLength; offset += PIECE) {
      const piece = bytes.slice(offset, offset + PIECE);
      model.send({ id, name: file.name, size: bytes.byteLength, offset }, undefined, [piece]);
    }
  }

  function take(files) {
    const chosen = model.get("many") ? [...files] : [...files].slice(0, 1);
    chosen.forEach(send);
  }

  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // the same file may be chosen again
  });
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.add("t2a-over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("t2a-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("t2a-over");
    take(event.dataTransfer.files);
  });
  model.on("change:label", show);
  model.on("change:preview", show);
  show();
}

export default { render };
