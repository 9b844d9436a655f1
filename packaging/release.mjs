// Makes a release of the version in package.json: `npm run release -- --key FILE`. Builds and packs, and lays beside the
// tarball its notes, a list of what is in it, checksums and their signature; then tags the commit. Publishes nothing: that is
// .github/workflows/release.yml, which npm can vouch for.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HELP = `npm run release -- [--key FILE] [--to FOLDER] [--dry-run]

  --key FILE    the private SSH key that signs
  --to FOLDER   for the files (default: release)
  --dry-run     everything but the tag, with a key that is thrown away unless there is --key; the tree may have
                changes, the notes are those of what is not released yet
`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The signer and the purpose, as ssh-keygen -Y verify has to be told. */
const SIGNER = "releases@spindlex";
const NAMESPACE = "file";

function run(command, parameters, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd: ROOT, encoding: "utf8", ...options });
  if (status !== 0) fail(`${command} ${parameters.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}

function fail(reason) {
  process.stderr.write(`release: ${reason}\n`);
  process.exit(1);
}

/** What keeps this version from being released. */
function checkState({ version, repository }) {
  if (run("git", ["status", "--porcelain"]) !== "") fail("there are changes that are not committed");
  if (run("git", ["tag", "--list", `v${version}`]) !== "") fail(`v${version} is there already`);
  if (repository.url.includes(".invalid/")) fail("package.json has no address yet: repository, homepage, bugs");
}

/** The part of CHANGELOG.md about a version. */
function notesOf(version) {
  const parts = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8").split(/^## /m);
  const part = parts.find((text) => text.startsWith(`[${version}]`));
  if (part === undefined) fail(`CHANGELOG.md has nothing about ${version}`);
  return `${part.slice(part.indexOf("\n") + 1).trim()}\n`;
}

/** What the tarball holds and what it brings, as CycloneDX: npm does not know what is bundled. */
function billOfMaterials({ name, version, license }) {
  const all = JSON.parse(run("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]));
  const needed = JSON.parse(run("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev"]));
  const licenses = readFileSync(join(ROOT, "dist/third-party-licenses.txt"), "utf8");
  const bundled = [...licenses.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \(.+\)$/gm)].map(
    ([, bundledName, bundledVersion]) => ({
      ...all.components.find((part) => `${part.group ? `${part.group}/` : ""}${part.name}` === bundledName),
      scope: "required",
      version: bundledVersion,
      properties: [{ name: "spindlex:bundled", value: "true" }],
    }),
  );
  const peers = new Set(["optional", "excluded"]);
  const own = { "bom-ref": `${name}@${version}`, type: "library", name, version, purl: `pkg:npm/${name}@${version}` };
  return {
    ...needed,
    // npm takes the name of the folder.
    metadata: { ...needed.metadata, component: { ...own, licenses: [{ license: { id: license } }] } },
    components: [...needed.components.filter(({ scope }) => !peers.has(scope)), ...bundled],
    dependencies: undefined,
  };
}

function sign(file, key) {
  rmSync(`${file}.sig`, { force: true });
  run("ssh-keygen", ["-q", "-Y", "sign", "-f", key, "-n", NAMESPACE, file]);
  const scratch = mkdtempSync(join(tmpdir(), "spindlex-release-"));
  const allowed = join(scratch, "allowed_signers");
  writeFileSync(allowed, `${SIGNER} ${run("ssh-keygen", ["-y", "-f", key])}`);
  const parameters = ["-Y", "verify", "-f", allowed, "-I", SIGNER, "-n", NAMESPACE, "-s", `${file}.sig`];
  run("ssh-keygen", parameters, { input: readFileSync(file) });
  rmSync(scratch, { recursive: true });
}

function throwawayKey(folder) {
  const key = join(folder, "key");
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  return key;
}

const { values } = parseArgs({
  options: {
    key: { type: "string" },
    to: { type: "string", default: join(ROOT, "release") },
    "dry-run": { type: "boolean", default: false },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const isTry = values["dry-run"];
if (!isTry && values.key === undefined) fail("--key says which key signs");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
if (!isTry) checkState(manifest);
const notes = notesOf(isTry ? "Unreleased" : manifest.version);

const folder = resolve(values.to);
mkdirSync(folder, { recursive: true });
run(process.execPath, [join(ROOT, "packaging/build.mjs")]);
const [{ filename }] = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder]));
writeFileSync(join(folder, "notes.md"), notes);
writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(billOfMaterials(manifest), undefined, 2)}\n`);
const sums = [filename, "notes.md", "sbom.cdx.json"].map((name) => {
  const sum = createHash("sha256")
    .update(readFileSync(join(folder, name)))
    .digest("hex");
  return `${sum}  ${name}\n`;
});
writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
const scratch = mkdtempSync(join(tmpdir(), "spindlex-release-"));
const key = values.key === undefined ? throwawayKey(scratch) : resolve(values.key);
sign(join(folder, "SHA256SUMS"), key);
rmSync(scratch, { recursive: true });
process.stdout.write(sums.join(""));

const tag = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${key}`, "tag", "--sign", `v${manifest.version}`];
if (isTry) {
  process.stdout.write(`would be tagged: v${manifest.version}\n`);
} else {
  run("git", [...tag, "--cleanup=verbatim", "--file", join(folder, "notes.md")]);
  process.stdout.write(`tagged: v${manifest.version}. Push the tag; the workflow publishes it.\n`);
}
