import type { MaybePromise } from "../../../base/maybe-promise.js";
import type { FileServerLogger } from "../../../files/file-server-options.js";
import type { GuardedFileSystem } from "../../../files/guarded-file-system.js";
import { decodePath } from "../../../files/path.js";
import type { TransferEvents } from "../../../files/transfer-events.js";
import type { Reader } from "../../../protocol/reader.js";
import { StatusCode } from "../../codec/constants.js";
import type { PooledPacket } from "../../codec/packet-buffers.js";
import { SFTPError } from "../../codec/sftp-error.js";
import type { HandleTable } from "../handle-table.js";
import type { OwnerNames } from "../owner-names.js";
import type { ReadAhead } from "../read-ahead.js";
import type { FileAccess, Footprint } from "../request-order.js";
import type { SymlinkOrder } from "../symlink-order.js";

/** The parts of a session that its requests work on. */
export interface RequestContext {
  readonly tree: GuardedFileSystem;
  readonly handles: HandleTable;
  readonly transfers: TransferEvents;
  readonly readAhead: ReadAhead;
  readonly ownerNames: OwnerNames;
  readonly startDirectory: string;
  readonly logger: FileServerLogger;
  readonly maxOpenHandles: number;
  /** The order in which the client sends the two paths of SYMLINK. */
  readonly symlinkOrder: SymlinkOrder;
  /** Fires when the session is over: what takes long should end. */
  readonly signal: AbortSignal;
}

/** A packet, whole. */
export type Reply = Buffer | PooledPacket;

/** A request that was read and waits for its turn. */
export interface Operation {
  readonly footprint: Footprint;
  /**
   * The line of its reply: those to requests with the same object here leave in the order of the requests. For reads and writes of one
   * handle: `scp` of OpenSSH before 9.4 cuts a file where a later part came first, and paramiko waits for ever where a
   * write was refused before an earlier one was done.
   */
  readonly replyLine?: object;
  /** Bytes of memory that it takes beside the request itself. */
  readonly memory?: number;
  /** Makes the reply. Whatever it throws is answered with a status. */
  run(id: number): MaybePromise<Reply>;
}

/** One kind of request. */
export interface RequestKind {
  /** As `sftp-server -Q requests` of OpenSSH has it. */
  readonly name: string;
  /**
   * Reads the fields behind the request id. Views of them may be kept until the operation has run. Bytes behind the
   * fields are dropped, as by sftp-server: rclone sends all of a buffer of which the data of WRITE is the beginning.
   *
   * @throws {ProtocolError} when the fields are malformed
   * @throws {SFTPError} when no client can mean them
   */
  read(fields: Reader, context: RequestContext): Operation;
}

/** Looks at names. */
export const READS_NAMES: Footprint = { names: "read" };
/** Changes what is in directories, or attributes. */
export const CHANGES_NAMES: Footprint = { names: "change" };
/** Changes the content of a file that is given by its name. */
export const CHANGES_CONTENT: Footprint = { names: "change-content" };

/** All of a file. */
export function whole(identity: string, access: FileAccess["access"]): FileAccess {
  return { identity, access, start: 0, end: Number.POSITIVE_INFINITY };
}

export function notOpenFor(purpose: "reading" | "writing"): SFTPError {
  return new SFTPError(StatusCode.PERMISSION_DENIED, `The file is not open for ${purpose}`);
}

export function readPath(fields: Reader): string {
  return decodePath(fields.readString());
}
