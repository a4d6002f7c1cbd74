// A picture to paint over: where a prompt shall count. Python hears of every finished stroke as a PNG: white on black.
const STEPS_BACK = 20;
const INK = [0x6a, 0x4c, 0xf0];

/** The canvas, its tools, the words for what should be there. It is hidden until Python opens it. */
function maskPainter(model) {
  const under = pictureOf("the picture under the mask");
  const { sheet, tools } = maskCanvas(model, under);
  const words = make("input", { type: "text", "aria-label": "what should be there" });
  words.placeholder = "what should be there, like a red boat";
  const use = button("Use it", () => tell(model, "use_mask", { words: words.value }), { class: "t2a-button t2a-small" });
  const another = button("Another mask", () => tell(model, "another_mask"), { class: "t2a-button t2a-small" });
  another.title = "start a new mask, beside the others";
  const note = make("div", { class: "t2a-note", role: "status" });
  const painter = make("div", { class: "t2a-mask-painter" });
  painter.append(make("div", { class: "t2a-mask" }, sheet, tools), make("div", { class: "t2a-mask-words" }, words));
  painter.append(make("div", { class: "t2a-buttons" }, use, another), note);

  let known = "";
  follow(model, ["mask"], () => {
    const { open = false, words: said = "", number = null, note: sentence = "", wrong = false } = model.get("mask");
    painter.hidden = !open;
    if (said !== known) words.value = known = said;
    setText(use, number === null ? "Use it" : `Change mask ${number}`);
    setText(note, sentence);
    note.classList.toggle("t2a-error", wrong);
  });
  hear(model, "under", (_, [data]) => under.bytes(data, "image/jpeg"));
  return painter;
}

function maskCanvas(model, under) {
  const canvas = make("canvas", { "aria-label": "paint where the prompt should apply", role: "img" });
  const sheet = make("div", { class: "t2a-mask-sheet" }, under.img, canvas);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const past = [];
  let erasing = false;
  let last = null; // where the stroke is, null between two strokes
  let mine = null; // what was told to Python last

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * (canvas.height / box.height) };
  }

  function line(from, to) {
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.lineWidth = (Number(width.value) / 100) * Math.min(canvas.width, canvas.height);
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = `rgb(${INK})`;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + (from === to ? 0.01 : 0), to.y); // a line without any length isn't drawn, not even its ends
    pen.stroke();
  }

  function remember() {
    past.push(pen.getImageData(0, 0, canvas.width, canvas.height));
    if (past.length > STEPS_BACK) past.shift();
  }

  function told() {
    mine = asPicture(canvas, pen);
    tell(model, "painted", { painted: mine });
  }

  function undo() {
    const before = past.pop();
    if (before === undefined) return;
    pen.putImageData(before, 0, 0);
    told();
  }

  function clear() {
    remember();
    pen.clearRect(0, 0, canvas.width, canvas.height);
    told();
  }

  function invert() {
    remember();
    pen.globalCompositeOperation = "source-out";
    pen.fillStyle = `rgb(${INK})`;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    told();
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
    for (const each of [...(event.getCoalescedEvents?.() ?? []), event]) {
      const next = place(each);
      line(last, next);
      last = next;
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (last === null) return;
      last = null;
      told();
    });
  }

  // What another view of it has painted, or Python has taken away.
  follow(model, ["mask"], () => {
    const { width: across = 512, height: down = 512, painted = "" } = model.get("mask");
    if (canvas.width !== across || canvas.height !== down || mine === null) {
      canvas.width = across;
      canvas.height = down;
      sheet.style.aspectRatio = `${across} / ${down}`;
      past.length = 0;
      mine = "";
    }
    if (painted === mine) return;
    mine = painted;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (painted) paintFrom(painted, canvas, pen, () => painted === mine);
    else past.length = 0;
  });

  const small = { class: "t2a-button t2a-small" };
  const paint = button("Paint", () => choose(false), small);
  const erase = button("Erase", () => choose(true), small);
  const width = make("input", { type: "range", min: "2", max: "40", value: "12", "aria-label": "how wide the brush is" });
  function choose(erases) {
    erasing = erases;
    paint.setAttribute("aria-pressed", String(!erases));
    erase.setAttribute("aria-pressed", String(erases));
  }
  choose(false);
  const steps = [button("Undo", undo, small), button("Invert", invert, small), button("Clear", clear, small)];
  return { sheet, tools: make("div", { class: "t2a-mask-tools" }, paint, erase, width, ...steps) };
}

/** What is painted as white on black; "" where nothing is. */
function asPicture(canvas, pen) {
  const alpha = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  if (!alpha.some((value, k) => k % 4 === 3 && value > 0)) return "";
  const sheet = make("canvas");
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

/** The light of a mask becomes how opaque the ink is. */
function paintFrom(painted, canvas, pen, isWanted) {
  const image = new Image();
  image.onload = () => {
    if (!isWanted()) return;
    pen.globalCompositeOperation = "copy";
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let k = 0; k < pixels.data.length; k += 4) pixels.data.set([...INK, pixels.data[k]], k);
    pen.putImageData(pixels, 0, 0);
  };
  image.src = painted;
}
