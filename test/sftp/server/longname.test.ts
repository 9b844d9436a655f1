import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileAttributes, FileType } from "../../../src/files/file-system.js";
import { formatMode, LongnameHeads } from "../../../src/sftp/server/longname.js";

const timezone = process.env.TZ;

beforeAll(() => {
  process.env.TZ = "UTC";
});

afterAll(() => {
  if (timezone === undefined) delete process.env.TZ;
  else process.env.TZ = timezone;
});

const NOW = Math.floor(Date.now() / 1000);
const DAY = 24 * 60 * 60;

function attributesOf(path: string): FileAttributes {
  const status = lstatSync(path);
  const type: FileType = status.isSymbolicLink() ? "symlink" : status.isDirectory() ? "directory" : "file";
  const { size, mode, uid, gid, nlink, atimeMs, mtimeMs } = status;
  const times = { accessTime: atimeMs / 1000, modifyTime: mtimeMs / 1000 };
  return { type, size, permissions: mode & 0o7777, uid, gid, links: nlink, ...times };
}

/** The columns of `ls -l`: how wide they are depends on the other files. */
function columns(line: string): string[] {
  return line.trim().split(/ +/);
}

describe("longname", () => {
  it("is what ls -l prints", () => {
    const directory = mkdtempSync(join(tmpdir(), "longname-"));
    try {
      const names: string[] = [];
      const add = (make: (path: string) => void): void => {
        const name = `entry${names.length}`;
        make(join(directory, name));
        names.push(name);
      };
      for (const age of [0, 60, 10 * DAY, 181 * DAY, 184 * DAY, 3_000 * DAY, -2 * DAY, -400 * DAY]) {
        add((path) => {
          writeFileSync(path, "x".repeat(names.length));
          utimesSync(path, NOW, NOW - age);
        });
      }
      for (const mode of [0o777, 0o4755, 0o4644, 0o2755, 0o2745, 0o1777, 0o1776, 0o7000, 0]) {
        add((path) => {
          writeFileSync(path, "");
          chmodSync(path, mode);
        });
      }
      add((path) => {
        mkdirSync(path);
        chmodSync(path, 0o1777);
      });
      add((path) => symlinkSync("/target", path));
      add((path) => linkSync(join(directory, "entry0"), path));

      const listing = execFileSync("ls", ["-ln", "--", directory], { env: { ...process.env, LC_ALL: "C", TZ: "UTC" } });
      const lines = listing.toString().split("\n");
      const heads = new LongnameHeads(Date.now() / 1000);
      for (const name of names) {
        const line = lines.find((candidate) => columns(candidate)[8] === name) ?? "";
        const attributes = attributesOf(join(directory, name));
        const head = heads.of(attributes, String(attributes.uid), String(attributes.gid));
        expect(columns(head + name), name).toEqual(columns(line).slice(0, 9));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  const attributes: FileAttributes = { type: "file", size: 348_911, permissions: 0o755, accessTime: 0, modifyTime: 0 };

  it("has the columns of the draft (§7)", () => {
    const now = Date.UTC(1995, 3, 1) / 1000;
    const modifyTime = Date.UTC(1995, 2, 25, 14, 29) / 1000;
    const head = new LongnameHeads(now).of({ ...attributes, modifyTime }, "mjos", "staff");
    expect(`${head}t-filexfer`).toBe("-rwxr-xr-x    1 mjos     staff      348911 Mar 25 14:29 t-filexfer");
  });

  it("makes room for what is long", () => {
    const large = { ...attributes, size: 12_345_678_901, links: 12_345 };
    expect(new LongnameHeads(0).of(large, "a-long-username", "a-long-group")).toBe(
      "-rwxr-xr-x 12345 a-long-username a-long-group 12345678901 Jan  1 00:00 ",
    );
  });

  it("shows what has changed from one line to the next, and nothing else", () => {
    const now = Date.UTC(2020, 6, 1) / 1000;
    const heads = new LongnameHeads(now);
    const changes: Partial<FileAttributes>[] = [
      {},
      { permissions: 0o600 },
      { links: 2 },
      { type: "directory" },
      { size: 7 },
      { modifyTime: now },
      { modifyTime: now - 59 },
      { modifyTime: now - 182.5 * 24 * 60 * 60 },
      { modifyTime: now - 182.5 * 24 * 60 * 60 + 1 },
      { modifyTime: now + 1 },
    ];
    for (const first of changes) {
      for (const second of changes) {
        for (const user of ["u", "v"]) {
          heads.of({ ...attributes, ...first }, "u", "g");
          const alone = new LongnameHeads(now).of({ ...attributes, ...second }, user, "g");
          expect(heads.of({ ...attributes, ...second }, user, "g")).toBe(alone);
        }
      }
    }
  });

  it.each([
    ["fifo", "p"],
    ["socket", "s"],
    ["character-device", "c"],
    ["block-device", "b"],
    ["unknown", "?"],
  ] as const)("a %s begins with %s", (type, letter) => {
    expect(formatMode({ ...attributes, type })).toBe(`${letter}rwxr-xr-x`);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e18, 1e18])("a time of %d throws nothing", (modifyTime) => {
    expect(new LongnameHeads(NOW).of({ ...attributes, modifyTime }, "u", "g")).toMatch(/^-rwxr-xr-x/);
  });
});
