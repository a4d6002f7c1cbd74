// The right half: Draw, Pause, Stop; the picture, its progress, its candidates and earlier frames.

function previewOf(model) {
  const estimate = make("div", { class: "t2a-estimate" });
  const notice = make("div", { class: "t2a-notice" });
  const draw = button("Draw", () => tell(model, "draw"), { class: "t2a-button t2a-draw" });
  const pause = button("Pause", () => tell(model, "pause"), { class: "t2a-button t2a-quiet" });
  const stop = button("Stop", () => tell(model, "stop"), { class: "t2a-button t2a-stop" });
  const message = make("div", { class: "t2a-note t2a-message", role: "status", "aria-live": "polite" });
  const picture = pictureOf("");
  const empty = make("div", { class: "t2a-empty", text: "Your picture grows here." });
  const frame = make("div", { class: "t2a-picture" }, empty, picture.img);

  follow(model, ["progress"], () => {
    const now = model.get("progress");
    setText(estimate, now.estimate ?? "");
    setText(notice, now.notice ?? "");
    draw.disabled = now.drawing;
    pause.disabled = stop.disabled = !now.drawing;
    setText(pause, now.paused ? "Resume" : "Pause");
    setText(message, now.message ?? "");
    message.classList.toggle("t2a-error", now.wrong ?? false);
    frame.classList.toggle("t2a-sharp", now.sharp ?? false);
    const words = model.get("fields").prompts?.value ?? "";
    picture.img.alt = `${now.drawing ? "the picture that is being drawn" : "the picture"}${words ? `: ${words}` : ""}`;
  });
  hear(model, "picture", ({ kind }, [data]) => {
    picture.bytes(data, kind);
    empty.hidden = true;
  });
  const still = model.get("still");
  if (still) {
    picture.address(still); // until Python sends the picture itself, or where there is no Python any more
    empty.hidden = true;
  }
  const buttons = make("div", { class: "t2a-buttons" }, draw, pause, stop);
  const preview = make("div", { class: "t2a-preview-pane" }, estimate, notice, buttons, message, frame, progressOf(model));
  preview.append(candidatesOf(model), timeMachineOf(model));
  return preview;
}

function labelOf(text, hint) {
  return make("div", { class: "t2a-label" }, make("span", { class: "t2a-name", text }), make("span", { class: "t2a-hint", text: hint }));
}

/** A contact sheet, the best first; a click continues with one of them alone. */
function candidatesOf(model) {
  const sheet = make("div", { class: "t2a-sheet", role: "group", "aria-label": "Candidates" });
  const label = labelOf("Candidates", "best first; click one to continue with it alone");
  const root = make("div", { class: "t2a-candidates" }, label, sheet);
  let places = [];
  follow(model, ["candidates"], () => {
    const shown = model.get("candidates");
    root.hidden = shown.length === 0;
    while (places.length < shown.length) {
      const place = places.length;
      const picture = pictureOf("");
      const words = make("span");
      const choose = () => {
        const { number, among } = model.get("candidates")[place];
        tell(model, "choose", { number, among });
      };
      const thumb = make("button", { type: "button", class: "t2a-candidate", title: "continue with this one alone" });
      thumb.append(picture.img, words);
      thumb.addEventListener("click", choose);
      places.push({ thumb, picture, words });
    }
    if (sheet.childElementCount !== shown.length) {
      sheet.replaceChildren(...places.slice(0, shown.length).map(({ thumb }) => thumb));
    }
    shown.forEach(({ label: text }, k) => setText(places[k].words, text));
  });
  hear(model, "candidates", (_, pictures) => {
    pictures.forEach((data, k) => places[k]?.picture.bytes(data, "image/jpeg"));
  });
  return root;
}

function timeMachineOf(model) {
  const slider = make("input", { type: "range", min: "1", step: "1", "aria-label": "Time machine" });
  const note = make("span", { class: "t2a-note", role: "status", "aria-live": "polite" });
  const branch = button("Branch from here", () => {
    flush();
    tell(model, "branch");
  });
  branch.className = "t2a-button t2a-small";
  let dragged = false;
  let due = null;
  let told = null;

  // Not more often than frames can be fetched; the last one always.
  function flush() {
    clearTimeout(due);
    due = null;
    if (told === null) return;
    tell(model, "look", { at: told });
    told = null;
  }
  slider.addEventListener("input", () => {
    told = Number(slider.value);
    if (due === null) due = setTimeout(flush, 80);
  });
  slider.addEventListener("pointerdown", () => (dragged = true));
  for (const kind of ["pointerup", "pointercancel", "blur"]) slider.addEventListener(kind, () => (dragged = false));
  const label = labelOf("Time machine", "go back to any frame, change a setting, branch");
  const row = make("div", { class: "t2a-buttons" }, branch, note);
  const root = make("div", { class: "t2a-time" }, label, slider, row);
  follow(model, ["time"], () => {
    const { there = false, last = 1, at = 1, note: said = "" } = model.get("time");
    root.hidden = !there;
    slider.max = Math.max(2, last);
    if (!dragged && told === null) slider.value = at;
    slider.setAttribute("aria-valuetext", `frame ${slider.value} of ${last}`);
    setText(note, said);
  });
  return root;
}
