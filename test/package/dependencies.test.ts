import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import lock from "../../package-lock.json" with { type: "json" };
import { packedPackage, ROOT, SLOW } from "./packed-package.js";

const page = readFileSync(join(ROOT, "docs/dependencies.md"), "utf8");
/** The lines of the table under a heading. */
const linesUnder = (heading: string) =>
  (page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"));

describe("docs/dependencies.md", () => {
  it.each([
    ["Installed with spindlex", Object.keys(manifest.dependencies)],
    ["Installed by you", Object.keys(manifest.peerDependencies)],
  ])("has reason, size, maintainers and alternatives of each: %s", (heading, names) => {
    const lines = linesUnder(heading).slice(2);
    expect(lines.map((line) => /^\| \[`(.+?)`\]/.exec(line)?.[1]).sort()).toEqual(names.sort());
    for (const line of lines) expect(line.split("|").filter((cell) => cell.trim() !== "")).toHaveLength(5);
  });

  it("has what is bundled, and nothing that is not", { timeout: SLOW }, async () => {
    await packedPackage();
    const licenses = readFileSync(join(ROOT, "dist/third-party-licenses.txt"), "utf8");
    const bundled = [...licenses.matchAll(/^(\S+) (\d+\.\d+)\.\d+ \(.+\)$/gm)].map(([, name]) => name ?? "");
    const told = linesUnder("Part of it").slice(2).join("\n");
    expect(bundled.length).toBeGreaterThan(3);
    expect([...told.matchAll(/`(@?[a-z-]+(?:\/[a-z-]+)?)`/g)].map(([, name]) => name)).toEqual(
      expect.arrayContaining(bundled),
    );
    for (const name of bundled) expect(lock.packages).toHaveProperty([`node_modules/${name}`]);
  });

  it("has each that is needed to work on spindlex", () => {
    const missing = Object.keys(manifest.devDependencies).filter((name) => !page.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});

it("installs at most twelve packages, of which none has a script", () => {
  const names = Object.keys(manifest.dependencies);
  const all = new Set(["spindlex"]);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (all.has(name)) continue;
    all.add(name);
    const entry: { dependencies?: Record<string, string>; hasInstallScript?: boolean } = Reflect.get(
      lock.packages,
      `node_modules/${name}`,
    );
    expect(entry.hasInstallScript ?? false, name).toBe(false);
    names.push(...Object.keys(entry.dependencies ?? {}));
  }
  expect(all.size).toBeLessThanOrEqual(12);
  expect(Object.keys(manifest.scripts)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(pre|post)?(install|prepare)$/)]),
  );
});
