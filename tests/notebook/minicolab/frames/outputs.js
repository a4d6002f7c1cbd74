// Puts Jupyter's outputs into the frame, the richest form of each, widgets by the manager that the output names.
import { channelOf, openChannel } from "./channels.js";
import { ask, on, report } from "./page.js";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const PICTURES = ["image/png", "image/jpeg", "image/gif"];
// Colab's own manager shows ipywidgets only, and no npm package has it: here one manager stands for both.
const USUAL = "https://ssl.gstatic.com/colaboratory-static/widgets/colab-cdn-widget-manager/2b70e893a8ba7c0f/manager.min.js";

let manager;

const environment = {
  async getModelState(id) {
    const state = await ask("getModelState", { id });
    return state && { ...state, comm: channelOf(id) };
  },
  openCommChannel: openChannel,
  renderOutput: (output, element) => render({ output_type: "display_data", ...output }, element),
};

export async function render(output, element) {
  const data = output.data ?? {};
  if (data[WIDGET]) await renderWidget(data[WIDGET].model_id, output.metadata?.[WIDGET], element);
  else if (data["application/javascript"]) run([data["application/javascript"]].flat().join(""), element);
  else if (data["text/html"]) renderHtml([data["text/html"]].flat().join(""), element);
  else if (PICTURES.some((type) => data[type])) renderPicture(PICTURES.find((type) => data[type]), data, element);
  else renderText(output, element);
}

async function renderWidget(id, metadata, element) {
  if (!metadata?.colab) report(`a widget of Colab's own manager: ${id}`);
  const url = metadata?.colab?.custom_widget_manager.url ?? USUAL;
  manager ??= import(url).then((module) => module.createWidgetManager(environment));
  await (await manager).render(id, element);
}

function renderHtml(html, element) {
  element.innerHTML = html;
  for (const idle of element.querySelectorAll("script")) {
    const script = document.createElement("script");
    for (const { name, value } of idle.attributes) script.setAttribute(name, value);
    script.textContent = idle.textContent;
    idle.replaceWith(script);
  }
}

function run(source, element) {
  const script = document.createElement("script");
  script.textContent = source;
  element.append(script);
}

function renderPicture(type, data, element) {
  const picture = new Image();
  picture.src = `data:${type};base64,${[data[type]].flat().join("")}`;
  element.append(picture);
}

function renderText(output, element) {
  const text = document.createElement("pre");
  if (output.output_type === "error") text.setAttribute("role", "alert");
  const told = output.text ?? output.data?.["text/plain"] ?? output.traceback?.join("\n") ?? "";
  text.textContent = [told].flat().join("").replace(/\u001b\[[\d;]*m/g, "");
  element.append(text);
}

const area = document.getElementById("output-area");
let turn = Promise.resolve();

// One after the other, as the kernel told them.
on("output", ({ index, output }) => {
  turn = turn.then(async () => {
    const element = document.createElement("div");
    element.className = `output ${output.output_type}`;
    while (area.children.length <= index) area.append(document.createElement("div"));
    area.replaceChild(element, area.children[index]);
    await render(output, element);
  });
  turn = turn.catch((error) => console.error(`an output could not be shown: ${error.stack ?? error}`));
});
on("clear", () => (turn = turn.then(() => area.replaceChildren())));
on("opened", async ({ id, data }) => {
  if (!manager) return;
  ask("listen", { id });
  (await manager).commChannelOpened?.(id, channelOf(id), data);
});
