import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LIBRARY_CLIENTS, type LibraryClientName, needs } from "../../support/clients.js";
import type { Operation } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { libraryFixture } from "../../support/library-fixture.js";
import { testBytes } from "../../support/server.js";

const GIVES_INPUT: readonly LibraryClientName[] = ["libssh", "jsch", "net-ssh", "go", "erlang", "conch"];
const MAKES_HARD_LINKS: readonly LibraryClientName[] = ["jsch", "go", "net-sftp-foreign"];

/** The long run tries the new keys for themselves, in rekey.test.ts; here they come while files are carried. */
const REKEY_BYTES = 128 * 1024;
const LEAST_KEY_EXCHANGES = 3;

const fixture = libraryFixture(isLong ? {} : { rekeyLimit: { bytes: REKEY_BYTES, seconds: 3600 } });

/** What a library is asked for, and how it is found out that it did it. */
interface Part {
  readonly operations: readonly Operation[];
  readonly expected: readonly unknown[];
  readonly check?: () => Promise<void>;
}

const done = { value: null };
const remote = (name: string) => join(fixture.root, name);
const local = (name: string) => join(fixture.local, name);

/** Commands, and how they end. */
function commands(): Part {
  const cases: readonly [command: string, status: number, stdout: string, stderr: string][] = [
    ["a command with “quotes” and 'more'", 0, "Executed: a command with “quotes” and 'more'\n", ""],
    ["exit 7", 7, "", ""],
    ["stderr", 0, "to stdout\n", "to stderr\n"],
  ];
  return {
    operations: cases.map(([command]) => ["exec", command, ""]),
    expected: cases.map(([, status, stdout, stderr]) => ({ value: { status, stdout, stderr } })),
  };
}

function input(): Part {
  return {
    operations: [["exec", "echo-stdin", "there and back"]],
    expected: [{ value: { status: 0, stdout: "there and back", stderr: "" } }],
  };
}

async function files(): Promise<Part> {
  const content = testBytes(isLong ? 100_000 : 5 * REKEY_BYTES);
  await writeFile(local("content"), content);
  return {
    operations: [
      ["put", local("content"), "put"],
      ["put", local("content"), "gone"],
      ["mkdir", "folder"],
      ["append", "put", "end"],
      ["rename", "put", "folder/renamed"],
      ["get", "folder/renamed", local("got")],
      ["remove", "gone"],
      ["list", "/"],
      ["list", "folder"],
    ],
    expected: [done, done, done, done, done, done, done, { value: ["folder"] }, { value: ["renamed"] }],
    async check() {
      const expected = Buffer.concat([content, Buffer.from("end")]);
      for (const file of [remote("folder/renamed"), local("got")])
        expect(expected.equals(await readFile(file)), file).toBe(true);
    },
  };
}

/** It goes on after what failed. */
function failure(): Part {
  return {
    operations: [
      ["remove", "missing"],
      ["list", "folder"],
    ],
    expected: [expect.objectContaining({ error: expect.stringMatching(/./) }), { value: ["renamed"] }],
  };
}

/** Links lead where they should. */
function links(): Part {
  return {
    operations: [
      ["symlink", "some/where", "link"],
      ["readlink", "link"],
    ],
    expected: [done, { value: "some/where" }],
    async check() {
      expect(await readlink(remote("link"))).toBe("some/where");
    },
  };
}

function hardLinks(): Part {
  return {
    operations: [["hardlink", "folder/renamed", "other"]],
    expected: [done],
    async check() {
      expect((await stat(remote("other"))).ino).toBe((await stat(remote("folder/renamed"))).ino);
    },
  };
}

for (const client of LIBRARY_CLIENTS) {
  // All in one session: most of these libraries take longer to start than to do it.
  it(`${client} runs commands and carries files`, needs(client), async () => {
    const parts: Part[] = [];
    if (client !== "net-sftp-foreign") parts.push(commands());
    if (GIVES_INPUT.includes(client)) parts.push(input());
    parts.push(await files(), failure(), links());
    if (MAKES_HARD_LINKS.includes(client)) parts.push(hardLinks());
    const before = fixture.server.keyExchanges;
    const results = await fixture.operate(
      client,
      parts.flatMap(({ operations }) => operations),
    );
    expect(results).toEqual(parts.flatMap(({ expected }) => expected));
    for (const { check } of parts) await check?.();
    if (!isLong) expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(LEAST_KEY_EXCHANGES);
    const names = ["folder", "link", ...(MAKES_HARD_LINKS.includes(client) ? ["other"] : [])];
    expect((await readdir(fixture.root)).toSorted()).toEqual(names);
  });
}
