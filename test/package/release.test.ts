import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { run, runOk, temporaryFolder } from "../support/tools.js";
import { packedPackage, ROOT, SLOW } from "./packed-package.js";

const RELEASE = join(ROOT, "packaging/release.mjs");

describe("a release", () => {
  it("is a tarball that two builds make alike, with notes, its parts, checksums and a signature", {
    timeout: SLOW,
  }, async () => {
    const packed = await packedPackage();
    const folder = temporaryFolder();
    const said = await runOk(process.execPath, [RELEASE, "--dry-run", "--to", folder], { timeout: SLOW });
    expect(said).toMatch(/^would be tagged: v\d+\.\d+\.\d+$/m);
    const tarball = basename(packed);
    const names = ["SHA256SUMS", "SHA256SUMS.sig", "notes.md", "sbom.cdx.json", tarball];
    expect(readdirSync(folder).sort()).toEqual(names.sort());
    const file = (name: string) => readFileSync(join(folder, name));
    expect(file(tarball).equals(readFileSync(packed)), "byte for byte").toBe(true);
    expect(file("notes.md").toString()).toMatch(/^### /);
    expect(file("SHA256SUMS.sig").toString()).toContain("BEGIN SSH SIGNATURE");
    await runOk("env", ["-C", folder, "sha256sum", "--strict", "--check", "SHA256SUMS"]);

    const { bomFormat, metadata, components } = JSON.parse(file("sbom.cdx.json").toString());
    expect({ bomFormat, name: metadata.component.name }).toEqual({ bomFormat: "CycloneDX", name: "spindlex" });
    const parts: string[] = components.map(({ purl }: { purl: string }) => decodeURIComponent(purl));
    expect(parts.map((part) => part.replace(/@[^@]+$/, "")).sort()).toEqual(
      [
        "@noble/curves",
        "@noble/hashes",
        "@noble/post-quantum",
        "bcrypt-pbkdf",
        "node-gyp-build",
        "pako",
        "tweetnacl",
      ].map((name) => `pkg:npm/${name}`),
    );
  });

  it("needs a key, unless it is tried", async () => {
    expect(await run(process.execPath, [RELEASE])).toMatchObject({
      code: 1,
      stderr: "release: --key says which key signs\n",
    });
  });
});

describe("the workflow that publishes a release", () => {
  const text = readFileSync(join(ROOT, ".github/workflows/release.yml"), "utf8");
  const commands = [...text.matchAll(/^ +(?:- )?run: (.+)$/gm)].map(([, command]) => command ?? "");

  it("has steps that are there, on a Node.js that is supported", () => {
    const scripts = [...text.matchAll(/npm run (\S+)/g)].map(([, name]) => name);
    expect(scripts).toEqual(["build", "build:native"]);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
    expect(commands).toContain("npx vitest run test/package");
    expect(readFileSync(join(ROOT, ".ci/node-versions"), "utf8")).toMatch(
      new RegExp(`^${/node-version: (\d+)$/m.exec(text)?.[1]}\\.`, "m"),
    );
  });

  it("stops at a tag that is not the version", async () => {
    const check = commands.find((command) => command.includes("GITHUB_REF_NAME")) ?? "";
    const checked = (tag: string) => run("env", ["-C", ROOT, `GITHUB_REF_NAME=${tag}`, "sh", "-ec", check]);
    expect(await checked(`v${manifest.version}`)).toMatchObject({ code: 0, stderr: "" });
    expect((await checked("v0.0.1")).code).toBe(1);
  });

  it("may prove where it runs, and change nothing", () => {
    const permissions = [...text.matchAll(/^ +(\S+): (?:read|write)$/gm)].map(([line]) => line.trim());
    expect(permissions).toEqual(["contents: read", "contents: read", "id-token: write"]);
  });
});
