import fc from "fast-check";
import type { FileAttributes } from "../../../src/files/file-system.js";
import { type Drive, type OpenFile, pattern } from "./drive.js";

/** A file system, and the files that are open on it in the order in which they were opened. */
export interface State {
  readonly drive: Drive;
  readonly files: OpenFile[];
}

/** One step of a random run; what it gives is compared. */
export type Step = (state: State) => Promise<unknown>;

const FLAGS = ["read", "write", "read write", "read write append", "read write create", "write create exclusive"];
const TRUNCATING = ["read write create truncate", "write truncate"];

const path = fc
  .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join("/")}`);
const size = fc.oneof(fc.nat(20), fc.nat(200_000));
const permissions = fc.constantFrom(0o600, 0o644, 0o755, 0o777);

/** A step with a text, for the report of a run that fails. */
export function step<Values extends unknown[]>(
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
export function fileStep<Values extends unknown[]>(
  name: string,
  values: { readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  run: (file: OpenFile, ...values: Values) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return step<[number, ...Values]>(name, [fc.nat(), ...values], async ({ files }, index, ...rest) => {
    const file = files[index % files.length];
    return file === undefined ? "nothing is open" : run(file, ...rest);
  });
}

export const steps = fc.oneof(
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

/** What does not depend on the time, nor on how a disk keeps directories. */
export function comparable({ type, size, permissions, links }: FileAttributes): unknown {
  return type === "directory" ? { type, permissions } : { type, size, permissions, links: links ?? 1 };
}
