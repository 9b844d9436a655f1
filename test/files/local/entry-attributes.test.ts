import { spawnSync } from "node:child_process";
import fs, { constants } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import type { Addon } from "../../../src/base/addon.js";
import { findOwnAddon } from "../../../src/base/own-addon.js";
import { packetPath } from "../../../src/crypto/cipher/packet-path.js";
import { attributesOf } from "../../../src/files/local/attributes.js";
import { lookAtEntries } from "../../../src/files/local/entry-attributes.js";
import { PinnedDirectories } from "../../../src/files/local/pinned-directories.js";
import { promptCalls } from "../../../src/files/local/short-calls.js";
import { needs, TOOLS } from "../../support/clients.js";
import { compiled } from "../../support/compiled.js";
import { runOk } from "../../support/tools.js";
import { Fixture } from "./fixture.js";

/** Linux's O_PATH. */
const O_PATH = 0o10000000;
const FIELDS = 9;

type Look = NonNullable<Addon["lookAtEntries"]>;

let fixture: Fixture;
let descriptor = -1;
/** What is looked at on the way to a list. */
let look: MockInstance<Look>;

function systemPath(latin1Name: string): Buffer {
  return Buffer.from(`${fixture.root}/${latin1Name}`, "latin1");
}

function makeFiles(...latin1Names: readonly string[]): void {
  for (const name of latin1Names) fs.writeFileSync(systemPath(name), name);
}

