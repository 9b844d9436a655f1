import { createHash, getHashes, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { endFile } from "../../../files/end-file.js";
import { abortedBy, COMPLETED, type FileOutcome } from "../../../files/file-outcome.js";
import type { FileHandle } from "../../../files/file-system.js";
import { FOR_READING } from "../../../files/open-options.js";
import { readToHash } from "../../../files/uncounted-reads.js";
import type { Reader } from "../../../protocol/reader.js";
import { readSize } from "../../codec/attributes.js";
import { MAX_DATA_LENGTH, MAX_PACKET_LENGTH, StatusCode } from "../../codec/constants.js";
import { returnPacketBuffer, takePacketBuffer } from "../../codec/packet-buffers.js";
import { encodeExtendedReply } from "../../codec/replies.js";
import { SFTPError } from "../../codec/sftp-error.js";
import { notOpenFor, type Operation, READS_NAMES, type RequestContext, type RequestKind, readPath } from "./request.js";

// Hashes of files, made where the files are (draft-ietf-secsh-filexfer-extensions-00 §3).

const ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/** Smallest block that has a hash of its own, bytes. */
const MIN_BLOCK_LENGTH = 256;

/** Room for the other fields of the reply, bytes. */
const REPLY_HEAD_LENGTH = 64;

/** One at a time in each session: a hash of a large file keeps a disk and a processor busy for long. */
const ONE_AT_A_TIME = { alone: "check-file" };

export const checkFileHandle: RequestKind = { name: "check-file-handle", read: readCheckHandle };

/** The name that older clients have for it, paramiko among them. */
export const checkFile: RequestKind = { name: "check-file", read: readCheckHandle };

export const checkFileName: RequestKind = {
  name: "check-file-name",
  read(fields, { tree, signal }) {
    const path = readPath(fields);
    const range = readRange(fields);
    return {
      footprint: { ...READS_NAMES, ...ONE_AT_A_TIME },
      memory: MAX_DATA_LENGTH,
      async run(id) {
        const { handle } = await tree.open(path, FOR_READING);
        let outcome: FileOutcome = COMPLETED;
        try {
          return await reply(id, handle, range, signal);
        } catch (error) {
          outcome = abortedBy(error);
          throw error;
        } finally {
          await endFile(handle, outcome);
        }
      },
    };
  },
};

interface Range {
  readonly algorithm: string;
  readonly start: number;
  readonly end: number;
  readonly blockLength: number;
}

function readCheckHandle(fields: Reader, { handles, signal }: RequestContext): Operation {
  const { handle, options, identity } = handles.getFile(fields.readString());
  const range = readRange(fields);
  if (!options.read) throw notOpenFor("reading");
  const { start, end } = range;
  return {
    footprint: { files: [{ identity, access: "read", start, end }], ...ONE_AT_A_TIME },
    memory: MAX_DATA_LENGTH,
    run: (id) => reply(id, handle, range, signal),
  };
}

function readRange(fields: Reader): Range {
  const wanted = fields.readNameList();
  const start = readSize(fields);
  const length = readSize(fields) || Number.POSITIVE_INFINITY;
  const blockLength = fields.readUint32() || Number.POSITIVE_INFINITY;
  const available = new Set(getHashes());
  const algorithm = wanted.find((name) => ALGORITHMS.includes(name) && available.has(name));
  if (algorithm === undefined) throw new SFTPError(StatusCode.OP_UNSUPPORTED, "No known hash algorithm");
  if (blockLength < MIN_BLOCK_LENGTH) throw new SFTPError(StatusCode.FAILURE, "The block size is too small");
  return { algorithm, start, end: start + length, blockLength };
}

async function reply(id: number, handle: FileHandle, range: Range, signal: AbortSignal): Promise<Buffer> {
  const digests = await hashBlocks(handle, range, signal);
  return encodeExtendedReply(id, (writer) => {
    writer.writeString("check-file").writeString(range.algorithm);
    for (const digest of digests) writer.writeBytes(digest);
  });
}

async function hashBlocks(handle: FileHandle, { algorithm, start, end, blockLength }: Range, signal: AbortSignal) {
  const digests: Buffer[] = [];
  const finishBlock = (hash: Hash) => {
    digests.push(hash.digest());
    const replyLength = REPLY_HEAD_LENGTH + digests.length * (digests[0]?.length ?? 0);
    if (replyLength > MAX_PACKET_LENGTH) throw new SFTPError(StatusCode.FAILURE, "Too many blocks for one reply");
  };
  const buffer = takePacketBuffer(MAX_DATA_LENGTH);
  try {
    let hash = createHash(algorithm);
    let hashed = 0;
    for (let position = start; position < end; ) {
      signal.throwIfAborted();
      const wanted = Math.min(MAX_DATA_LENGTH, end - position, blockLength - hashed);
      const count = await readToHash(handle, buffer.subarray(0, wanted), position);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      position += count;
      hashed += count;
      if (hashed === blockLength) {
        finishBlock(hash);
        hash = createHash(algorithm);
        hashed = 0;
      }
      // A file system that never waits would let nobody else in.
      await setImmediate();
    }
    if (hashed > 0 || digests.length === 0) finishBlock(hash);
    return digests;
  } finally {
    returnPacketBuffer(buffer);
  }
}
