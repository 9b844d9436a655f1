import { isThenable, type MaybePromise } from "../../../base/maybe-promise.js";
import { FileError } from "../../../files/errors.js";
import type { DirectoryEntry } from "../../../files/file-system.js";
import { encodeName } from "../../../files/path.js";
import { StatusCode } from "../../codec/constants.js";
import { encodeHandle, encodeNames, encodeStatus, type NameEntry, nameEntryLength } from "../../codec/replies.js";
import type { OpenDirectory } from "../handle-table.js";
import { formatLongnameHead } from "../longname.js";
import type { OwnerNames } from "../owner-names.js";
import { READS_NAMES, type RequestKind, readPath } from "./request.js";

// Requests that list directories (draft-ietf-secsh-filexfer-02 §6.7).

/** Bytes of entries in one reply: old clients take packets of 34,000 bytes. */
const MAX_NAMES_LENGTH = 32 * 1024;

let lastDirectory = 0;

export const opendir: RequestKind = {
  name: "opendir",
  read(fields, { tree, handles, logger }) {
    const path = readPath(fields);
    const failed = (error: unknown) => {
      const level = error instanceof FileError ? "debug" : "warn";
      logger[level]({ request: "opendir", err: error }, "a hook has failed: .. is shown without attributes of its own");
    };
    return {
      footprint: READS_NAMES,
      async run(id) {
        const handle = await handles.add(async () => {
          const directory = await tree.opendir(path);
          return {
            kind: "directory",
            path: directory.path,
            entries: directory.entries,
            identity: `directory ${++lastDirectory}`,
            waiting: await tree.dotEntries(directory, failed),
            atEnd: false,
          };
        });
        return encodeHandle(id, handle);
      },
    };
  },
};

export const readdir: RequestKind = {
  name: "readdir",
  read(fields, { handles, ownerNames }) {
    const directory = handles.getDirectory(fields.readString());
    return {
      footprint: { alone: directory.identity },
      memory: MAX_NAMES_LENGTH,
      async run(id) {
        const entries = await readEntries(directory, ownerNames);
        if (entries.length === 0) return encodeStatus(id, StatusCode.EOF, "End of directory");
        return encodeNames(id, entries);
      },
    };
  },
};

async function readEntries(directory: OpenDirectory, ownerNames: OwnerNames): Promise<NameEntry[]> {
  const now = Date.now() / 1000;
  const entries: NameEntry[] = [];
  let length = 0;
  for (;;) {
    const next = nextEntry(directory);
    const entry = isThenable(next) ? await next : next;
    if (entry === undefined) return entries;
    const { attributes } = entry;
    const names = ownerNames.of(attributes);
    const { user, group } = isThenable(names) ? await names : names;
    const name = encodeName(entry.name);
    const longname = encodeName(formatLongnameHead(attributes, user, group, now) + entry.name);
    const named = { name, longname, attributes };
    length += nameEntryLength(named);
    if (length > MAX_NAMES_LENGTH && entries.length > 0) {
      directory.waiting.unshift(entry);
      return entries;
    }
    entries.push(named);
  }
}

function nextEntry(directory: OpenDirectory): MaybePromise<DirectoryEntry | undefined> {
  const waiting = directory.waiting.shift();
  if (waiting !== undefined || directory.atEnd) return waiting;
  const next = directory.entries.next();
  return isThenable(next) ? next.then((entry) => orEnd(directory, entry)) : orEnd(directory, next);
}

function orEnd(directory: OpenDirectory, entry: DirectoryEntry | undefined): DirectoryEntry | undefined {
  if (entry === undefined) directory.atEnd = true;
  return entry;
}
