import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };

const SOURCE = resolve(import.meta.dirname, "../src");

/** The folders of src/, each above those that may import from it: CONTRIBUTING.md. */
const ROOMS = [
  "base",
  "addresses",
  "protocol",
  "crypto",
  "transport",
  "connection",
  "endpoint",
  "files",
  "sftp",
  "scp",
  "probes",
  "auth",
  "session",
  "authenticators",
  "forwarding",
  "process",
  "middleware",
  "server",
  "cluster",
  "cli",
];

/** Rooms that know nothing of one that stands above them. */
const STRANGERS: readonly (readonly [room: string, unknown: string])[] = [
  ["scp", "sftp"],
  ["auth", "connection"],
];

/** The folders of src/crypto/, likewise. */
const CRYPTO_ROOMS = ["cipher", "kex", "compression", "keys", "certificates", "key-formats", "pkey", "revocation"];

/** Both orders, and how many imports there are at least that could be against them. */
const ORDERS = [
  { name: "src/", place: SOURCE, rooms: ROOMS, imports: 500 },
  { name: "src/crypto/", place: join(SOURCE, "crypto"), rooms: CRYPTO_ROOMS, imports: 100 },
];

const roomIn = (place: string, file: string) => relative(place, file).split(sep)[0] ?? "";
const room = (file: string) => roomIn(SOURCE, file);

const described = ({ from, to }: { from: string; to: string }) =>
  `${relative(SOURCE, from)} imports ${relative(SOURCE, to)}`;

/** Every import from one file of src/ to another. */
const imports = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(SOURCE, name))
  .flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\b(?:from |import\()"(\.[^"]+)"/g)].map(([, target = ""]) => ({
      from: file,
      to: resolve(dirname(file), target),
    })),
  );

describe.each(ORDERS)("the rooms of $name", ({ place, rooms, imports: least }) => {
  it("are those that are known", () => {
    const folders = readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual([...rooms].sort());
  });

  it("import only from the rooms above them", () => {
    const order = (file: string) => rooms.indexOf(roomIn(place, file));
    const between = imports.filter(({ from, to }) => order(from) >= 0 && order(to) >= 0);
    expect(between.length).toBeGreaterThan(least);
    expect(between.filter(({ from, to }) => order(to) > order(from)).map(described)).toEqual([]);
  });
});

describe("rooms", () => {
  it.each(STRANGERS)("%s/ imports nothing from %s/", (name, unknown) => {
    const own = imports.filter(({ from }) => room(from) === name);
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter(({ to }) => room(to) === unknown).map(described)).toEqual([]);
  });

  it("are for the command what they are for other programs", () => {
    const doors = Object.values(manifest.exports).flatMap((door) => (typeof door === "object" ? [door.require] : []));
    const paths = [...doors.map((door) => door.default.replace(/^\.\/dist\//, "")), "base/version.js"];
    const outside = imports.filter(({ from, to }) => room(from) === "cli" && room(to) !== "cli");
    expect(outside.length).toBeGreaterThan(10);
    expect(outside.filter(({ to }) => !paths.includes(relative(SOURCE, to))).map(described)).toEqual([]);
  });
});
