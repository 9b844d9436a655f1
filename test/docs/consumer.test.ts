import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { blocksOf, DOORS, ROOT } from "./page-blocks.js";

const TSC = join(ROOT, "node_modules/.bin/tsc");

const folder = mkdtempSync(join(tmpdir(), "spindlex-consumer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("compiles for those who check the types of their packages, with the tsconfig.json of Getting started", () => {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "spindlex"), { recursive: true });
  mkdirSync(join(modules, "@types"));
  for (const name of ["@types/node", "undici-types"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  copyFileSync(join(ROOT, "package.json"), join(modules, "spindlex/package.json"));
  const declarations = ["--emitDeclarationOnly", "--outDir", join(modules, "spindlex/dist")];
  execFileSync(TSC, ["-p", join(ROOT, "tsconfig.build.json"), ...declarations]);

  const page = readFileSync(join(ROOT, "docs/getting-started.md"), "utf8");
  const [, configuration = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  writeFileSync(join(folder, "tsconfig.json"), configuration);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const { line, code } of blocksOf("docs/getting-started.md"))
    writeFileSync(join(folder, `line-${line}.ts`), code);
  const doors = Object.keys(DOORS).map((door, number) => `export * as door${number} from "${door}";\n`);
  writeFileSync(join(folder, "doors.ts"), doors.join(""));

  const { stdout, status } = spawnSync(TSC, ["-p", folder, "--noEmit", "--skipLibCheck", "false"], {
    encoding: "utf8",
  });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
