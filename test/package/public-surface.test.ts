import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runOk, temporaryFolder } from "../support/tools.js";
import { packedPackage, ROOT, SLOW } from "./packed-package.js";

const REPORTS = join(ROOT, "packaging/api");

/** It says what it is: the class. */
const NAME_OF_ERROR = /^ {4}readonly name(: string| = "\w+Error");$/;

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

  it.each(names)("has a docstring for every exported name, and for its members: %s", (name) => {
    const lines = report(now, name).split(/\r?\n/);
    const missing = lines.filter((_line, index) => lines[index - 1]?.endsWith("(undocumented)"));
    expect(missing.filter((declaration) => !NAME_OF_ERROR.test(declaration))).toEqual([]);
  });
});
