import type { FileSystemStatistics } from "../../../files/file-system.js";
import { encodeExtendedReply } from "../../codec/replies.js";
import { READS_NAMES, type RequestKind, readPath } from "./request.js";

// Room on the file system (OpenSSH PROTOCOL §4.4).

const FLAG_READ_ONLY = 1n;

export const statvfs: RequestKind = {
  name: "statvfs",
  read(fields, { tree }) {
    const path = readPath(fields);
    return { footprint: READS_NAMES, run: async (id) => encodeStatistics(id, await tree.statvfs(path)) };
  },
};

export const fstatvfs: RequestKind = {
  name: "fstatvfs",
  read(fields, { tree, handles }) {
    const { path } = handles.get(fields.readString());
    return { footprint: READS_NAMES, run: async (id) => encodeStatistics(id, await tree.statvfs(path)) };
  },
};

function encodeStatistics(id: number, statistics: FileSystemStatistics): Buffer {
  const { blockSize, blocks, freeBlocks, availableBlocks, files, freeFiles, availableFiles } = statistics;
  const counts = [blockSize, blockSize, blocks, freeBlocks, availableBlocks, files, freeFiles, availableFiles];
  return encodeExtendedReply(id, (writer) => {
    for (const count of counts) writer.writeUint64(BigInt(Math.max(0, Math.trunc(count))));
    writer.writeUint64(BigInt.asUintN(64, statistics.fileSystemId ?? 0n));
    writer.writeUint64(statistics.readOnly === true ? FLAG_READ_ONLY : 0n);
    writer.writeUint64(BigInt(statistics.maximumNameLength));
  });
}
