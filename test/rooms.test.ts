import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

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
  "auth",
  "authenticators",
  "session",
  "forwarding",
  "server",
  "cli",
];

/** Rooms that know nothing of one that stands above them. */
const STRANGERS: readonly (readonly [room: string, unknown: string])[] = [
  ["scp", "sftp"],
  ["auth", "connection"],
];

const room = (file: string) => relative(SOURCE, file).split(sep)[0] ?? "";

const described = ({ from, to }: { from: string; to: string }) =>
  `${relative(SOURCE, from)} imports ${relative(SOURCE, to)}`;

/** Every import from one file of src/ to another. */
const imports = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(SOURCE, name))
  .flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bfrom "(\.[^"]+)"/g)].map(([, target = ""]) => ({
      from: file,
      to: resolve(dirname(file), target),
    })),
  );

describe("the rooms of src/", () => {
  it("are those that are known", () => {
    const folders = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual([...ROOMS].sort());
  });

  it("import only from the rooms above them", () => {
    const between = imports.filter(({ from, to }) => ROOMS.includes(room(from)) && ROOMS.includes(room(to)));
    expect(between.length).toBeGreaterThan(500);
    const upwards = between.filter(({ from, to }) => ROOMS.indexOf(room(to)) > ROOMS.indexOf(room(from)));
    expect(upwards.map(described)).toEqual([]);
  });

  it.each(STRANGERS)("%s/ imports nothing from %s/", (name, unknown) => {
    const own = imports.filter(({ from }) => room(from) === name);
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter(({ to }) => room(to) === unknown).map(described)).toEqual([]);
  });
});
