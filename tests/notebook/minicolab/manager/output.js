// ipywidgets' Output widget: the page renders what was caught in it.
import { DOMWidgetModel, DOMWidgetView } from "@jupyter-widgets/base";

export class OutputModel extends DOMWidgetModel {
  defaults() {
    const names = { _model_name: "OutputModel", _view_name: "OutputView" };
    const modules = { _model_module: "@jupyter-widgets/output", _view_module: "@jupyter-widgets/output" };
    return { ...super.defaults(), ...names, ...modules, outputs: [] };
  }
}

export class OutputView extends DOMWidgetView {
  render() {
    super.render();
    this.listenTo(this.model, "change:outputs", this.show);
    this.show();
  }

  async show() {
    const fresh = this.model.get("outputs").map((item) => ({ item, element: document.createElement("div") }));
    await Promise.all(fresh.map(({ item, element }) => this.model.widget_manager.renderOutput(item, element)));
    this.el.replaceChildren(...fresh.map(({ element }) => element));
  }
}
