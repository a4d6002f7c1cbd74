// The parts of the page beside Gradio's form: the growing picture, the gallery, the initial picture.
// Visitors' texts are only ever inserted with textContent.
(() => {
  "use strict";

  const root = location.pathname.replace(/\/ui\/?$/, "");
  const address = (id, what = "") => `${root}/api/jobs/${encodeURIComponent(id)}${what}`;
  const ENDS = ["done", "failed", "cancelled"];
  const RETRY_MS = 2000;

  // <tag class="t2a-name">…children</tag>
  function make(tag, name, attributes = {}, ...children) {
    const made = document.createElement(tag);
    if (name) made.className = name.split(" ").map((each) => `t2a-${each}`).join(" ");
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null) made.setAttribute(key, value);
    }
    made.append(...children.filter((each) => each !== null && each !== undefined));
    return made;
  }

  // Gradio may render a part of the page again when its value changes: put our node back.
  function keep(element, node) {
    const back = () => element.contains(node) || element.replaceChildren(node);
    back();
    return back;
  }

  function duration(seconds) {
    if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
    const whole = Math.round(seconds / 60);
    return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
  }

  async function ask(url, options) {
    const answer = await fetch(url, options);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.detail || `the service answered with status ${answer.status}`), {status: answer.status});
    return told;
  }

  // -- the growing picture

  class Stage {
    constructor() {
      this.image = make("img", "", {alt: "", hidden: true});
      this.empty = make("p", "empty", {}, "Your picture will grow here.");
      this.film = make("video", "", {controls: true, loop: true, playsinline: true, hidden: true});
      this.canvas = make("div", "canvas", {}, this.empty, this.image, this.film);
      this.bar = make("div", "bar", {role: "progressbar", "aria-label": "progress", hidden: true}, make("div"));
      this.prompt = make("p", "said");
      this.status = make("p", "status", {role: "status", "aria-live": "polite"});
      this.cancelling = make("button", "button quiet", {type: "button", hidden: true, onclick: () => this.cancel()}, "Cancel");
      this.links = make("div", "links", {hidden: true});
      this.node = make("section", "stage", {"aria-label": "Picture"}, this.canvas, this.bar, make("div", "line", {}, make("div", "", {}, this.prompt, this.status), this.cancelling), this.links);
      this.whenDone = () => {};
    }

    watch(id) {
      this.close();
      this.id = id;
      this.job = null;
      this.waiting = false;
      history.replaceState(null, "", `#${id}`);
      this.links.hidden = this.film.hidden = true;
      this.film.removeAttribute("src");
      this.image.hidden = true;
      this.empty.hidden = false;
      this.empty.textContent = "";
      this.node.classList.add("t2a-busy");
      this.listen(0);
    }

    close() {
      this.source?.close();
      clearTimeout(this.timer);
      this.source = null;
    }

    // The browser reconnects by itself and resumes after the last event it received.
    listen() {
      const source = (this.source = new EventSource(address(this.id, "/events")));
      for (const kind of ["queued", "progress", "frame", ...ENDS]) {
        source.addEventListener(kind, (event) => this.source === source && this.hear(kind, JSON.parse(event.data)));
      }
      source.onerror = () => {
        if (this.source !== source) return;
        this.status.textContent = "Connection lost; trying again …";
        if (source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.look(), RETRY_MS);
      };
    }

    // The stream was refused: is the job gone for good, or is the service down?
    async look() {
      const id = this.id;
      try {
        await ask(address(id));
        if (this.id === id) this.listen();
      } catch (error) {
        if (this.id !== id) return;
        if (error.status === 404) this.forget(error.message);
        else this.timer = setTimeout(() => this.look(), RETRY_MS);
      }
    }

    forget(sentence) {
      this.close();
      this.node.classList.remove("t2a-busy");
      this.cancelling.hidden = this.bar.hidden = true;
      this.prompt.textContent = "";
      this.status.textContent = sentence;
      history.replaceState(null, "", location.pathname + location.search);
    }

    hear(kind, event) {
      const job = (this.job = event.job);
      this.prompt.textContent = job.prompt;
      this.status.textContent = this.sentence(job);
      this.cancelling.hidden = ENDS.includes(job.status);
      this.cancelling.disabled = false;
      this.bar.hidden = job.status !== "running";
      this.bar.firstChild.style.width = `${(100 * job.iteration) / Math.max(1, job.total)}%`;
      this.bar.setAttribute("aria-valuenow", Math.round((100 * job.iteration) / Math.max(1, job.total)));
      if (job.status === "queued") this.empty.textContent = job.position > 1 ? `${job.position - 1} ahead of you` : "You are next";
      if (event.picture) this.show(address(job.id, `/frame?${event.number}`));
      if (ENDS.includes(kind)) this.end(job);
    }

    sentence(job) {
      const left = job.eta === null ? "" : ` · about ${duration(job.eta)} left`;
      if (job.status === "queued") return `Waiting, number ${job.position ?? "?"} in the queue${left || " · no estimate yet"}`;
      if (job.status === "running") return job.iteration ? `Iteration ${job.iteration} of ${job.total}${left}` : `Getting ready${left}`;
      if (job.status === "done") return "Done.";
      if (job.status === "cancelled") return job.iteration ? `Cancelled at iteration ${job.iteration} of ${job.total}.` : "Cancelled.";
      return job.error || "This picture could not be drawn.";
    }

    end(job) {
      this.close();
      this.node.classList.remove("t2a-busy");
      if (this.image.hidden) this.empty.textContent = "";
      if (job.status !== "done") return;
      this.show(address(job.id, "/image"));
      const kinds = [["image", "PNG", "png"], ...(job.has_video ? [["video", "MP4", "mp4"]] : []), ...(job.has_svg ? [["svg", "SVG", "svg"]] : [])];
      this.links.replaceChildren(
        ...kinds.map(([what, text, ending]) => make("a", "button", {href: address(job.id, `/${what}`), download: `text2art-${job.id}.${ending}`}, text)),
      );
      if (job.has_video) this.links.append(make("button", "button quiet", {type: "button", onclick: () => this.play(job.id)}, "Watch it grow"));
      this.links.hidden = false;
      this.whenDone(job);
    }

    play(id) {
      const showing = !this.film.hidden;
      this.film.hidden = showing;
      this.image.hidden = !showing;
      if (showing) return this.film.pause();
      if (!this.film.src) this.film.src = address(id, "/video");
      this.film.play().catch(() => {});
    }

    // Show one complete picture at a time; of those that arrive meanwhile, only the last.
    async show(url) {
      this.wanted = url;
      if (this.fetching) return;
      this.fetching = true;
      while (this.wanted) {
        const [next, id] = [this.wanted, this.id];
        this.wanted = null;
        try {
          const answer = await fetch(next);
          if (!answer.ok) continue;
          const picture = URL.createObjectURL(await answer.blob());
          const loaded = new Image();
          loaded.src = picture;
          await loaded.decode();
          if (id !== this.id) continue;
          const old = this.image.src;
          this.image.src = picture;
          this.canvas.style.aspectRatio = `${loaded.naturalWidth} / ${loaded.naturalHeight}`;
          this.image.alt = this.job?.prompt ?? "";
          this.image.hidden = !this.film.hidden;
          this.empty.hidden = true;
          if (old) URL.revokeObjectURL(old);
        } catch {
          // The frame was replaced while it loaded: the next one follows.
        }
      }
      this.fetching = false;
    }

    async cancel() {
      this.cancelling.disabled = true;
      this.status.textContent = "Cancelling …";
      try {
        await ask(address(this.id), {method: "DELETE"});
      } catch (error) {
        this.status.textContent = error.message;
        this.cancelling.disabled = false;
      }
    }
  }

  const theStage = new Stage();

  function stage(element, props, trigger, watch) {
    const back = keep(element, theStage.node);
    watch("value", () => {
      back();
      if (!props.value?.id) return;
      theStage.watch(props.value.id);
      if (theStage.node.getBoundingClientRect().top > innerHeight * 0.6) theStage.node.scrollIntoView({behavior: "smooth", block: "start"});
    });
    const id = decodeURIComponent(location.hash.slice(1));
    if (/^[A-Za-z0-9_-]{8,64}$/.test(id) && !id.startsWith("t2a-")) theStage.watch(id);
  }

  // -- the gallery

  function gallery(element, props, trigger) {
    const wall = make("div", "wall");
    const nothing = make("p", "status");
    const older = make("button", "button quiet", {type: "button", hidden: true, onclick: () => load(page + 1)}, "Older pictures");
    keep(element, make("section", "gallery", {"aria-label": "Gallery"}, make("h2", "", {}, "Gallery"), nothing, wall, older));
    let page = 0;

    async function load(number) {
      try {
        const items = await ask(`${root}/api/gallery?page=${number}`);
        if (number === 1) wall.replaceChildren();
        const there = new Set([...wall.children].map((each) => each.dataset.job));
        wall.append(...items.filter((each) => !there.has(each.id)).map((each) => card(each, again)));
        page = number;
        older.hidden = items.length < 12;
        nothing.textContent = wall.children.length ? "" : "No pictures yet. Draw one and show it here.";
      } catch (error) {
        nothing.textContent = `The gallery can't be loaded: ${error.message}`;
      }
    }

    function again(request) {
      trigger("click", request);
      document.querySelector("#t2a-form")?.scrollIntoView({behavior: "smooth"});
    }

    theStage.whenDone = (job) => job.public && load(1);
    load(1);
  }

  function card(item, again) {
    const count = make("span", "", {}, String(item.likes));
    const like = make("button", "like", {type: "button", "aria-label": "Like", "aria-pressed": String(item.liked)}, "♥ ", count);
    like.addEventListener("click", async () => {
      like.disabled = true;
      try {
        const {likes} = await ask(address(item.id, "/like"), {method: "POST"});
        count.textContent = String(likes);
        like.setAttribute("aria-pressed", String(like.getAttribute("aria-pressed") !== "true"));
      } catch (error) {
        like.title = error.message;
      }
      like.disabled = false;
    });
    const image = make("img", "", {src: address(item.id, "/image"), loading: "lazy", alt: item.prompt});
    image.classList.toggle("t2a-sharp", item.request?.type === "pixel art");
    const frame = make("button", "frame", {type: "button", "aria-label": "Enlarge", onclick: () => enlarge(item)}, image);
    const redraw = make("button", "small", {type: "button", onclick: () => again(item.request)}, "Draw this again");
    const when = make("time", "", {datetime: new Date(item.created * 1000).toISOString()}, new Date(item.created * 1000).toLocaleDateString());
    const card = make("figure", "card", {}, frame, make("figcaption", "", {}, make("p", "said", {}, item.prompt), make("div", "row", {}, like, redraw, when)));
    card.dataset.job = item.id;
    return card;
  }

  function enlarge(item) {
    const shown = item.has_video
      ? make("video", "", {src: address(item.id, "/video"), controls: true, loop: true, playsinline: true, poster: address(item.id, "/image")})
      : make("img", "", {src: address(item.id, "/image"), alt: item.prompt});
    const files = ["image", ...(item.has_video ? ["video"] : []), ...(item.has_svg ? ["svg"] : [])];
    const ending = {image: "png", video: "mp4", svg: "svg"};
    const links = files.map((what) => make("a", "button", {href: address(item.id, `/${what}`), download: `text2art-${item.id}.${ending[what]}`}, ending[what].toUpperCase()));
    const dialog = make("dialog", "large", {"aria-label": item.prompt, onclose: () => dialog.remove()});
    dialog.append(shown, make("p", "said", {}, item.prompt), make("div", "links", {}, ...links, make("button", "button quiet", {type: "button", onclick: () => dialog.close()}, "Close")));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    (document.querySelector(".gradio-container") ?? document.body).append(dialog);
    dialog.showModal();
  }

  // -- the initial picture: read here and sent with the form

  function picker(element, props, trigger, watch) {
    const most = Number(element.querySelector("[data-most]")?.dataset.most ?? 5e6);
    const input = make("input", "", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", "aria-label": "A picture to start from"});
    const text = make("span", "hint", {}, "Start from a picture: drop it here or click");
    const preview = make("img", "", {alt: "the picture to start from", hidden: true});
    const away = make("button", "small", {type: "button", hidden: true, onclick: () => set(null)}, "Remove");
    const zone = make("label", "drop", {}, input, preview, text);
    const back = keep(element, make("div", "picker", {}, zone, away));

    function show() {
      back();
      const value = typeof props.value === "string" && props.value.startsWith("data:image/") ? props.value : null;
      preview.hidden = away.hidden = !value;
      if (value) preview.src = value;
      else preview.removeAttribute("src");
      text.textContent = value ? "The drawing starts from this picture" : "Start from a picture: drop it here or click";
    }

    function set(value) {
      props.value = value;
      input.value = "";
      show();
    }

    function read(file) {
      if (!file) return;
      if (!file.type.startsWith("image/")) text.textContent = "That is not a picture.";
      else if (file.size > most) text.textContent = `That picture is too large: at most ${(most / 1e6).toFixed(1)} MB.`;
      else {
        const reader = new FileReader();
        reader.onload = () => set(reader.result);
        reader.readAsDataURL(file);
      }
    }

    input.addEventListener("change", () => read(input.files[0]));
    for (const kind of ["dragover", "dragleave", "drop"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.toggle("t2a-over", kind === "dragover");
        if (kind === "drop") read(event.dataTransfer.files[0]);
      });
    }
    watch("value", show);
    show();
  }

  // -- the form's error, in a sentence

  function note(element, props, trigger, watch) {
    const line = make("p", "note", {role: "alert"});
    const back = keep(element, line);
    watch("value", () => {
      back();
      line.textContent = props.value ?? "";
    });
  }

  function header(element) {
    element.querySelector(".t2a-docs")?.setAttribute("href", `${root}/docs`);
  }

  window.text2art = {header, stage, gallery, picker, note};
})();
