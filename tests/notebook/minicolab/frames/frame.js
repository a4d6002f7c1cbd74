// The page in a cell's frame: outputs, and the `google.colab` that scripts in them find.
import { openChannel } from "./channels.js";
import "./outputs.js";
import { ask, on, report, tell } from "./page.js";

const asked = new URLSearchParams(location.search);
document.documentElement.setAttribute("theme", asked.get("theme") ?? "light");

const area = document.getElementById("output-area");
window.google = {
  colab: {
    kernel: {
      accessAllowed: true,
      comms: { open: openChannel },
      proxyPort: (port) => ask("proxyPort", { port }),
    },
    output: {
      getActiveOutputArea: () => area,
      getDefaultOutputArea: () => area,
      resizeIframeToContent: () => tellHeight(),
      setIframeHeight: (height) => tell("height", { height }),
    },
  },
};

on("evaluate", async ({ id, script }) => {
  try {
    tell("evaluated", { id, value: await (0, eval)(script) });
  } catch (error) {
    tell("evaluated", { id, error: String(error) });
  }
});

function tellHeight() {
  tell("height", { height: document.documentElement.offsetHeight });
}
new ResizeObserver(tellHeight).observe(document.body);

// What goes wrong here is told to the page, which knows the cell.
window.addEventListener("error", (event) => report(`error: ${event.error?.stack ?? event.message}`));
window.addEventListener("unhandledrejection", (event) => report(`rejection: ${event.reason?.stack ?? event.reason}`));
const said = console.error;
console.error = (...words) => {
  said(...words);
  report(`console.error: ${words.map((each) => each?.stack ?? String(each)).join(" ")}`);
};
