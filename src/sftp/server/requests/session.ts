import { encodeName } from "../../../files/path.js";
import { Reader } from "../../../protocol/reader.js";
import { Writer } from "../../../protocol/writer.js";
import { MAX_DATA_LENGTH, MAX_PACKET_LENGTH, StatusCode } from "../../codec/constants.js";
import { encodeExtendedReply, encodePath } from "../../codec/replies.js";
import { SFTPError } from "../../codec/sftp-error.js";
import { READS_NAMES, type RequestKind, readPath } from "./request.js";

// Extensions about the session rather than about its files.

/** OpenSSH PROTOCOL §4.9 */
export const limits: RequestKind = {
  name: "limits",
  read(_fields, { maxOpenHandles }) {
    return {
      footprint: {},
      run: async (id) =>
        encodeExtendedReply(id, (writer) => {
          for (const limit of [MAX_PACKET_LENGTH, MAX_DATA_LENGTH, MAX_DATA_LENGTH, maxOpenHandles]) {
            writer.writeUint64(BigInt(limit));
          }
        }),
    };
  },
};

/** REALPATH that knows `~` (OpenSSH PROTOCOL §4.10). There are no homes of others here. */
export const expandPath: RequestKind = {
  name: "expand-path",
  read(fields, { tree, startDirectory }) {
    const path = readPath(fields);
    const [first = "", ...rest] = path.split("/");
    if (first.length > 1 && first.startsWith("~")) throw new SFTPError(StatusCode.FAILURE, "No such user");
    const expanded = first === "~" ? [startDirectory, ...rest].join("/") : path;
    return { footprint: READS_NAMES, run: async (id) => encodePath(id, await tree.realpath(expanded)) };
  },
};

/** The directory where relative paths start, whichever user the request names (OpenSSH PROTOCOL §4.12). */
export const homeDirectory: RequestKind = {
  name: "home-directory",
  read(fields, { tree, startDirectory }) {
    fields.readString();
    return { footprint: READS_NAMES, run: async (id) => encodePath(id, await tree.realpath(startDirectory)) };
  },
};

/** OpenSSH PROTOCOL §4.13 */
export const usersGroupsById: RequestKind = {
  name: "users-groups-by-id",
  read(fields, { ownerNames }) {
    const users = readIds(fields.readString());
    const groups = readIds(fields.readString());
    return {
      footprint: {},
      async run(id) {
        const userNames = packNames(users, await ownerNames.users(users));
        const groupNames = packNames(groups, await ownerNames.groups(groups));
        return encodeExtendedReply(id, (writer) => writer.writeString(userNames).writeString(groupNames));
      },
    };
  },
};

/** Ids that one request may ask for, of each kind: one directory has rarely as many owners. */
const MAX_IDS = 1024;

function readIds(packed: Buffer): number[] {
  if (packed.length > MAX_IDS * 4) throw new SFTPError(StatusCode.FAILURE, "Too many ids");
  const reader = new Reader(packed);
  const ids: number[] = [];
  while (reader.remaining > 0) ids.push(reader.readUint32());
  return ids;
}

/** Unknown ones are empty. */
function packNames(ids: readonly number[], names: readonly (string | undefined)[]): Buffer {
  const writer = new Writer();
  ids.forEach((_, index) => {
    writer.writeString(encodeName(names[index] ?? ""));
  });
  return writer.toBuffer();
}
