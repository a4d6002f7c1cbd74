// Bundles the widget manager into one ES module: node build.js MANAGER-FOLDER OUTPUT-FILE
import { build } from "esbuild";

const [folder, outfile] = process.argv.slice(2);
const nodePaths = [new URL("node_modules", import.meta.url).pathname];
const loader = { ".svg": "dataurl" };
const sheet = await build({ entryPoints: [`${folder}/styles.css`], bundle: true, write: false, nodePaths, loader });
await build({
  entryPoints: [`${folder}/manager.js`],
  bundle: true,
  format: "esm",
  outfile,
  nodePaths,
  define: { WIDGET_STYLES: JSON.stringify(sheet.outputFiles[0].text) },
});
