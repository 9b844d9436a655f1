import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runOk, temporaryFolder } from "../support/tools.js";
import { ENVIRONMENT, PROGRAMS, packedPackage, ROOT } from "./packed-package.js";

/** `npm run test:package`: what the gate tries with one of each kind, with all, as they come from the npm registry. */
const TOOLS = {
  "typescript-5.2": "npm:typescript@5.2",
  "typescript-5.9": "npm:typescript@5.9",
  "typescript-6": "npm:typescript@6",
  "typescript-7": "npm:typescript@7",
  "@types/node": "20",
  jest: "30",
  vitest: "4",
  rollup: "4",
  "@rollup/plugin-commonjs": "29",
  "@rollup/plugin-node-resolve": "16",
  webpack: "5",
  pnpm: "12",
  "@oven/bun-linux-x64": "1",
  "@deno/linux-x64-glibc": "2",
};

const MINUTE = 60_000;
const MAX_PACKAGES = 12;
const MAX_BYTES = 8e6;

const folder = temporaryFolder();
const runFrom = (place: string, command: string, parameters: readonly string[], path = process.env.PATH) =>
  runOk("env", ["-C", place, `PATH=${path}`, command, ...parameters], {
    environment: ENVIRONMENT,
    timeout: 5 * MINUTE,
  });

async function install(place: string, ...parameters: string[]): Promise<void> {
  mkdirSync(place, { recursive: true });
  cpSync(PROGRAMS, place, { recursive: true });
  cpSync(join(import.meta.dirname, "runners"), place, { recursive: true });
  for (const ending of ["cts", "ts"]) cpSync(join(PROGRAMS, "program.mts"), join(place, `program.${ending}`));
  const project = join(place, "package.json");
  if (!existsSync(project)) writeFileSync(project, JSON.stringify({ name: "project", private: true }));
  await runFrom(place, "npm", ["install", "--no-audit", "--no-fund", await packedPackage(), ...parameters]);
}

function packagesIn(place: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(place, "package-lock.json"), "utf8"));
  return Object.keys(packages).filter((path) => path !== "");
}

function bytesIn(place: string): number {
  const entries = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
}

describe.each(["--save", "--ignore-scripts", "--omit=optional"])("npm install %s", (parameter) => {
  const place = join(folder, `installed ${parameter}`);

  it("brings little, and works", { timeout: 5 * MINUTE }, async () => {
    await install(place, parameter);
    expect(packagesIn(place).length).toBeLessThanOrEqual(MAX_PACKAGES);
    expect(bytesIn(join(place, "node_modules"))).toBeLessThanOrEqual(MAX_BYTES);
    expect(await runFrom(place, "node", ["smoke.cjs"])).toContain("served");
    expect(await runFrom(place, "npx", ["spindlex", "--version"])).toMatch(/^\d+\./);
  });
});

