import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, DOORS, ROOT } from "./page-blocks.js";

const PAGES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];

/** Where the blocks of a page are run that needs another fixture than `describePage`. */
const RUN_ELSEWHERE = new Map([["docs/terminal-apps.md", "terminal-apps.test.ts"]]);

describe("the pages", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "spindlex-docs-"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("have code that compiles", () => {
    const files = PAGES.flatMap((page) =>
      blocksOf(page).map(({ language, line, code }) => ({
        name: `${page.replaceAll(/\W/g, "_")}_line_${line}.${language}`,
        code,
      })),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const { name, code } of files) writeFileSync(join(folder, name), code);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration()));
    const { stdout, status } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  it("have code that is run: each page with a block is the subject of a test", () => {
    const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts"));
    const tests = names.map((name) => readFileSync(join(import.meta.dirname, name), "utf8")).join("\n");
    const described = [...tests.matchAll(/describePage\(\s*"([^"]+)"/g)].map(([, page]) => page);
    const missing = PAGES.filter((page) => blocksOf(page).length > 0 && !described.includes(page));
    expect(missing).toEqual([...RUN_ELSEWHERE.keys()]);
    expect(names).toEqual(expect.arrayContaining([...RUN_ELSEWHERE.values()]));
  });

  it.each(PAGES)("%s links only to what is there", (page) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    const missing = targets.filter((target) => !existsSync(resolve(ROOT, page, "..", target)));
    expect(missing).toEqual([]);
  });

  function configuration(): object {
    return {
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: {
        noEmit: true,
        allowJs: true,
        checkJs: true,
        types: ["node"],
        paths: Object.fromEntries(Object.entries(DOORS).map(([door, file]) => [door, [file]])),
      },
      include: ["*.ts", "*.cjs", join(ROOT, "src/**/*.d.ts")],
    };
  }
});
