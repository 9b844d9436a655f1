import { findAddon } from "../../base/find-addon.js";
import type { FileAttributes } from "../file-system.js";
import { attributesOf } from "./attributes.js";
import { makeAtOnce } from "./short-calls.js";

/** Numbers that the addon tells of each entry. */
const FIELDS = 9;

/**
 * Looks at entries of a directory by the addon, all in one call: half of what looking at each costs is the way through
 * `/proc` to the directory. One at which it cannot look is left to a call that can tell why.
 *
 * @param names as latin1, a character for each byte
 * @returns of the first of them, or of none: without the addon, and where calls are not to be made at once
 */
export function lookAtEntries(descriptor: number, names: readonly string[]): (FileAttributes | undefined)[] {
  const found = findAddon();
  const look = "addon" in found ? found.addon.lookAtEntries : undefined;
  if (look === undefined) return [];
  const bytes = Buffer.from(`${names.join("\0")}\0`, "latin1");
  const fields = new Float64Array(names.length * FIELDS);
  const count = makeAtOnce(names.length, (milliseconds) => look(descriptor, bytes, fields, milliseconds));
  return Array.from({ length: count }, (_, index) => entryAttributes(fields, index * FIELDS));
}

function entryAttributes(fields: Float64Array, first: number): FileAttributes | undefined {
  const field = (index: number) => fields[first + index] ?? 0;
  const mode = field(0);
  if (mode === 0) return undefined;
  const [atimeMs, mtimeMs] = [milliseconds(field(5), field(6)), milliseconds(field(7), field(8))];
  return attributesOf({ mode, nlink: field(1), uid: field(2), gid: field(3), size: field(4), atimeMs, mtimeMs });
}

/** As Node.js has them. */
function milliseconds(seconds: number, nanoseconds: number): number {
  return seconds * 1000 + nanoseconds / 1_000_000;
}
