// What a first visit downloads as script: the entry and everything it imports statically. Fails above the budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 250;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const html = readFileSync(`${dist}index.html`, "utf8");

const files = new Set();
const visit = (path) => {
  if (files.has(path)) return;
  files.add(path);
  const code = readFileSync(`${dist}${path}`, "utf8");
  const imports = /(?:^|[;}\s])import\s*(?:[^"'()]*?from\s*)?["']\.\/([^"']+\.js)["']/g;
  for (const [, name] of code.matchAll(imports)) visit(`assets/${name}`);
};
for (const [, path] of html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)) visit(path);

const sizes = [...files].map((path) => [path, gzipSync(readFileSync(`${dist}${path}`)).length / 1000]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [path, size] of sizes.sort((a, b) => b[1] - a[1]))
  console.log(`${size.toFixed(1).padStart(8)} kB  ${path}`);
console.log(`${total.toFixed(1).padStart(8)} kB  main bundle, gzip (budget ${BUDGET_KB} kB)`);
if (total > BUDGET_KB) process.exitCode = 1;
