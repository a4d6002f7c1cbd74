// A picture to paint over: where a prompt shall count. Python hears of every finished stroke as a PNG: white on black.
const STEPS_BACK = 20;

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "t2a-mask";
  const sheet = document.createElement("div");
  sheet.className = "t2a-mask-sheet";
  const picture = document.createElement("img");
  picture.alt = "the picture under the mask";
  picture.draggable = false;
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-label", "paint where the prompt shall count");
  sheet.append(picture, canvas);
  const tools = document.createElement("div");
  tools.className = "t2a-mask-tools";
  const paint = button("Paint", () => choose(false));
  const erase = button("Erase", () => choose(true));
  const width = document.createElement("input");
  Object.assign(width, { type: "range", min: "2", max: "40", value: "12", title: "how wide the brush is" });
  width.setAttribute("aria-label", "how wide the brush is");
  tools.append(paint, erase, width, button("Undo", undo), button("Invert", invert), button("Clear", clear));
  root.append(sheet, tools);
  el.append(root);

  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const ink = "#6a4cf0";
  let erasing = false;
  let last = null; // where the stroke is, null between two strokes
  let mine = null; // what was told to Python last
  const past = [];

  function button(words, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", action);
    return made;
  }

  function choose(erases) {
    erasing = erases;
    paint.setAttribute("aria-pressed", String(!erases));
    erase.setAttribute("aria-pressed", String(erases));
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * (canvas.height / box.height) };
  }

  function line(from, to) {
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.lineWidth = (Number(width.value) / 100) * Math.min(canvas.width, canvas.height);
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = ink;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + (from === to ? 0.01 : 0), to.y); // a line without any length isn't drawn, not even its ends
    pen.stroke();
  }

  function remember() {
    past.push(pen.getImageData(0, 0, canvas.width, canvas.height));
    if (past.length > STEPS_BACK) past.shift();
  }

  // By a message of its own: a change of the state may be held back until the kernel is free, and then a click on a
  // button overtakes it.
  function tell() {
    mine = asPicture();
    model.send({ painted: mine });
  }

  function asPicture() {
    const alpha = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    if (!alpha.some((value, k) => k % 4 === 3 && value > 0)) return "";
    const sheet = document.createElement("canvas");
    sheet.width = canvas.width;
    sheet.height = canvas.height;
    const out = sheet.getContext("2d");
    out.drawImage(canvas, 0, 0);
    out.globalCompositeOperation = "source-in"; // what is painted becomes white
    out.fillStyle = "white";
    out.fillRect(0, 0, sheet.width, sheet.height);
    out.globalCompositeOperation = "destination-over"; // and the rest black
    out.fillStyle = "black";
    out.fillRect(0, 0, sheet.width, sheet.height);
    return sheet.toDataURL("image/png");
  }

  function undo() {
    const before = past.pop();
    if (before === undefined) return;
    pen.putImageData(before, 0, 0);
    tell();
  }

  function clear() {
    remember();
    pen.clearRect(0, 0, canvas.width, canvas.height);
    tell();
  }

  function invert() {
    remember();
    pen.globalCompositeOperation = "source-out";
    pen.fillStyle = ink;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    tell();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last === null) return;
    event.preventDefault();
    for (const each of event.getCoalescedEvents?.() ?? []) {
      const next = place(each);
      line(last, next);
      last = next;
    }
    const next = place(event);
    line(last, next);
    last = next;
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (last === null) return;
      last = null;
      tell();
    });
  }

  function showPicture() {
    picture.src = model.get("picture") || "data:,";
  }

  function resize() {
    canvas.width = model.get("width");
    canvas.height = model.get("height");
    sheet.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
    past.length = 0;
    mine = null;
    showPainted();
  }

  // What another view of it has painted, or Python has taken away: its light is how opaque it is here.
  function showPainted() {
    const painted = model.get("painted");
    if (painted === mine) return;
    mine = painted;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!painted) {
      past.length = 0;
      return;
    }
    const image = new Image();
    image.onload = () => {
      if (painted !== mine) return;
      pen.globalCompositeOperation = "copy";
      pen.drawImage(image, 0, 0, canvas.width, canvas.height);
      const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
      for (let k = 0; k < pixels.data.length; k += 4) {
        pixels.data.set([0x6a, 0x4c, 0xf0, pixels.data[k]], k);
      }
      pen.putImageData(pixels, 0, 0);
    };
    image.src = painted;
  }

  model.on("change:picture", showPicture);
  model.on("change:width", resize);
  model.on("change:height", resize);
  model.on("change:painted", showPainted);
  choose(false);
  showPicture();
  resize();
}

export default { render };