/** One of each kind, as far as this user and this file system let it be made. */
async function makeEntries(): Promise<AsyncDisposable> {
  makeFiles(
    "file",
    "special bits",
    "line\nfeed",
    "\xff\xfe is no UTF-8",
    "d\xc3\xa9j\xc3\xa0 is UTF-8",
    "x".repeat(255),
  );
  fs.chmodSync(fixture.at("special bits"), 0o7421);
  fs.linkSync(fixture.at("file"), fixture.at("file with two names"));
  fs.mkdirSync(fixture.at("folder/inside"), { recursive: true });
  for (const [name, target] of Object.entries({ link: "file", dangling: "nowhere", loop: "loop", up: ".." })) {
    fs.symlinkSync(target, fixture.at(name));
  }
  for (const [name, seconds] of Object.entries({ old: -12_345.678, first: 0, far: 4_294_967_300.987_654 })) {
    makeFiles(name);
    fs.utimesSync(fixture.at(name), seconds, seconds + 0.25);
  }
  for (const [name, size] of Object.entries({
    large: 5 * 2 ** 30,
    larger: `${2n ** 53n + 3n}`,
    largest: `${2n ** 63n - 1n}`,
  })) {
    spawnSync("truncate", ["--size", `${size}`, fixture.at(name)]);
  }
  spawnSync("mkfifo", [fixture.at("fifo")]);
  spawnSync("mknod", [fixture.at("character device"), "c", "1", "3"]);
  spawnSync("mknod", [fixture.at("block device"), "b", "7", "200"]);
  if (process.getuid?.() === 0) fs.lchownSync(fixture.at("dangling"), 4_294_967_294, 65_534);
  const server = createServer().listen(fixture.at("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

function ownLook(): Look {
  const look = packetPath().addon?.lookAtEntries;
  if (look === undefined) throw new Error("the addon is not there");
  return look;
}

/** The rest of the tests may be run without the addon. */
const mayBeThere = process.platform === "linux" && process.env.SPINDLEX_NATIVE !== "0";

describe.runIf(mayBeThere)("entries that the addon looks at", needs("cc"), () => {
  beforeEach(() => {
    // No rest of calls made before, and none for calls that this machine is slow to make.
    vi.spyOn(performance, "now").mockReturnValue(1e12);
    const own = ownLook();
    look = vi.spyOn(packetPath().addon as { lookAtEntries: Look }, "lookAtEntries");
    look.mockImplementation((directory, names, fields) => own(directory, names, fields, 60_000));
    fixture = new Fixture();
    descriptor = fs.openSync(fixture.root, O_PATH | constants.O_DIRECTORY);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    fs.closeSync(descriptor);
    await fixture[Symbol.asyncDispose]();
  });

  it("are what lstat tells, of every kind", async () => {
    await using _ = await makeEntries();
    const names = fs.readdirSync(fixture.root, "latin1");
    expect(names.length).toBeGreaterThan(16);
    const told = names.map((name) => attributesOf(fs.lstatSync(systemPath(name))));
    expect(lookAtEntries(descriptor, names)).toEqual(told);
  });

  it("make the same list as those that are looked at one by one", async () => {
    await using _ = await makeEntries();
    const list = async () => new Map((await fixture.drive.entries("/")).map((entry) => [entry.name, entry]));
    const directory = await new PinnedDirectories(fixture.root).acquire("/");
    const isPrompt = directory.calls === promptCalls;
    directory.release();
    const together = await list();
    expect(look).toHaveBeenCalledTimes(isPrompt ? 1 : 0);
    look.mockReturnValue(0);
    expect(await list()).toEqual(together);
    expect(together.size).toBe(fs.readdirSync(fixture.root).length);
  });

  it("are left out of the list where they vanish, and are looked at otherwise where they cannot be", async () => {
    makeFiles("file", "vanishing");
    const names = ["file", "missing", ".", ""];
    const [file, ...others] = lookAtEntries(descriptor, names);
    expect(file?.type).toBe("file");
    expect(others).toEqual([undefined, { ...attributesOf(fs.statSync(fixture.root)) }, undefined]);
    const lookAtAll = look.getMockImplementation();
    look.mockImplementation((...parameters) => {
      fs.rmSync(fixture.at("vanishing"));
      return lookAtAll?.(...parameters) ?? 0;
    });
    expect(await fixture.drive.list("/")).toEqual(["file"]);
  });

  it("are looked at until the time is over", () => {
    look.mockRestore();
    makeFiles("file");
    const names = Buffer.from("file\0file\0file\0");
    const fields = new Float64Array(3 * FIELDS);
    expect(ownLook()(descriptor, names, fields, 0)).toBe(0);
    expect(fields.subarray(FIELDS).every((field) => field === 0)).toBe(true);
    expect(ownLook()(descriptor, names, fields, 60_000)).toBe(3);
    expect(fields.subarray(FIELDS, 2 * FIELDS)).toEqual(fields.subarray(0, FIELDS));
  });

  it("are looked at no more once the disk was waited for, or once it was work", needs("gcc"), async () => {
    const source = join(import.meta.dirname, "slow-disk.c");
    const folder = await compiled({
      tool: "gcc",
      sources: [source],
      compiler: TOOLS.gcc,
      parameters: (made) => ["-shared", "-fPIC", "-O1", source, "-o", join(made, "slow-disk.so")],
    });
    const script = `
      const { lookAtEntries } = require(${JSON.stringify(findOwnAddon())});
      const look = (...names) =>
        lookAtEntries(0, Buffer.from(names.map((name) => name + "\\0").join("")), new Float64Array(9 * names.length), 20);
      console.log(look("a", "wait 30", "b"), look("a", "work 30", "b"), look("work 15", "work 15", "a"), look("work 1", "a"), look("wait 30"));`;
    const environment = { LD_PRELOAD: join(folder, "slow-disk.so") };
    expect(await runOk(process.execPath, ["--eval", script], { environment })).toBe("1 1 1 2 0\n");
  });

  it("are not found by a descriptor that is closed", () => {
    const closed = fs.openSync(fixture.root, constants.O_RDONLY);
    fs.closeSync(closed);
    expect(lookAtEntries(closed, ["file"])).toEqual([undefined]);
  });

  const room = () => new Float64Array(FIELDS);
  it.each<[string, readonly unknown[]]>([
    ["nothing", []],
    ["no time", [0, Buffer.from("a\0"), room()]],
    ["too many parameters", [0, Buffer.from("a\0"), room(), 1, 1]],
    ["a name with a slash", [0, Buffer.from("a/b\0"), room(), 1]],
    ["a name from the root", [0, Buffer.from("/etc\0"), room(), 1]],
    ["a last name without a NUL", [0, Buffer.from("a\0b"), room(), 1]],
    ["more names than there is room for", [0, Buffer.from("a\0b\0"), new Float64Array(2 * FIELDS - 1), 1]],
    ["a NUL in a name, which makes it two", [0, Buffer.from("a\0b\0"), room(), 1]],
    ["no room", [0, Buffer.from("a\0"), new Float64Array(0), 1]],
    ["room of another kind", [0, Buffer.from("a\0"), new BigInt64Array(FIELDS), 1]],
    ["room that is an array", [0, Buffer.from("a\0"), new Array(FIELDS).fill(0), 1]],
    ["names that are a text", [0, "a\0", room(), 1]],
    ["a descriptor that is negative", [-100, Buffer.from("a\0"), room(), 1]],
    ["a descriptor of 2^31", [2 ** 31, Buffer.from("a\0"), room(), 1]],
    ["a descriptor that is a fraction", [0.5, Buffer.from("a\0"), room(), 1]],
    ["a time that is a text", [0, Buffer.from("a\0"), room(), "1"]],
  ])("are not looked at with %s", (_, parameters) => {
    look.mockRestore();
    expect(() => Reflect.apply(ownLook(), undefined, parameters)).toThrow(Error);
  });

  it("have names without slash and NUL", () => {
    for (const name of ["a/b", "/", "../root"]) expect(() => lookAtEntries(descriptor, [name])).toThrow(RangeError);
    expect(() => lookAtEntries(descriptor, ["a\0b"])).toThrow(RangeError);
  });
});
