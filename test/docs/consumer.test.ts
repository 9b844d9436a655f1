import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeProject } from "../package/packed-package.js";
import { blocksOf, ROOT } from "./page-blocks.js";

const folder = mkdtempSync(join(tmpdir(), "spindlex-consumer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the tsconfig.json of Getting started compiles its programs, and the types of the packed package", async () => {
  await makeProject(folder, ["@types/node", "undici-types"]);
  const page = readFileSync(join(ROOT, "docs/getting-started.md"), "utf8");
  const [, configuration = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  const blocks = blocksOf("docs/getting-started.md").map(({ line, code }) => ({ name: `line-${line}.ts`, code }));
  for (const { name, code } of blocks) writeFileSync(join(folder, name), code);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const files = blocks.map(({ name }) => name);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...JSON.parse(configuration), files }));
  const words = ["-p", folder, "--noEmit", "--skipLibCheck", "false"];
  const { stdout, status } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), words, { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