describe("a project", () => {
  const place = join(folder, "project");
  const toolsPlace = join(folder, "tools");
  const tool = (path: string) => join(toolsPlace, "node_modules", path);
  let nodes: readonly string[] = [];

  beforeAll(async () => {
    await install(place, "@types/node@20");
    const tools = Object.entries(TOOLS).map(([name, version]) => `${name}@${version}`);
    mkdirSync(toolsPlace);
    writeFileSync(join(toolsPlace, "package.json"), JSON.stringify({ name: "tools", private: true }));
    await runFrom(toolsPlace, "npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...tools]);
    // Vitest is imported by the tests.
    await runFrom(place, "npm", ["install", "--no-audit", "--no-fund", "--no-save", `vitest@${TOOLS.vitest}`]);
    const versions = readFileSync(join(ROOT, ".ci/node-versions"), "utf8").trim().split("\n");
    nodes = (await runFrom(ROOT, ".ci/install-nodes", versions)).trim().split("\n");
  }, 10 * MINUTE);

  it("runs on each Node.js, by itself and in each runner of tests", { timeout: 5 * MINUTE }, async () => {
    expect(nodes).toHaveLength(4);
    for (const node of nodes) {
      const run = (...parameters: string[]) =>
        runFrom(place, "node", parameters, `${node}:/usr/local/bin:/usr/bin:/bin`);
      for (const program of ["smoke.cjs", "smoke.mjs"]) expect(await run(program), node).toContain("served");
      expect(await run("both.mjs"), node).toContain("one state");
      await run(tool("jest/bin/jest.js"), "--rootDir", ".", "--testMatch", "**/jest.test.cjs");
      await run("node_modules/vitest/vitest.mjs", "run", "vitest.test.mjs");
      await run("--test", "node.test.mjs");
    }
  });

  it.each([
    ["5.2", ["--module", "node16", "--moduleResolution", "node16", "program.mts", "program.cts"]],
    ["5.2", ["--module", "nodenext", "--moduleResolution", "nodenext", "program.mts", "program.cts"]],
    ["5.2", ["--module", "esnext", "--moduleResolution", "bundler", "program.ts"]],
    ["5.2", ["--module", "commonjs", "--moduleResolution", "node10", "program.ts"]],
    ["5.9", ["--module", "node16", "program.mts", "program.cts"]],
    ["5.9", ["--module", "nodenext", "program.mts", "program.cts"]],
    ["5.9", ["--module", "esnext", "--moduleResolution", "bundler", "program.ts"]],
    ["5.9", ["--module", "commonjs", "--moduleResolution", "node10", "program.ts"]],
    ["6", ["--module", "node16", "program.mts", "program.cts"]],
    ["6", ["--module", "nodenext", "program.mts", "program.cts"]],
    ["6", ["--module", "esnext", "--moduleResolution", "bundler", "program.ts"]],
    ["6", ["--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "6.0", "program.ts"]],
    ["7", ["--module", "node16", "program.mts", "program.cts"]],
    ["7", ["--module", "nodenext", "program.mts", "program.cts"]],
    ["7", ["--module", "esnext", "--moduleResolution", "bundler", "program.ts"]],
    ["7", ["--module", "commonjs", "--moduleResolution", "bundler", "program.ts"]],
  ])("is compiled by TypeScript %s, %j", async (version, parameters) => {
    const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", ...parameters];
    await runFrom(place, "node", [tool(`typescript-${version}/bin/tsc`), ...options]);
  });

  it.each(["cjs", "es"])("is bundled by rollup, %s", async (format) => {
    const file = join(temporaryFolder(), format === "es" ? "bundle.mjs" : "bundle.cjs");
    const plugins = ["@rollup/plugin-node-resolve", "@rollup/plugin-commonjs"].flatMap((name) => ["-p", tool(name)]);
    const options = ["--input", "smoke.mjs", "--format", format, "--file", file, ...plugins];
    await runFrom(place, "node", [tool("rollup/dist/bin/rollup"), ...options]);
    expect(await runFrom(folder, "node", [file])).toContain("served");
  });

  it("is bundled by webpack", async () => {
    const output = temporaryFolder();
    const settings = { mode: "production", target: "node20", entry: "./smoke.mjs", context: place };
    const program = `require(${JSON.stringify(tool("webpack"))})(
      { ...${JSON.stringify(settings)}, output: { path: ${JSON.stringify(output)}, filename: "bundle.cjs" } },
      (error, stats) => { if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString()); })`;
    await runFrom(place, "node", ["--eval", program]);
    expect(await runFrom(folder, "node", [join(output, "bundle.cjs")])).toContain("served");
  });

  it("is installed by pnpm", { timeout: 2 * MINUTE }, async () => {
    const pnpmPlace = join(folder, "with pnpm");
    mkdirSync(pnpmPlace);
    cpSync(PROGRAMS, pnpmPlace, { recursive: true });
    writeFileSync(join(pnpmPlace, "package.json"), JSON.stringify({ name: "project", private: true }));
    const options = ["add", await packedPackage(), "--store-dir", join(folder, "pnpm")];
    await runFrom(pnpmPlace, "node", [tool("pnpm/bin/pnpm.mjs"), ...options]);
    for (const program of ["smoke.cjs", "smoke.mjs"]) {
      expect(await runFrom(pnpmPlace, "node", [program])).toContain("served");
    }
  });

  it.each([
    ["Bun", tool("@oven/bun-linux-x64/bin/bun"), []],
    ["Deno", tool("@deno/linux-x64-glibc/deno"), ["run", "-A", "--node-modules-dir=manual"]],
  ])("runs on %s", async (_, command, parameters) => {
    for (const program of ["smoke.cjs", "smoke.mjs"]) {
      expect(await runFrom(place, command, [...parameters, program])).toContain("served");
    }
  });
});
