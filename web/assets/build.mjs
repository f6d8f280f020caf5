// Bundles the browser files: hashed names, manifest.json, licences, and .br/.gz twins, into web/static/vendor/;
// and writes the divisions of China as seed records, data/seed/31_division.built.yaml.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import fs from "node:fs";
import path from "node:path";
import { areaList } from "@vant/area-data";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const out = path.resolve(here, "../static/vendor");
const icons = JSON.parse(fs.readFileSync(path.join(here, "node_modules/@tabler/icons/tabler-nodes-outline.json")));

function* walk(folder, ends) {
  if (!fs.existsSync(folder)) return;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(full, ends);
    else if (ends.some((end) => entry.name.endsWith(end))) yield full;
  }
}

function wantedIcons() {
  const names = new Set();
  for (const line of fs.readFileSync(path.join(here, "icons.txt"), "utf8").split(/\s+/)) if (line) names.add(line);
  const places = [
    ["web", [".html", ".py"], /\bicon\(\s*["']([a-z0-9-]+)["']/g],
    ["runtime", [".py"], /\bicon\s*=\s*["']([a-z0-9-]+)["']/g],
    ["web/assets/src", [".js"], /\bicon\(\s*["']([a-z0-9-]+)["']/g],
    ...["entities", "layouts", "rules/declared", "metadata/platform", "examples"].map((folder) => [
      folder,
      [".yaml", ".yml"],
      /\bicon:\s*["']?([a-z0-9-]+)/g,
    ]),
  ];
  for (const [folder, ends, pattern] of places) {
    for (const file of walk(path.join(root, folder), ends)) {
      if (file.includes("node_modules")) continue;
      for (const [, name] of fs.readFileSync(file, "utf8").matchAll(pattern)) names.add(name);
    }
  }
  return [...names].sort();
}

function sprite() {
  const known = [];
  const symbols = [];
  for (const name of wantedIcons()) {
    if (!icons[name]) {
      console.warn(`no icon called ${name}`);
      continue;
    }
    known.push(name);
    const shapes = icons[name].map(([tag, attributes]) => {
      const text = Object.entries(attributes).map(([k, v]) => ` ${k}="${v}"`).join("");
      return `<${tag}${text}/>`;
    });
    symbols.push(
      `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
        `stroke-linecap="round" stroke-linejoin="round">${shapes.join("")}</symbol>`,
    );
  }
  return { known, text: `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n` };
}

function write(name, content, manifest) {
  const { name: stem, ext } = path.parse(name);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${stem}.${hash}${ext}`;
  const bytes = Buffer.from(content);
  fs.writeFileSync(path.join(out, file), bytes);
  fs.writeFileSync(path.join(out, `${file}.gz`), gzipSync(bytes, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  fs.writeFileSync(path.join(out, `${file}.br`), brotliCompressSync(bytes, { params }));
  manifest.files[name] = file;
}

function licences() {
  const parts = [];
  const names = Object.keys(JSON.parse(fs.readFileSync(path.join(here, "package.json"))).dependencies);
  for (const name of names) {
    const folder = path.join(here, "node_modules", name);
    const info = JSON.parse(fs.readFileSync(path.join(folder, "package.json")));
    const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? fs.readFileSync(path.join(folder, file), "utf8").trim() : `Licence: ${info.license}`;
    parts.push(`${name} ${info.version} (${info.license})\n\n${text}\n`);
  }
  return parts.join("\n" + "-".repeat(80) + "\n\n");
}

// Codes and names of GB/T 2260 by level; each below the one its code begins with.
function divisions() {
  const levels = [["province", areaList.province_list, 0], ["city", areaList.city_list, 2], ["district", areaList.county_list, 4]];
  const known = new Set();
  const rows = [];
  for (const [level, list, digits] of levels) {
    for (const [code, name] of Object.entries(list)) {
      const parent = digits ? code.slice(0, digits).padEnd(6, "0") : null;
      if (known.has(code) || (parent && !known.has(parent))) continue;
      known.add(code);
      rows.push(`  - ${JSON.stringify({ code, name, level, ...(parent ? { parent: { code: parent } } : {}) })}`);
    }
  }
  const head = "# Made by web/assets/build.mjs from the package @vant/area-data; not kept in version control.\n";
  fs.writeFileSync(path.join(root, "data/seed/31_division.built.yaml"), `${head}records: division\nmatch: code\nrows:\n${rows.join("\n")}\n`);
}

divisions();
fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const manifest = { files: {}, icons: [] };
const common = { bundle: true, minify: true, write: false, legalComments: "none", target: ["es2022", "chrome111", "firefox113", "safari16.4"] };
for (const entry of ["app.js", "theme.js", "webform.js"]) {
  const result = await build({ ...common, entryPoints: [path.join(here, "src", entry)], format: "iife" });
  write(entry, result.outputFiles[0].contents, manifest);
}
const css = await build({
  ...common,
  entryPoints: [path.join(here, "src/app.css")],
  loader: { ".svg": "dataurl" },
  alias: { tabler: path.join(here, "node_modules/@tabler/core/dist/css/tabler.min.css") },
});
write("app.css", css.outputFiles[0].contents, manifest);
const { known, text } = sprite();
write("icons.svg", text, manifest);
manifest.icons = known;
fs.writeFileSync(path.join(out, "LICENCES.txt"), licences());
fs.writeFileSync(path.join(out, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
