// Modules of other people's widgets, fetched from jsDelivr where Colab's manager fetches them. They are written for
// RequireJS (AMD); this knows as much of that as they use: define with dependencies that are already there.
export class Modules {
  constructor(known) {
    this.found = new Map(Object.entries(known).map(([name, module]) => [name, Promise.resolve(module)]));
    this.turn = Promise.resolve();
  }

  load(name, version) {
    if (!this.found.has(name)) {
      const loading = this.turn.then(() => this.fetch(name, version));
      this.turn = loading.catch(() => {}); // one at a time; one that fails doesn't stop the next
      this.found.set(name, loading);
    }
    return this.found.get(name);
  }

  async fetch(name, version) {
    const url = addressOf(name, version);
    const source = await (await fetch(url)).text();
    let defined;
    const define = (...given) => {
      const [factory, needs] = given.reverse();
      defined = { factory, needs: Array.isArray(needs) ? needs : [] };
    };
    new Function("define", `${source}\n//# sourceURL=${url}`).call({ define }, define);
    if (!defined) throw new Error(`${url} does not define a module`);
    if (typeof defined.factory !== "function") return defined.factory;
    const parts = defined.needs.map((need) => (need === "module" ? { id: name, url } : this.there(need, url)));
    return defined.factory.apply(window, await Promise.all(parts));
  }

  there(name, wanting) {
    if (!this.found.has(name)) throw new Error(`${wanting} needs ${name}, which is not there`);
    return this.found.get(name);
  }
}

function addressOf(name, version) {
  const parts = name.split("/");
  const packageName = parts.splice(0, name.startsWith("@") ? 2 : 1).join("/");
  const path = parts.join("/");
  const file = !path ? "dist/index.js" : path.includes(".") ? path : `${path}.js`;
  return `https://cdn.jsdelivr.net/npm/${packageName}@${(version || "*").replace(/^\^/, "")}/${file}`;
}
