import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { toSFTPError } from "../../../src/sftp/errors.js";
import type { FileAttributes, FileSystem } from "../../../src/sftp/file-system.js";
import { joinPath } from "../../../src/sftp/path.js";
import { Drive, type OpenFile, pattern } from "./drive.js";
import { ReferenceDisk } from "./reference-disk.js";

/** A file system, and the files that are open on it in the order in which they were opened. */
interface State {
  readonly drive: Drive;
  readonly files: OpenFile[];
}

/** One step of a random run; what it gives is compared. */
type Step = (state: State) => Promise<unknown>;

const FLAGS = ["read", "write", "read write", "read write append", "read write create", "write create exclusive"];
const TRUNCATING = ["read write create truncate", "write truncate"];

const path = fc
  .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join("/")}`);
const size = fc.oneof(fc.nat(20), fc.nat(200_000));
const permissions = fc.constantFrom(0o600, 0o644, 0o755, 0o777);

/** A step with a text, for the report of a run that fails. */
function step<Values extends unknown[]>(
  name: string,
  values: { readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  run: (state: State, ...values: Values) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return fc.tuple<Values>(...values).map((chosen) => {
    const taken: Step = (state) => run(state, ...chosen);
    return Object.assign(taken, { [fc.toStringMethod]: () => `${name}(${chosen.join(", ")})` });
  });
}

/** A step with one of the open files, if there is any. */
function fileStep<Values extends unknown[]>(
  name: string,
  values: { readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  run: (file: OpenFile, ...values: Values) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return step<[number, ...Values]>(name, [fc.nat(), ...values], async ({ files }, index, ...rest) => {
    const file = files[index % files.length];
    return file === undefined ? "nothing is open" : run(file, ...rest);
  });
}

const steps = fc.oneof(
  step("write", [path, fc.string({ maxLength: 20 })], ({ drive }, where, text) => drive.write(where, text)),
  step("mkdir", [path, permissions], ({ drive }, where, bits) => drive.mkdir(where, bits)),
  step("rmdir", [path], ({ drive }, where) => drive.rmdir(where)),
  step("remove", [path], ({ drive }, where) => drive.remove(where)),
  step("rename", [path, path], ({ drive }, from, to) => drive.rename(from, to)),
  step("posixRename", [path, path], ({ drive }, from, to) => drive.posixRename(from, to)),
  step("hardlink", [path, path], ({ drive }, existing, to) => drive.hardlink(existing, to)),
  step("symlink", [path, path], ({ drive }, target, where) => drive.symlink(target, where)),
  step("readlink", [path], ({ drive }, where) => drive.readlink(where)),
  step("lstat", [path], async ({ drive }, where) => comparable(await drive.lstat(where))),
  step("readdir", [path], ({ drive }, where) => drive.list(where)),
  step("read", [path], ({ drive }, where) => drive.read(where)),
  step("chmod", [path, permissions], ({ drive }, where, bits) => drive.setstat(where, { permissions: bits })),
  step("truncate", [path, size], ({ drive }, where, length) => drive.setstat(where, { size: length })),
  step("open", [path, fc.constantFrom(...FLAGS, ...TRUNCATING)], async ({ drive, files }, where, flags) => {
    files.push(await drive.open(where, flags));
  }),
  fileStep("file.write", [size, size], (file, position, length) => file.write(pattern(1 + length), position)),
  fileStep("file.read", [size, size], (file, position, length) => file.read(1 + length, position)),
  fileStep("file.truncate", [size], (file, length) => file.setstat({ size: length })),
  fileStep("file.stat", [], async (file) => comparable(await file.stat())),
);

/** Compares random runs with what the kernel's own file system does in the same place. */
export function describeAgainstDisk(
  create: () => Promise<{ fileSystem: FileSystem; dispose?(): Promise<void> }>,
): void {
  it.runIf(process.platform === "linux")("does in random runs what a disk does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { size: "max", maxLength: 80 }), async (run) => {
        const directory = await mkdtemp(join(tmpdir(), "spindlex-reference-"));
        const subject = await create();
        const ours: State = { drive: new Drive(subject.fileSystem), files: [] };
        const reference: State = { drive: new Drive(new ReferenceDisk(directory)), files: [] };
        try {
          for (const taken of run) expect(await outcome(taken, ours)).toEqual(await outcome(taken, reference));
          expect(await everything(ours.drive)).toEqual(await everything(reference.drive));
        } finally {
          await ours.drive[Symbol.asyncDispose]();
          await reference.drive[Symbol.asyncDispose]();
          await subject.dispose?.();
          await rm(directory, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  });
}

async function outcome(taken: Step, state: State): Promise<unknown> {
  try {
    return { value: await taken(state) };
  } catch (error) {
    const { code, message } = toSFTPError(error);
    return { code, message };
  }
}

/** All files by their paths, with what is in them. */
async function everything(drive: Drive, directory = "/"): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { name, attributes } of await drive.entries(directory)) {
    const path = joinPath(directory, name);
    found[path] = comparable(attributes);
    if (attributes.type === "directory") Object.assign(found, await everything(drive, path));
    if (attributes.type === "symlink") found[`${path} leads to`] = await drive.readlink(path);
    if (attributes.type === "file") found[`${path} contains`] = await drive.read(path);
  }
  return found;
}

/** What does not depend on the time, nor on how a disk keeps directories. */
function comparable({ type, size, permissions, links }: FileAttributes): unknown {
  return type === "directory" ? { type, permissions } : { type, size, permissions, links: links ?? 1 };
}
