import { lstat } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { basename, dirname, resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import type { AcceptedConnections } from "../../forwarding/accept-connections.js";
import { type BoundSocket, bindSocket, removeIf } from "../../forwarding/stream-local/bind-socket.js";
import { holdOwnFile } from "../../forwarding/stream-local/held-file.js";
import { missingFolderProblem } from "../folder-problem.js";
import type { Place } from "./listen-address.js";

/** Milliseconds that a server which is there may take to accept a connection. */
const PROBE_TIME = 1000;

/**
 * Listens on a socket of the file system. A socket whose server has ended is replaced.
 *
 * @param open makes the server that listens
 * @throws {ConfigurationError} when a server listens there, or there is something else, or its folder is not there
 * @throws the system's error
 */
export async function bindOwnSocket(
  { path, mode, option }: Extract<Place, { readonly kind: "socket" }>,
  open: (address: { readonly path: string }, connections: AcceptedConnections) => Promise<Server>,
  connections: AcceptedConnections,
): Promise<BoundSocket> {
  // The working folder may be another one when the socket is removed.
  const place = resolve(path);
  const problem = await missingFolderProblem(dirname(place));
  if (problem !== undefined) throw new ConfigurationError(option, problem);
  await makeRoom(place, option);
  const folder = await holdOwnFile(dirname(place));
  return bindSocket(folder, basename(place), { mask: 0o777 & ~mode, existing: "kept" }, connections, open);
}

/** Removes the socket of a server that has ended. */
async function makeRoom(path: string, option: string): Promise<void> {
  const there = await lstat(path, { bigint: true }).catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (there === undefined) return;
  if (!there.isSocket()) throw new ConfigurationError(option, `${path} is there, and it is not a socket`);
  const answer = await probe(path);
  if (answer === "ENOENT") return;
  if (answer === "connected") throw new ConfigurationError(option, `another server listens on ${path}`);
  if (answer !== "ECONNREFUSED") {
    throw new ConfigurationError(option, `${path} is there, and may be another server's (${answer})`);
  }
  await removeIf(path, there);
}

/** Connects, to see whether somebody listens. Returns the code of the system's error if nobody does. */
function probe(path: string): Promise<string> {
  return new Promise((settle) => {
    const socket = connect(path);
    const timer = setTimeout(() => done("no answer"), PROBE_TIME);
    const done = (answer: string) => {
      clearTimeout(timer);
      socket.destroy();
      settle(answer);
    };
    socket.once("connect", () => done("connected"));
    socket.on("error", (error) => done(systemErrorCode(error) ?? error.message));
  });
}
