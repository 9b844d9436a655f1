import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PAGES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];

/** The TypeScript of a page, each block with the line where it starts. */
function snippets(page: string): { readonly line: number; readonly code: string }[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1] ?? "",
  }));
}

describe("the pages", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "spindlex-docs-"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("have code that compiles", () => {
    const files = PAGES.flatMap((page) =>
      snippets(page).map(({ line, code }) => ({ name: `${page.replaceAll(/\W/g, "_")}_line_${line}.ts`, code })),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const { name, code } of files) writeFileSync(join(folder, name), code);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration()));
    const { stdout, status } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
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
        types: ["node"],
        paths: {
          spindlex: [join(ROOT, "src/index.ts")],
          "spindlex/crypto": [join(ROOT, "src/crypto/index.ts")],
          "spindlex/sftp": [join(ROOT, "src/sftp/index.ts")],
          "spindlex/authenticators": [join(ROOT, "src/authenticators/index.ts")],
          "spindlex/protocol/constants": [join(ROOT, "src/protocol/constants.ts")],
        },
      },
      include: ["*.ts", join(ROOT, "src/**/*.d.ts")],
    };
  }
});
