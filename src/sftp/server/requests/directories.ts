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
    const entry = await nextEntry(directory);
    if (entry === undefined) return entries;
    const { attributes } = entry;
    const { user, group } = await ownerNames.of(attributes);
    const name = encodeName(entry.name);
    const longname = Buffer.concat([Buffer.from(formatLongnameHead(attributes, user, group, now)), name]);
    const named = { name, longname, attributes };
    length += nameEntryLength(named);
    if (length > MAX_NAMES_LENGTH && entries.length > 0) {
      directory.waiting.unshift(entry);
      return entries;
    }
    entries.push(named);
  }
}

async function nextEntry(directory: OpenDirectory): Promise<DirectoryEntry | undefined> {
  const waiting = directory.waiting.shift();
  if (waiting !== undefined) return waiting;
  if (directory.atEnd) return undefined;
  const result = await directory.entries.next();
  if (result.done !== true) return result.value;
  directory.atEnd = true;
  return undefined;
}
