import type { LastLink } from "../../../files/path-resolver.js";
import type { Reader } from "../../../protocol/reader.js";
import { readAttributes } from "../../codec/attributes.js";
import { encodeAttributes, encodeOk, encodePath } from "../../codec/replies.js";
import {
  CHANGES_CONTENT,
  CHANGES_NAMES,
  type Operation,
  READS_NAMES,
  type RequestContext,
  type RequestKind,
  readPath,
} from "./request.js";

// Requests on files and directories by their names (draft-ietf-secsh-filexfer-02 §6.5 to §6.11).

export const stat: RequestKind = { name: "stat", read: (fields, context) => readStat(fields, context, "follow") };

export const lstat: RequestKind = { name: "lstat", read: (fields, context) => readStat(fields, context, "keep") };

export const setstat: RequestKind = {
  name: "setstat",
  read: (fields, context) => readSetstat(fields, context, "follow"),
};

/** OpenSSH PROTOCOL §4.8 */
export const lsetstat: RequestKind = {
  name: "lsetstat",
  read: (fields, context) => readSetstat(fields, context, "keep"),
};

export const remove: RequestKind = {
  name: "remove",
  read: (fields, { tree }) => changesName(fields, (path) => tree.remove(path)),
};

export const mkdir: RequestKind = {
  name: "mkdir",
  read(fields, { tree }) {
    const path = readPath(fields);
    const { permissions } = readAttributes(fields);
    return changes(() => tree.mkdir(path, permissions));
  },
};

export const rmdir: RequestKind = {
  name: "rmdir",
  read: (fields, { tree }) => changesName(fields, (path) => tree.rmdir(path)),
};

export const rename: RequestKind = {
  name: "rename",
  read: (fields, { tree }) => changesTwoNames(fields, (from, to) => tree.rename(from, to, "refuse")),
};

/** OpenSSH PROTOCOL §4.3 */
export const posixRename: RequestKind = {
  name: "posix-rename",
  read: (fields, { tree }) => changesTwoNames(fields, (from, to) => tree.rename(from, to, "replace")),
};

/** OpenSSH PROTOCOL §4.5 */
export const hardlink: RequestKind = {
  name: "hardlink",
  read: (fields, { tree }) => changesTwoNames(fields, (existing, link) => tree.hardlink(existing, link)),
};

/** In the draft the link comes first, for OpenSSH and most clients the target (OpenSSH PROTOCOL §4.1). */
export const symlink: RequestKind = {
  name: "symlink",
  read: (fields, { tree, symlinkOrder }) =>
    changesTwoNames(fields, (first, second) =>
      symlinkOrder === "target first" ? tree.symlink(first, second) : tree.symlink(second, first),
    ),
};

export const readlink: RequestKind = {
  name: "readlink",
  read(fields, { tree }) {
    const path = readPath(fields);
    return { footprint: READS_NAMES, run: async (id) => encodePath(id, await tree.readlink(path)) };
  },
};

export const realpath: RequestKind = {
  name: "realpath",
  read(fields, { tree }) {
    const path = readPath(fields);
    return { footprint: READS_NAMES, run: async (id) => encodePath(id, await tree.realpath(path)) };
  },
};

function readStat(fields: Reader, { tree }: RequestContext, lastLink: LastLink): Operation {
  const path = readPath(fields);
  return { footprint: READS_NAMES, run: async (id) => encodeAttributes(id, await tree.stat(path, lastLink)) };
}

function readSetstat(fields: Reader, { tree }: RequestContext, lastLink: LastLink): Operation {
  const path = readPath(fields);
  const attributes = readAttributes(fields);
  const footprint = attributes.size === undefined ? CHANGES_NAMES : CHANGES_CONTENT;
  return { ...changes(() => tree.setstat(path, attributes, lastLink)), footprint };
}

function changesName(fields: Reader, change: (path: string) => Promise<void>): Operation {
  const path = readPath(fields);
  return changes(() => change(path));
}

function changesTwoNames(fields: Reader, change: (first: string, second: string) => Promise<void>): Operation {
  const first = readPath(fields);
  const second = readPath(fields);
  return changes(() => change(first, second));
}

function changes(change: () => Promise<void>): Operation {
  return {
    footprint: CHANGES_NAMES,
    async run(id) {
      await change();
      return encodeOk(id);
    },
  };
}
