import { userInfo } from "node:os";
import type { Logger } from "pino";
import type { PKey } from "../crypto/index.js";
import { SSHServerManager } from "../index.js";
import { readAuthorizedKeys } from "./authorized-keys-file.js";
import type { ServeOptions } from "./command-line.js";
import { CommandServer, type Credentials } from "./command-server.js";
import { StartError } from "./errors.js";
import { defaultHostKeyPath, loadOrCreateHostKey } from "./host-key-file.js";
import { createLogger } from "./log.js";
import { currentAccount, Programs } from "./programs.js";
import { randomPassword } from "./secret.js";
import { formatStartReport, formatStartReportAsJson } from "./start-report.js";

/**
 * `spindlex serve`: runs until SIGINT, SIGTERM or SIGHUP.
 *
 * @throws {StartError | ConfigurationError} when the server cannot start
 */
export async function serve(options: ServeOptions): Promise<void> {
  const logger = createLogger({ level: options.logLevel, format: options.json ? "json" : "text" });
  const user = options.user ?? userInfo().username;
  const hostKey = await loadHostKey(options, logger);
  const credentials = await loadCredentials(options, logger);
  const programs = options.allowExec ? new Programs(currentAccount()) : undefined;
  process.once("exit", () => programs?.killAll());
  const manager = new SSHServerManager({
    serverInterface: new CommandServer({ user, credentials, logger, ...(programs && { programs }) }),
    serverKey: hostKey,
    bindAddress: options.host,
    port: options.port,
    logger,
  });
  await manager.startServer();
  const stopped = stopSignal();
  const report = {
    address: options.host,
    port: manager.port,
    fingerprint: hostKey.fingerprint(),
    user,
    ...(programs === undefined && { trial: "hello" }),
    ...(credentials.method === "password" && { password: credentials.password }),
  };
  process.stdout.write(options.json ? formatStartReportAsJson(report) : formatStartReport(report));

  logger.info({ signal: await stopped }, "stopping");
  await manager.stopServer();
  await programs?.ended();
  logger.info("stopped");
}

async function loadHostKey({ hostKey }: ServeOptions, logger: Logger): Promise<PKey> {
  const path = hostKey ?? defaultHostKeyPath(process.env);
  const { key, created } = await loadOrCreateHostKey(path, process.env.SPINDLEX_HOST_KEY_PASSPHRASE);
  if (created) logger.info({ path }, "host key created");
  return key;
}

async function loadCredentials({ authorizedKeys: path }: ServeOptions, logger: Logger): Promise<Credentials> {
  if (path === undefined) return { method: "password", password: randomPassword() };
  const { keys, refused } = await readAuthorizedKeys(path);
  for (const { line, reason } of refused) logger.warn({ path, line, reason }, "authorized key refused");
  if (keys.length === 0) throw new StartError(`${path} holds no key that can be used: nobody could log in`);
  return { method: "publickey", keys };
}

/** What ends the server; SIGHUP comes when its terminal is closed. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Resolves at the first signal that ends the server; a second one ends the process at once. */
async function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      for (const again of STOP_SIGNALS) process.off(again, stop).once(again, () => process.exit(1));
      resolve(signal);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
  });
}
