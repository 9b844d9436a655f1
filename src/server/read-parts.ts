import { setImmediate as nextTurn } from "node:timers/promises";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { ZStream } from "pako";
import { GuardedFileSystem } from "../files/guarded-file-system.js";
import { TRANSLATED } from "../forwarding/tcp/special-networks.js";
import { Pty } from "../process/terminal/pseudo-terminal.js";
import { SCPSink } from "../scp/sink.js";
import { SFTPSession } from "../sftp/server/sftp-session.js";

/** To name something of a part of the package is to read it, where it has parts: `packaging/parts.mjs`. */
const PARTS: readonly (() => unknown)[] = [
  () => ml_kem768,
  () => GuardedFileSystem,
  () => TRANSLATED,
  () => SFTPSession,
  () => SCPSink,
  () => Pty,
  () => ZStream,
];

/**
 * Reads the parts of the package that its first use by a client would read, each in a turn of its own: the package may be replaced
 * below a server that runs.
 */
export async function readParts(): Promise<void> {
  for (const read of PARTS) {
    await nextTurn();
    read();
  }
}
