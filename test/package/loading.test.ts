import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOk, temporaryFolder } from "../support/tools.js";
import { makeProject, PROGRAMS, packedPackage, ROOT, removeProject, SLOW } from "./packed-package.js";

/** A path as people have them, in which nothing may be written. */
const project = join(temporaryFolder(), "Straße 漢字 100% #1");

const node = (...parameters: string[]) => runOk(process.execPath, parameters, { timeout: SLOW });
const tool = (path: string, ...parameters: string[]) => node(join(ROOT, "node_modules", path), ...parameters);

beforeAll(async () => {
  await makeProject(project, ["@types/node", "undici-types"]);
  for (const ending of ["cts", "ts"]) cpSync(join(PROGRAMS, "program.mts"), join(project, `program.${ending}`));
  await runOk("chmod", ["-R", "a-w", join(project, "node_modules/spindlex")]);
  chmodSync(join(project, "node_modules"), 0o555);
}, SLOW);

afterAll(() => removeProject(project));

describe("the packed package is loaded", { timeout: SLOW }, () => {
  it.each(["smoke.cjs", "smoke.mjs"])("by %s", async (program) => {
    expect(await node(join(project, program))).toMatch(/^served, (addon|node:crypto)/);
  });

  it.each(["disk.cjs", "in-context.cjs"])("and knows what the system's errors mean, by %s", async (program) => {
    expect(await node(join(project, program))).toBe("the disk is served\n");
  });

  it("with the addon that it brings", async () => {
    const program = `console.log(require("spindlex/crypto").packetsSealedBy())`;
    const { packetsSealedBy } = await import("../../src/crypto/index.js");
    const path = join(project, "node_modules/spindlex");
    const environment = { NODE_PATH: join(path, "..") };
    expect(await runOk(process.execPath, ["--eval", program], { environment })).toBe(`${packetsSealedBy()}\n`);
  });

  it("by a process that imports and requires it, as one", async () => {
    expect(await node(join(project, "both.mjs"))).toBe("one state\n");
  });

  it("without the parts that a server may not need, which packaging/parts.mjs names", async () => {
    const path = join(project, "node_modules/spindlex/dist");
    const parts = readdirSync(join(path, "chunks")).filter((name) => /^(?!core-|rolldown-).*\.js$/.test(name));
    expect(parts.length).toBeGreaterThan(5);
    const program = `require(process.argv[1]);
      for (const file of Object.keys(require.cache)) console.log(require("node:path").basename(file));`;
    const loaded = (await node("--eval", program, path)).trimEnd().split("\n");
    expect(loaded).toContain("index.js");
    expect(loaded.filter((name) => parts.includes(name))).toEqual([]);
  });

  it("with them once a server listens, since the package may be replaced below it", async () => {
    const program = `
      const { createServer } = require(process.argv[1]);
      const { PKey } = require(process.argv[1] + "/crypto");
      const options = { hostKey: PKey.generate({ keyType: "ed25519" }), session: () => 0, logger: false };
      const server = createServer({ ...options, authentication: { none: () => false } });
      const missing = () => ["files", "forwarding", "post-quantum", "scp", "sftp", "special-networks", "terminals", "zlib"]
        .filter((part) => !Object.keys(require.cache).some((file) => require("node:path").basename(file).startsWith(part)));
      const end = Date.now() + 10_000;
      const wait = () => missing().length > 0 && Date.now() < end ? setImmediate(wait) : server.close().then(() => console.log(missing()));
      server.listen(0, "127.0.0.1").then(wait);`;
    expect(await node("--eval", program, join(project, "node_modules/spindlex/dist"))).toBe("[]\n");
  });

  it("as a command", async () => {
    const program = join(project, "node_modules/spindlex/dist/cli/main.js");
    expect(await node(program, "--version")).toBe(`${manifestOf(project).version}\n`);
    expect((await node(program, "sftp-server", "-Q", "requests")).split("\n")).toContain("open");
  });

  it.each([
    ["nodenext", ["--module", "nodenext", "program.mts", "program.cts"]],
    ["bundler", ["--module", "esnext", "--moduleResolution", "bundler", "program.ts"]],
  ])("by TypeScript, %s", async (_, parameters) => {
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", ...parameters];
    const program = `process.chdir(${JSON.stringify(project)});
      process.argv.splice(2, 0, ${options.map((option) => JSON.stringify(option)).join()});
      await import(${JSON.stringify(compiler)});`;
    await runOk(process.execPath, ["--input-type=module", "--eval", program, "tsc"], { timeout: SLOW });
  });

  it.each(["cjs", "esm"] as const)("from a bundle of esbuild, %s", async (format) => {
    const { build } = await import("esbuild");
    const outfile = join(temporaryFolder(), format === "cjs" ? "bundle.cjs" : "bundle.mjs");
    await build({ entryPoints: [join(project, "smoke.mjs")], bundle: true, platform: "node", format, outfile });
    expect(await node(outfile)).toMatch(/^served, node:crypto/);
  });

  it.each(["cjs", "esm"] as const)("from a bundle of rolldown, %s", async (format) => {
    const file = join(temporaryFolder(), format === "cjs" ? "bundle.cjs" : "bundle.mjs");
    const bundle = await rolldown({ input: join(project, "smoke.mjs"), platform: "node" });
    await bundle.write({ file, format });
    await bundle.close();
    expect(await node(file)).toMatch(/^served, node:crypto/);
  });
});

describe("the packed package", { timeout: SLOW }, () => {
  it("is right for publint", async () => {
    await tool("publint/src/cli.js", await packedPackage(), "--strict");
  });

  it("has the types that are the wrong ones nowhere", async () => {
    await tool("@arethetypeswrong/cli/dist/index.js", await packedPackage(), "--format", "ascii", "--no-emoji");
  });

  it("says what is wrong where another copy of it is in the tree", async () => {
    const copy = join(temporaryFolder(), "node_modules/spindlex");
    mkdirSync(join(copy, ".."), { recursive: true });
    cpSync(join(project, "node_modules/spindlex"), copy, { recursive: true });
    const program = `
      const [one, other] = process.argv.slice(1).map((path) => require(path));
      const serverKey = require(process.argv[2] + "/dist/crypto/index.js").PKey.generate({ keyType: "ed25519" });
      try { new one.SSHServerManager({ serverInterface: new other.SSHServer(), serverKey }) }
      catch (error) { console.log(error.message) }
      const server = one.createServer({ hostKey: serverKey, authentication: { publicKey: other.authorizedKeys({ file: "keys" }) }, session: () => 0, logger: false });
      server.use(other.logging());
      server.listen(0).then(() => server.close()).then(() => console.log("served"));`;
    const said = await node("--eval", program, join(project, "node_modules/spindlex"), copy);
    expect(said).toBe(
      "serverInterface: is of another copy of spindlex: `npm ls spindlex` tells where they are\nserved\n",
    );
  });

  it("offers no cipher that this Node.js does not have", async () => {
    const program = `
      const crypto = require("node:crypto");
      const { getCipherInfo } = crypto;
      crypto.getCipherInfo = (name) => name === "chacha20" ? undefined : getCipherInfo(name);
      console.log(require(process.argv[1]).defaultAlgorithms.cipher.join());`;
    const said = await node("--eval", program, join(project, "node_modules/spindlex"));
    expect(said).toContain("aes128-gcm@openssh.com");
    expect(said).not.toContain("chacha20");
  });
});

function manifestOf(folder: string): { readonly version: string } {
  return JSON.parse(readFileSync(join(folder, "node_modules/spindlex/package.json"), "utf8"));
}
