import type { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { parseSCPCommand } from "../../../src/scp/scp-command.js";
import { SCPServer } from "../../../src/scp/scp-server.js";
import { duplexPair } from "../../server/duplex-pair.js";
import { FileLogger, throwFirst } from "./files.js";

/**
 * Runs one command of scp on a tree, for a client that sends these chunks and ends.
 *
 * @returns what the server sent; `undefined` where it is not a command of scp
 */
export async function runSCP(command: Buffer, chunks: readonly Buffer[], fileSystem: MemoryFileSystem) {
  const parsed = parseSCPCommand(command);
  if (parsed === undefined) return undefined;
  const defects: unknown[] = [];
  const [near, far] = duplexPair();
  const received: Buffer[] = [];
  near.on("data", (chunk: Buffer) => received.push(chunk));
  near.on("error", () => {});
  const server = new SCPServer(far, parsed, { fileSystem, startDirectory: "/dir", logger: new FileLogger(defects) });
  for (const chunk of chunks) near.write(chunk);
  near.end();
  await server.closed;
  near.destroy();
  throwFirst(defects);
  return Buffer.concat(received);
}
