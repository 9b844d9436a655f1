import { resolve } from "node:path";
import type { Logger } from "pino";
import { type PKey, packetsSealedBy } from "../../crypto/index.js";
import { ConfigurationError, loadOrCreateHostKey, parseNetworks, SSHServerManager } from "../../index.js";
import { describeError, StartError, UsageError } from "../errors.js";
import { CommandServer } from "./command-server.js";
import { defaultHostKeyPath } from "./default-host-key.js";
import { declareForwarding } from "./forwarding.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./listen-options.js";
import { createLogger } from "./log.js";
import { Programs } from "./programs.js";
import type { ServeOptions } from "./serve-options.js";
import { ServedFolder } from "./served-folder.js";
import { formatStartReport, formatStartReportAsJson } from "./start-report.js";
import { loadUsers } from "./users.js";

/**
 * `spindlex serve`: runs until SIGINT, SIGTERM or SIGHUP.
 *
 * @throws {StartError | UsageError | ConfigurationError} when the server cannot start
 */
export async function serve(options: ServeOptions): Promise<void> {
  checkNetworks("--allow-from", options.allowFrom);
  checkNetworks("--deny-from", options.denyFrom);
  checkNetworks("--proxy-protocol-from", options.proxyProtocolFrom);
  const forwarding = declareForwarding(options.forwarding);
  const logger = createLogger({ level: options.logLevel, format: options.json ? "json" : "text" });
  const folder = await openFolder(options, logger);
  const hostKeys = await loadHostKeys(options, logger);
  const { users, example, password } = await loadUsers(options, logger);
  const { allowExec: commands, shell: shells } = options;
  const programs = commands || shells ? new Programs({ commands, shells, logger }) : undefined;
  process.once("exit", () => programs?.killAll());
  const manager = new SSHServerManager({
    serverInterface: new CommandServer({ users, logger, folder, programs, forwarding }),
    serverKeys: hostKeys,
    listen: options.listen ?? { host: DEFAULT_HOST, port: DEFAULT_PORT },
    logger,
    ...(options.allowFrom !== undefined && { allowFrom: options.allowFrom }),
    ...(options.denyFrom !== undefined && { denyFrom: options.denyFrom }),
    ...(options.proxyProtocolFrom !== undefined && { proxyProtocol: { from: options.proxyProtocolFrom } }),
  });
  await manager.startServer().catch(inTermsOfCommandLine);
  const stopped = stopSignal();
  const [fingerprint = "", ...otherFingerprints] = hostKeys.map((key) => key.fingerprint());
  const report = {
    addresses: manager.addresses,
    fingerprint,
    otherFingerprints,
    packetsSealedBy: packetsSealedBy(),
    user: example,
    ...(options.folder && { folder: { ...options.folder, path: resolve(options.folder.path) } }),
    ...(options.forwarding && { forwarding: options.forwarding }),
    ...(folder?.kind === "memory" && { trial: "hello" }),
    ...(password !== undefined && { password }),
  };
  process.stdout.write(options.json ? formatStartReportAsJson(report) : formatStartReport(report));

  logger.info({ signal: await stopped }, "stopping");
  await manager.stopServer();
  await Promise.all([programs?.ended(), folder?.ended()]);
  logger.info("stopped");
}

/** The option that the library names is not one of this command. */
function inTermsOfCommandLine(error: unknown): never {
  const isAboutAddress = error instanceof ConfigurationError && error.option.startsWith("listen");
  throw isAboutAddress ? new StartError(error.message.replace(`${error.option}: `, ""), { cause: error }) : error;
}

function checkNetworks(option: string, list: string | undefined): void {
  try {
    if (list !== undefined) parseNetworks(list);
  } catch (error) {
    throw new UsageError(`${option}: ${describeError(error)}`);
  }
}

/** Without a folder and without programs there is something to try both with. */
async function openFolder(options: ServeOptions, logger: Logger): Promise<ServedFolder | undefined> {
  if (options.folder !== undefined) return ServedFolder.open(options.folder, logger);
  return options.allowExec || options.shell ? undefined : ServedFolder.inMemory(logger);
}

async function loadHostKeys(options: ServeOptions, logger: Logger): Promise<readonly PKey[]> {
  const { SPINDLEX_HOST_KEY_PASSPHRASE: passphrase = "" } = process.env;
  const keys: PKey[] = [];
  for (const path of options.hostKeys ?? [defaultHostKeyPath(process.env)]) {
    const { key, created } = await loadOrCreateHostKey(path, passphrase === "" ? {} : { passphrase });
    if (created) logger.info({ path }, "host key created");
    keys.push(key);
  }
  return keys;
}

/** The signals that end the server; SIGHUP comes when its terminal is closed. */
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
