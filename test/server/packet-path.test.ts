import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findOwnAddon } from "../../src/base/own-addon.js";
import { builtFile } from "../support/build.js";
import { needs } from "../support/clients.js";
import { runOk, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const NATIVE = join(import.meta.dirname, "../../native");

/** The lines of a server that starts and stops in a process of its own. */
async function logOf(environment: Readonly<Record<string, string>>): Promise<Record<string, unknown>[]> {
  const script = `
    import { SSHServer, SSHServerManager } from ${JSON.stringify(builtFile("src/index.ts"))};
    import { PKey } from ${JSON.stringify(builtFile("src/crypto/index.ts"))};
    const line = (level) => (fields, message) => console.log(JSON.stringify({ level, message, ...fields }));
    const logger = Object.fromEntries(["debug", "info", "warn", "error"].map((level) => [level, line(level)]));
    const serverKey = PKey.generate({ keyType: "ed25519" });
    const serverInterface = new (class extends SSHServer { checkAuthNone() {} })();
    const manager = new SSHServerManager({ serverInterface, serverKey, bindAddress: "127.0.0.1", port: 0, logger });
    await manager.startServer();
    await manager.stopServer();`;
  const output = await runOk(process.execPath, ["--input-type=module", "--eval", script], { environment });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The environment of a process whose addon is the file that `make` makes. */
function withAddon(name: string, make: (file: string) => void): Record<string, string> {
  const place = join(folder, name);
  const prebuilds = join(place, "prebuilds", `${process.platform}-${process.arch}`);
  mkdirSync(prebuilds, { recursive: true });
  make(join(prebuilds, "spindlex.node"));
  return { SPINDLEX_PREBUILD: place };
}

const listens = (packetsSealedBy: string) =>
  expect.objectContaining({ level: "info", message: "the server listens", packetsSealedBy });
const stopped = expect.objectContaining({ message: "the server has stopped" });

it("are sealed by the addon, with the OpenSSL of this Node.js", needs("cc"), async () => {
  expect(await logOf({})).toEqual([listens(`addon (OpenSSL ${process.versions.openssl})`), stopped]);
});

it("are sealed by node:crypto where the environment says so, or there is no addon", async () => {
  expect(await logOf({ SPINDLEX_NATIVE: "0" })).toEqual([listens("node:crypto (SPINDLEX_NATIVE=0)"), stopped]);
  const none = `node:crypto (no addon for ${process.platform}-${process.arch})`;
  expect(await logOf({ SPINDLEX_PREBUILD: folder })).toEqual([listens(none), stopped]);
});

/** Files that cannot be loaded, and how one line tells of it. */
const UNUSABLE: readonly [string, (file: string) => void, RegExp][] = [
  ["is empty", (file) => writeFileSync(file, ""), /^spindlex\.node cannot be loaded: .*file too short/],
  [
    "is a text",
    (file) => writeFileSync(file, "#!/bin/sh\n".repeat(1000)),
    /^spindlex\.node cannot be loaded: .*header/,
  ],
  [
    "is cut short",
    (file) => {
      const whole = readFileSync(findOwnAddon() ?? "");
      writeFileSync(file, whole.subarray(0, whole.length / 2));
    },
    /^spindlex\.node cannot be loaded: file is cut short$/,
  ],
  ["is a module of another kind", (file) => copyFileSync(process.execPath, file), /^spindlex\.node cannot be loaded: /],
  [
    "is for another processor",
    (file) => {
      const copy = readFileSync(findOwnAddon() ?? "");
      // e_machine
      copy.writeUInt16LE(0xf3, 18);
      writeFileSync(file, copy);
    },
    /^spindlex\.node cannot be loaded: /,
  ],
];

it.each(UNUSABLE)(
  "are sealed by node:crypto where the addon %s, which one line tells",
  needs("cc"),
  async (...given) => {
    const [name, make, cause] = given;
    expect(await logOf(withAddon(name, make))).toEqual([
      listens("node:crypto (the addon cannot be used)"),
      {
        level: "warn",
        message: "packets are sealed by node:crypto: the addon cannot be used",
        cause: expect.stringMatching(cause),
      },
      stopped,
    ]);
  },
);

it("are sealed by node:crypto where OpenSSL is another", needs("cc"), async () => {
  const place = join(folder, "another OpenSSL");
  const environment = { CFLAGS: "-DKNOWN_MAJOR_VERSION=9" };
  await runOk(process.execPath, [join(NATIVE, "build.mjs"), "--to", place], { environment });
  const [listening, warning, ...others] = await logOf({ SPINDLEX_PREBUILD: place });
  expect(listening).toEqual(listens("node:crypto (the addon cannot be used)"));
  expect(warning).toMatchObject({
    level: "warn",
    cause: "this Node.js does not have the OpenSSL that the addon needs: OPENSSL_version_major",
  });
  expect(others).toEqual([stopped]);
});
