import { realpathSync, statSync } from "node:fs";
import { constants, type UserInfo, userInfo } from "node:os";
import { resolve } from "node:path";
import { finished } from "node:stream/promises";
import { isatty } from "node:tty";
import { audit, type FileSystem, LocalFileSystem, readOnly, requestNames, SFTPServer } from "../../sftp/index.js";
import { describeError, UsageError } from "../errors.js";
import { formatSFTPEvent } from "./sftp-event-line.js";
import { SFTPLog } from "./sftp-log.js";
import type { SFTPServerCommandOptions } from "./sftp-server-options.js";
import { StandardStreams } from "./standard-streams.js";

/**
 * The signals that end a session before its client does. SIGINT does not: at a terminal it is for the client that
 * started us.
 */
const STOP_SIGNALS = ["SIGTERM", "SIGHUP"] as const;

/**
 * `spindlex sftp-server`: one session on standard input and output, with all files of the user who runs it.
 *
 * @throws {UsageError} for the name of a request that does not exist
 */
export async function sftpServer(options: SFTPServerCommandOptions): Promise<void> {
  const deniedRequests = findDeniedRequests(options);
  if (options.umask !== undefined) process.umask(options.umask);
  const log = SFTPLog.open(options);
  const user = userInfo();
  const stream = StandardStreams.ofProcess();
  const server = new SFTPServer(stream, {
    fileSystem: filesFor(options, log),
    startDirectory: findStartDirectory(options, user, log),
    deniedRequests,
    logger: {
      debug: (fields, message) => log.writeFailure("debug", message, fields),
      warn: (fields, message) => log.writeFailure("err", message, fields),
    },
  });
  stopAtSignal(stream);
  const who = `for local user ${user.username} from [${clientAddress()}]`;
  log.write("info", `session opened ${who}`);
  await server.closed;
  // Nobody needs to hear whether all of the last reply got out.
  await finished(stream, { readable: false }).catch(() => {});
  stream.destroy();
  log.write("info", `session closed ${who}`);
  log.close();
  process.exitCode ??= stream.exitStatus ?? 1;
}

/** As sftp-server(8) has it: a request on neither list is denied if there is a list of those permitted. */
function findDeniedRequests({ deniedRequests, permittedRequests }: SFTPServerCommandOptions): readonly string[] {
  for (const name of [...deniedRequests, ...(permittedRequests ?? [])]) {
    if (requestNames.includes(name)) continue;
    throw new UsageError(`the request '${name}' does not exist (see spindlex sftp-server -Q requests)`);
  }
  if (permittedRequests === undefined) return deniedRequests;
  return requestNames.filter((name) => deniedRequests.includes(name) || !permittedRequests.includes(name));
}

function filesFor(options: SFTPServerCommandOptions, log: SFTPLog): FileSystem {
  const files = options.readOnly ? readOnly(new LocalFileSystem("/")) : new LocalFileSystem("/");
  if (!log.takes("info")) return files;
  return audit(files, { record: (event) => log.write("info", formatSFTPEvent(event)) });
}

/** Like OpenSSH's, the server runs where it was started if the directory that was asked for cannot be used. */
function findStartDirectory(
  { startDirectory }: SFTPServerCommandOptions,
  user: UserInfo<string>,
  log: SFTPLog,
): string {
  if (startDirectory === undefined) return process.cwd();
  const tokens: Readonly<Record<string, string>> = { "%%": "%", "%d": user.homedir, "%u": user.username };
  const path = resolve(startDirectory.replaceAll(/%[%du]/g, (token) => tokens[token] ?? token));
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
    log.write("err", `start directory "${path}" is not a directory`);
  } catch (error) {
    log.write("err", `start directory "${path}" cannot be used: ${describeError(error)}`);
  }
  return process.cwd();
}

function stopAtSignal(stream: StandardStreams): void {
  for (const signal of STOP_SIGNALS) {
    process.once(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      stream.destroy();
    });
  }
  if (!isatty(0)) process.on("SIGINT", () => {});
}

/** The address of the client of the sshd that started us (ssh(1)). */
function clientAddress(): string {
  return process.env.SSH_CONNECTION?.split(" ", 1).join("") ?? "UNKNOWN";
}
