import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runOk, temporaryFolder } from "../support/tools.js";
import { packedPackage, ROOT, SLOW } from "./packed-package.js";

const REPORTS = join(ROOT, "packaging/api");

const now = temporaryFolder();
const names = readdirSync(REPORTS);
const report = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

beforeAll(async () => {
  await packedPackage();
  await runOk(process.execPath, [join(ROOT, "packaging/api-report.mjs"), now], { timeout: SLOW });
}, SLOW);

describe("the public surface", () => {
  it("is that of packaging/api, unless it is changed on purpose: npm run build && npm run api", () => {
    expect(readdirSync(now)).toEqual(names);
    for (const name of names) expect(report(now, name), name).toBe(report(REPORTS, name));
  });

  it.each(names)("has a docstring for every exported name: %s", (name) => {
    const missing = report(now, name).matchAll(/^\/\/ @public \(undocumented\)\n(export .*)$/gm);
    expect([...missing].map(([, declaration]) => declaration)).toEqual([]);
  });
});
