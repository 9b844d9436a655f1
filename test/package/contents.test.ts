import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/base/version.js";
import { runOk, temporaryFolder } from "../support/tools.js";
import { packedPackage, SLOW } from "./packed-package.js";

const folder = temporaryFolder();
const entries = () => readdirSync(folder, { recursive: true, encoding: "utf8" });
const textOf = (file: string) => readFileSync(join(folder, file), "utf8");

beforeAll(async () => {
  await runOk("tar", ["xzf", await packedPackage(), "--strip-components=1", "-C", folder]);
}, SLOW);

describe("what npm packs", () => {
  it("has the licence, its own and of all that is bundled", () => {
    expect(textOf("LICENSE")).toContain("MIT");
    expect(textOf("dist/third-party-licenses.txt")).toMatch(/^@noble\/post-quantum \S+ \(MIT\)$/m);
  });

  it("has no dead link: what a page points to travels", () => {
    const pages = entries().filter((name) => name.endsWith(".md"));
    expect(pages.length).toBeGreaterThan(25);
    const dead = pages.flatMap((page) => linksOf(page).filter((target) => !existsSync(target.split("#")[0] ?? "")));
    expect(dead.map((target) => relative(folder, target))).toEqual([]);
  });

  it("has no link to a heading that is not there", () => {
    const pages = entries().filter((name) => name.endsWith(".md"));
    const dead = pages.flatMap((page) =>
      linksOf(page).filter((target) => {
        const [file = "", heading] = target.split("#");
        return heading !== undefined && file.endsWith(".md") && !headingsOf(file).includes(heading);
      }),
    );
    expect(dead.map((target) => relative(folder, target))).toEqual([]);
  });

  it("has the sources to which maps lead", () => {
    const maps = entries().filter((name) => name.endsWith(".map"));
    expect(maps.length).toBeGreaterThan(200);
    const sources = maps.flatMap((map) =>
      (JSON.parse(textOf(map)) as { sources: string[] }).sources.map((source) => resolve(folder, dirname(map), source)),
    );
    const missing = sources.filter((source) => !source.includes("node_modules") && !existsSync(source));
    expect(missing.map((source) => relative(folder, source))).toEqual([]);
  });

  it("has the examples, and no tests", () => {
    expect(entries()).toContain("examples/hello.ts");
    expect(entries().filter((name) => /(^|\/)(test|node_modules|\.ci|bench)(\/|$)/.test(name))).toEqual([]);
  });
});

describe("package.json", () => {
  it("has the version that programs and clients are told", () => {
    expect(VERSION).toBe(manifest.version);
  });

  it("has one address", () => {
    const [, address] = /^git\+(https:.+)\.git$/.exec(manifest.repository.url) ?? [];
    expect(manifest.homepage).toBe(`${address}#readme`);
    expect(manifest.bugs.url).toBe(`${address}/issues`);
  });
});

/** Targets of the relative links of a page, absolute, with the heading. */
function linksOf(page: string): string[] {
  const targets = [...textOf(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target]) => target ?? "");
  return targets.map((target) =>
    target.startsWith("#") ? join(folder, page) + target : resolve(folder, dirname(page), target),
  );
}

/** Headings of a page as GitHub and npm name them in links. */
function headingsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );
}
