// How far a picture is: a bar, a line, the way of score and loss, and what the run had to say.

function progressOf(model) {
  const bar = make("div", { class: "t2a-bar", role: "progressbar", "aria-label": "how far it is", "aria-valuemin": "0" });
  bar.setAttribute("aria-valuemax", "100");
  const done = make("div");
  bar.append(done);
  const status = make("div", { class: "t2a-status" });
  const trace = make("div", { class: "t2a-trace" });
  const notices = make("div", { class: "t2a-notices" });
  const spoken = make("div", { class: "t2a-unseen", role: "status", "aria-live": "polite" });
  let quarter = null;

  // A screen reader hears where it begins, of every quarter, and of every line that isn't a mere number.
  function speak(share, line) {
    const now = share === null || share === undefined ? line : Math.floor(share * 4);
    if (now === quarter) return;
    quarter = now;
    setText(spoken, line);
  }

  follow(model, ["progress"], () => {
    const { share = null, status: line = "", trace: svg = "", notices: said = [] } = model.get("progress");
    bar.hidden = share === null;
    done.style.width = `${100 * (share ?? 0)}%`;
    bar.setAttribute("aria-valuenow", Math.round(100 * (share ?? 0)));
    setText(status, line);
    if (trace.dataset.shown !== svg) trace.innerHTML = trace.dataset.shown = svg;
    if (notices.dataset.shown !== said.join("\n")) {
      notices.dataset.shown = said.join("\n");
      notices.replaceChildren(...said.map((each) => make("div", { class: "t2a-notice", text: each })));
    }
    speak(share, line);
  });
  return make("div", { class: "t2a-progress" }, bar, status, trace, notices, spoken);
}
