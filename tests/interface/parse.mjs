// Reads an AsyncAPI document as AsyncAPI's own parser does; exits 1 with whatever it finds.
//
//   node tests/interface/parse.mjs FOLDER_OF_THE_PARSER DOCUMENT
//
// The parser is none of the bridge's dependencies: it is installed beside the checkout, by the gate.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(join(resolve(folder), "package.json"))("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));

const names = ["error", "warning", "information", "hint"];
for (const { severity, path, message } of diagnostics) {
  console.error(`${names[severity]}: ${path.join(".")}: ${message}`);
}
if (document === undefined || diagnostics.some(({ severity }) => severity <= 1)) {
  process.exit(1);
}
console.log(`${document.channels().all().length} channels, ${document.operations().all().length} operations`);
