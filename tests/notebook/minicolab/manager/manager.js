// A widget manager behind the interface that Colab's page asks for: createWidgetManager(environment) gives something
// that can render(modelId, element). Everything that is drawn comes from the npm packages of Colab's own manager.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";

import { KernelComm } from "./comm.js";
import { Modules } from "./modules.js";
import * as output from "./output.js";

/* global WIDGET_STYLES */ // the text of styles.css, set by build.js

const HOST_ELEMENT = "mini-colab-widget";

class Manager extends ManagerBase {
  constructor(environment) {
    super();
    this.environment = environment;
    // Not ManagerBase's own list: a model that the kernel opens while this frame lives is made from the message, and
    // once more from the page's state when it is shown. Colab's manager does the same.
    this.shown = new Map();
    this.modules = new Modules({
      "@jupyter-widgets/base": forOldCode(base),
      "@jupyter-widgets/controls": forOldCode(controls),
      "@jupyter-widgets/output": output,
    });
  }

  async loadClass(className, moduleName, moduleVersion) {
    const module = await this.modules.load(moduleName, moduleVersion);
    return module[className];
  }

  async _create_comm(targetName, modelId, data, _metadata, buffers) {
    const channel = await this.environment.openCommChannel(targetName, data, buffers?.map(bytesOf));
    return new KernelComm(modelId ?? "", channel);
  }

  _get_comm_info() {
    throw new Error("Colab's page does not tell which models there are");
  }

  get_model(modelId) {
    if (!this.shown.has(modelId)) this.shown.set(modelId, this.modelFromPage(modelId));
    return this.shown.get(modelId);
  }

  async modelFromPage(modelId) {
    const kept = await this.environment.getModelState(modelId);
    if (!kept) throw new Error(`the page has no widget model ${modelId}`);
    const split = base.remove_buffers(kept.state);
    base.put_buffers(kept.state, split.buffer_paths, split.buffers); // bytes become DataViews, as models expect them
    const options = {
      model_name: kept.modelName,
      model_module: kept.modelModule,
      model_module_version: kept.modelModuleVersion,
      model_id: modelId,
      comm: kept.comm && new KernelComm(modelId, kept.comm),
    };
    return this.new_model(options, kept.state);
  }

  async render(modelId, container) {
    const view = await this.create_view(await this.get_model(modelId));
    tell(view.luminoWidget, "before-attach");
    const host = document.createElement(HOST_ELEMENT);
    host.widget = view.luminoWidget;
    host.append(view.el);
    container.append(host);
  }

  renderOutput(item, element) {
    return this.environment.renderOutput(item, element);
  }

  async commChannelOpened(id, channel, data) {
    if (!data || this.shown.has(id)) return;
    await this.handle_comm_open(new KernelComm(id, channel), {
      header: {},
      parent_header: {},
      metadata: { version: base.PROTOCOL_VERSION },
      channel: "iopub",
      content: { comm_id: id, target_name: this.comm_target_name, data },
    });
  }
}

// Says to a view when it enters the page and leaves it; outside JupyterLab nobody else would.
class WidgetHost extends HTMLElement {
  connectedCallback() {
    if (this.widget) tell(this.widget, "after-attach");
  }

  disconnectedCallback() {
    if (!this.widget) return;
    tell(this.widget, "before-detach");
    tell(this.widget, "after-detach");
  }
}

function tell(widget, type) {
  widget.processMessage({ type, isConflatable: false, conflate: () => false });
}

function bytesOf(buffer) {
  return ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer;
}

// Widgets that were compiled for ipywidgets 7 inherit the way of Backbone: they call constructors without `new`, and
// take statics from the parent by its prototype.
function forOldCode(exported) {
  const callable = ([name, value]) => [name, isClass(value) ? new Proxy(value, { apply: construct }) : value];
  return Object.fromEntries(Object.entries(exported).map(callable));
}

function isClass(value) {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function construct(target, self, given) {
  return Reflect.construct(target, given, self.constructor);
}

function inheritStatics() {
  const extend = base.WidgetModel.extend;
  const whole = function (...given) {
    return Object.setPrototypeOf(extend.apply(this, given), this);
  };
  base.WidgetModel.extend = whole;
  controls.ButtonModel.extend = whole;
  const views = base.DOMWidgetView.prototype; // names of ipywidgets 7
  if (!("pWidget" in views)) Object.defineProperty(views, "pWidget", { get() { return this.luminoWidget; } });
  if (!("processPhosphorMessage" in views)) views.processPhosphorMessage = () => {};
}

function addSheets() {
  const own = document.createElement("style");
  own.textContent = WIDGET_STYLES;
  const icons = document.createElement("link");
  icons.rel = "stylesheet";
  icons.href = "https://cdn.jsdelivr.net/npm/font-awesome@4.7.0/css/font-awesome.min.css";
  document.head.append(own, icons);
}

inheritStatics();
addSheets();
if (!customElements.get(HOST_ELEMENT)) customElements.define(HOST_ELEMENT, WidgetHost);

export function createWidgetManager(environment) {
  return new Manager(environment);
}
