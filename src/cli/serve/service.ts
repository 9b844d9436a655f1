import type { PKey } from "../../crypto/index.js";
import {
  loadHostKey,
  loadOrCreateHostKey,
  parseNetworks,
  type SSHServerManager,
  type SSHServerManagerOptions,
  type SystemdSocket,
} from "../../index.js";
import { describeError, UsageError } from "../errors.js";
import { CommandServer } from "./command-server.js";
import { defaultHostKeyPath } from "./default-host-key.js";
import { type DeclaredForwarding, declareForwarding } from "./forwarding.js";
import { type Log, withoutToldAlready } from "./log.js";
import { Programs } from "./programs.js";
import type { ServeOptions } from "./serve-options.js";
import { ServedFolder } from "./served-folder.js";
import { warnAtStart } from "./start-warnings.js";
import { type LoadedUsers, loadUsers } from "./users.js";

/** The parts of a service that stay as they are while it runs. */
interface Parts {
  readonly options: ServeOptions;
  readonly logger: Log;
  readonly forwarding: DeclaredForwarding;
  /** The folder that is served, with the rules of the start. */
  readonly folder: ServedFolder | undefined;
  readonly users: LoadedUsers;
  readonly programs: Programs | undefined;
}

/** What all processes of a server have in common. */
export interface Prepared {
  /** Of the user who has nothing else to log in with. */
  readonly password: string | undefined;
  /** Those that systemd has opened. */
  readonly sockets: readonly SystemdSocket[];
}

/** What a command line offers, with what stands in the files that it names. */
export class Service {
  /** Of the start. */
  readonly hostKeys: readonly PKey[];
  readonly #parts: Parts;

  /**
   * @param prepared what another process of the same server has made: then nothing is made here
   * @throws {StartError | UsageError | KeyError | UserFileError} when a part of the command line, or a file, cannot be used
   */
  static async load(options: ServeOptions, logger: Log, prepared?: Prepared): Promise<Service> {
    checkNetworks("--allow-from", options.allowFrom);
    checkNetworks("--deny-from", options.denyFrom);
    checkNetworks("--proxy-protocol-from", options.proxyProtocolFrom);
    const forwarding = declareForwarding(options.forwarding);
    const folder = await openFolder(options, logger);
    const makeHostKey = async (path: string, passphrase: { readonly passphrase?: string }) => {
      const { key, created } = await loadOrCreateHostKey(path, passphrase);
      if (created) logger.info({ path }, "host key created");
      return key;
    };
    const hostKeys = await loadHostKeys(options, prepared === undefined ? makeHostKey : loadHostKey);
    const users = await loadUsers(options, logger, prepared?.password);
    if (prepared === undefined) await warnAtStart(options, users, folder?.usersInRules, logger);
    const { allowExec: commands, shell: shells } = options;
    const programs = commands || shells ? new Programs({ commands, shells, logger }) : undefined;
    return new Service({ options, logger, forwarding, folder, users, programs }, hostKeys);
  }

  private constructor(parts: Parts, hostKeys: readonly PKey[]) {
    this.#parts = parts;
    this.hostKeys = hostKeys;
  }

  get users(): LoadedUsers {
    return this.#parts.users;
  }

  get folder(): ServedFolder | undefined {
    return this.#parts.folder;
  }

  /** The options of a manager, but for its addresses. */
  get managerOptions(): SSHServerManagerOptions {
    return this.#managerOptions(this.hostKeys, this.folder);
  }

  /**
   * Reads the files again, for connections that are to come.
   *
   * @throws {StartError | KeyError | UserFileError | ConfigurationError} when one cannot be used: the old settings stay in force
   */
  async reload(manager: SSHServerManager): Promise<void> {
    const { options, users } = this.#parts;
    const hostKeys = await loadHostKeys(options, loadHostKey);
    await users.load();
    const rules = options.folder?.rules;
    const folder = rules === undefined ? this.folder : await this.folder?.withRules(rules);
    await manager.reload(this.#managerOptions(hostKeys, folder));
  }

  /** Ends the programs that still run, without giving them a chance to refuse. */
  killPrograms(): void {
    this.#parts.programs?.killAll();
  }

  /** Resolves when no program runs and no session of files is left. */
  async ended(): Promise<void> {
    await Promise.all([this.#parts.programs?.ended(), this.folder?.ended()]);
  }

  #managerOptions(serverKeys: readonly PKey[], folder: ServedFolder | undefined): SSHServerManagerOptions {
    const { options, logger, forwarding, users, programs } = this.#parts;
    const { allowFrom, denyFrom, proxyProtocolFrom } = options;
    return {
      serverInterface: new CommandServer({ users: users.users, logger, folder, programs, forwarding }),
      serverKeys,
      logger: options.json ? logger : withoutToldAlready(logger),
      ...(allowFrom !== undefined && { allowFrom }),
      ...(denyFrom !== undefined && { denyFrom }),
      ...(proxyProtocolFrom !== undefined && { proxyProtocol: { from: proxyProtocolFrom } }),
    };
  }
}

function checkNetworks(option: string, list: string | undefined): void {
  try {
    if (list !== undefined) parseNetworks(list);
  } catch (error) {
    throw new UsageError(`${option}: ${describeError(error)}`);
  }
}

/** Without a folder and without programs there is something to try both with. */
async function openFolder(options: ServeOptions, logger: Log): Promise<ServedFolder | undefined> {
  if (options.folder !== undefined) return ServedFolder.open(options.folder, logger);
  return options.allowExec || options.shell ? undefined : ServedFolder.inMemory(logger);
}

async function loadHostKeys(
  { hostKeys = [defaultHostKeyPath(process.env)] }: ServeOptions,
  load: (path: string, options: { readonly passphrase?: string }) => Promise<PKey>,
): Promise<readonly PKey[]> {
  const { SPINDLEX_HOST_KEY_PASSPHRASE: passphrase = "" } = process.env;
  const keys: PKey[] = [];
  for (const path of hostKeys) keys.push(await load(path, passphrase === "" ? {} : { passphrase }));
  return keys;
}
