// For the self-check: which page shows the panel, and whether its folds open and shut. Told only when Python asks.

function checkedOf(model, root) {
  hear(model, "check", () => {
    tell(model, "checked", {
      page: pageName(),
      manager: model.widget_manager?.constructor?.name ?? "",
      browser: navigator.userAgent,
      folds: foldsIn(root),
    });
  });
}

/** What kind of page this is, by what each kind leaves in its document. */
function pageName() {
  const { body } = document;
  if (window.google?.colab) return "Colab";
  if (body.dataset.vscodeThemeKind) return "VS Code";
  if (window.Jupyter?.notebook) return "classic Notebook";
  if (document.querySelector(".jp-Notebook")) return "JupyterLab or Notebook 7";
  return "another page";
}

/** Of each fold that isn't hidden: its title, and its height in pixels open and shut. All are left as they were. */
function foldsIn(root) {
  const all = [...root.querySelectorAll("details")];
  const before = all.map((fold) => fold.open);
  all.forEach((fold) => (fold.open = true));
  const found = all
    .filter((fold) => !fold.closest("[hidden]"))
    .map((fold) => {
      const open = fold.getBoundingClientRect().height;
      fold.open = false;
      const shut = fold.getBoundingClientRect().height;
      fold.open = true;
      return [fold.querySelector("summary")?.textContent ?? "", open, shut];
    });
  all.forEach((fold, k) => (fold.open = before[k]));
  return found;
}
