import type { GuardedFileSystem } from "../files/guarded-file-system.js";
import type { TransferEvents } from "../files/transfer-events.js";
import type { Locator } from "./locator.js";
import type { SCPPeer } from "./peer.js";
import type { SCPCommand } from "./scp-command.js";

/** The objects that a sink and a source work with. */
export interface SCPSession {
  readonly command: SCPCommand;
  /** Canonical. */
  readonly startDirectory: string;
  readonly peer: SCPPeer;
  readonly tree: GuardedFileSystem;
  readonly locator: Locator;
  readonly transfers: TransferEvents;
}

/** Directories in each other, in one transfer. */
export const MAX_DEPTH = 256;

/** Bytes that are read or written at once. */
export const BLOCK_LENGTH = 256 * 1024;
