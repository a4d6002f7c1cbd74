// A place to drop a picture on, or to click and choose one. Bytes go to Python in pieces: a server closes the
// connection on a message of more than ten megabytes.
const PIECE = 512 * 1024;
const MOST = 64 * 1024 * 1024;

/** zone: what Python calls the place; many: whether several files may come; accept: as an input of files has it. */
function dropZone(model, zone, { label, many = false, accept = "image/*", described = null }) {
  const words = make("span", { class: "t2a-drop-words", text: label });
  const preview = pictureOf("");
  const input = make("input", { type: "file", accept, multiple: many, "aria-describedby": described });
  const place = make("label", { class: "t2a-drop" }, preview.img, words, input);

  async function send(file) {
    if (file.size > MOST) {
      setText(words, `${file.name} is larger than 64 MB`);
      return;
    }
    const id = `${Date.now()}-${Math.random()}`;
    const bytes = await file.arrayBuffer();
    for (let offset = 0; offset === 0 || offset < bytes.byteLength; offset += PIECE) {
      const piece = bytes.slice(offset, offset + PIECE);
      tell(model, "piece", { zone, id, name: file.name, size: bytes.byteLength, offset }, [piece]);
    }
  }

  async function take(files) {
    for (const file of many ? [...files] : [...files].slice(0, 1)) await send(file);
  }

  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // the same file may be chosen again
  });
  const over = (event) => {
    event.preventDefault();
    event.stopPropagation();
    place.classList.add("t2a-over");
  };
  place.addEventListener("dragenter", over);
  place.addEventListener("dragover", over);
  place.addEventListener("dragleave", () => place.classList.remove("t2a-over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    place.classList.remove("t2a-over");
    take([...event.dataTransfer.files]);
  });
  return { place, say: (text) => setText(words, text), preview: (address) => preview.address(address) };
}
