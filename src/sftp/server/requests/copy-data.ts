import { setImmediate } from "node:timers/promises";
import { readBytes } from "../../../files/read-bytes.js";
import { readSize } from "../../codec/attributes.js";
import { MAX_DATA_LENGTH, StatusCode } from "../../codec/constants.js";
import { returnPacketBuffer, takePacketBuffer } from "../../codec/packet-buffers.js";
import { encodeOk } from "../../codec/replies.js";
import { SFTPError } from "../../codec/sftp-error.js";
import { notOpenFor, type RequestKind } from "./request.js";

/** Copies from one open file to another, or within one, without the client (OpenSSH PROTOCOL §4.11). */
export const copyData: RequestKind = {
  name: "copy-data",
  read(fields, { handles, signal }) {
    const source = handles.getFile(fields.readString());
    const sourceStart = readSize(fields);
    const length = readSize(fields) || Number.POSITIVE_INFINITY;
    const target = handles.getFile(fields.readString());
    const targetStart = readSize(fields);
    if (!source.options.read) throw notOpenFor("reading");
    if (!target.options.write) throw notOpenFor("writing");
    const read = { identity: source.identity, access: "read", start: sourceStart, end: sourceStart + length } as const;
    const written = {
      identity: target.identity,
      access: "write",
      start: targetStart,
      end: targetStart + length,
    } as const;
    // Copying a part of a file over itself, or to an end that runs away from it, would never be done.
    const meets = read.start < written.end && written.start < read.end;
    if (read.identity === written.identity && (meets || target.options.append || length === Number.POSITIVE_INFINITY)) {
      throw new SFTPError(StatusCode.FAILURE, "The two parts overlap");
    }
    // What cannot be read is missing in the target.
    const readSource = async (block: Buffer, position: number) => {
      try {
        return await readBytes(source.handle, block, position);
      } catch (error) {
        return target.transfer.fail(error);
      }
    };
    return {
      footprint: { files: [read, written] },
      memory: MAX_DATA_LENGTH,
      async run(id) {
        const buffer = takePacketBuffer(MAX_DATA_LENGTH);
        try {
          for (let copied = 0; copied < length; ) {
            signal.throwIfAborted();
            const block = buffer.subarray(0, Math.min(MAX_DATA_LENGTH, length - copied));
            const count = await readSource(block, sourceStart + copied);
            if (count === 0) break;
            await target.transfer.write(block.subarray(0, count), targetStart + copied);
            copied += count;
            // A file system that never waits would let nobody else in.
            await setImmediate();
          }
        } finally {
          returnPacketBuffer(buffer);
        }
        return encodeOk(id);
      },
    };
  },
};
