import { isThenable, type MaybePromise } from "../../../base/maybe-promise.js";
import { FileError } from "../../../files/errors.js";
import type { DirectoryEntry } from "../../../files/file-system.js";
import { StatusCode } from "../../codec/constants.js";
import { encodeHandle, encodeStatus, MAX_NAMES_LENGTH, NamesReply } from "../../codec/replies.js";
import type { OpenDirectory } from "../handle-table.js";
import { LongnameHeads } from "../longname.js";
import type { OwnerNames } from "../owner-names.js";
import { READS_NAMES, type RequestKind, readPath } from "./request.js";

// Requests that list directories (draft-ietf-secsh-filexfer-02 §6.7).

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
        const names = await readNames(directory, ownerNames);
        return names.count > 0 ? names.encode(id) : encodeStatus(id, StatusCode.EOF, "End of directory");
      },
    };
  },
};

async function readNames(directory: OpenDirectory, ownerNames: OwnerNames): Promise<NamesReply> {
  const reply = new NamesReply();
  const heads = new LongnameHeads(Date.now() / 1000);
  for (;;) {
    const next = nextEntry(directory);
    const entry = isThenable(next) ? await next : next;
    if (entry === undefined) return reply;
    const { name, attributes } = entry;
    const owners = ownerNames.of(attributes);
    const { user, group } = isThenable(owners) ? await owners : owners;
    if (!reply.add(name, heads.of(attributes, user, group), attributes)) {
      directory.waiting.unshift(entry);
      return reply;
    }
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
