import type { BenchCase, ConnectCase, IdleCase, ThroughputCase } from "./cases.js";
import { commonKeyExchange } from "./cases.js";
import type { Session } from "./client.js";
import { measureConnect } from "./measure/connect.js";
import { measureIdle } from "./measure/idle.js";
import { measureThroughput } from "./measure/throughput.js";
import { newerOpenSSH, type OpenSSH, systemOpenSSH } from "./openssh.js";
import type { BenchOptions } from "./options.js";
import { type ColumnName, Results, type Unit } from "./results.js";
import type { Contender, ContenderName } from "./servers/contender.js";
import { startNodeServer } from "./servers/node-server.js";
import { startSshd } from "./servers/sshd.js";
import { createWorkspace, type Workspace } from "./workspace.js";

/** Connections before the first that counts. */
const warmUpConnects = 50;
/** sshd's processes take megabytes per connection: few connections show it as well as many. */
const sshdIdleConnections = 30;
/** Where the cipher is not what is measured. */
const usualCipher = "aes128-gcm@openssh.com";

/** One run: starts the servers, measures the cases in interleaved rounds, keeps what came out. */
export class Bench {
  readonly results = new Results();
  /** Descriptions of all servers that took part. */
  readonly contenders = new Set<string>();
  readonly #options: BenchOptions;
  readonly #serversFolder: string;
  readonly #workspace: Workspace;
  readonly #system = systemOpenSSH();
  readonly #newer = newerOpenSSH();

  /** @param serversFolder where the compiled Node.js servers are */
  constructor(options: BenchOptions, serversFolder: string) {
    this.#options = options;
    this.#serversFolder = serversFolder;
    this.#workspace = createWorkspace(options.transferBytes);
  }

  async run(cases: readonly BenchCase[]): Promise<void> {
    await this.#runTransfers(cases.filter((benchCase) => benchCase.kind === "throughput"));
    for (const benchCase of cases) {
      if (benchCase.kind === "connect") await this.#runConnects(benchCase);
      if (benchCase.kind === "idle") await this.#runIdle(benchCase);
    }
  }

  async #runTransfers(cases: readonly ThroughputCase[]): Promise<void> {
    if (cases.length === 0) return;
    const bytes = this.#options.transferBytes;
    const servers: { contender: Contender; connectSeconds: number }[] = [];
    for (const contender of await this.#startAll(this.#options.contenders, this.#system)) {
      const session = this.#session(contender, this.#system, commonKeyExchange);
      await this.#warmUp(session);
      servers.push({ contender, connectSeconds: (await measureConnect(session, this.#options.connects)) / 1000 });
    }
    const measure = (
      { cipher, direction }: ThroughputCase,
      { contender, connectSeconds }: (typeof servers)[number],
    ) => {
      const session = { ...this.#session(contender, this.#system, commonKeyExchange), cipher };
      return measureThroughput(session, direction, bytes, connectSeconds);
    };
    for (const benchCase of cases) {
      for (const server of servers) if (warmsUp(server.contender)) await measure(benchCase, server);
    }
    await this.#interleave(cases, servers, async (benchCase, server) => {
      const result = await measure(benchCase, server);
      const { name } = benchCase;
      const { contender } = server;
      this.#add(name, "CPU s/GiB", contender.name, result.cpuSecondsPerGiB);
      this.#add(name, "MB/s", contender.name, result.megabytesPerSecond);
      if (contender.name === "sshd") {
        this.#add(name, "CPU s/GiB", "sshd + command", result.cpuSecondsPerGiB + result.commandSecondsPerGiB);
      }
    });
    for (const { contender } of servers) await contender.stop();
  }

  async #runConnects(benchCase: ConnectCase): Promise<void> {
    const { keyExchange } = benchCase;
    const openssh = [this.#system, this.#newer].find((installed) => installed?.keyExchanges.has(keyExchange));
    if (openssh === undefined) {
      log(`${benchCase.name}: no ssh here knows it, left out`);
      return;
    }
    // A client may be installed without its server, and ssh2 knows no post-quantum exchange.
    const knows = { spindlex: true, ssh2: keyExchange === commonKeyExchange, sshd: openssh.server !== undefined };
    const contenders = await this.#startAll(
      this.#options.contenders.filter((name) => knows[name]),
      openssh,
    );
    for (const contender of contenders) {
      await this.#warmUp(this.#session(contender, openssh, keyExchange));
    }
    await this.#interleave([benchCase], contenders, async ({ name }, contender) => {
      const session = this.#session(contender, openssh, keyExchange);
      this.#add(name, "CPU ms", contender.name, await measureConnect(session, this.#options.connects));
    });
    for (const contender of contenders) await contender.stop();
  }

  async #runIdle(benchCase: IdleCase): Promise<void> {
    await this.#interleave([benchCase], this.#options.contenders, async ({ name }, contenderName) => {
      const contender = await this.#start(contenderName, this.#system);
      const connections = contenderName === "sshd" ? sshdIdleConnections : this.#options.idleConnections;
      this.#add(name, "KiB", contender.name, await measureIdle(contender, this.#workspace, connections));
      await contender.stop();
    });
  }

  /** In rounds, so that whatever else the machine does meets all contenders alike. */
  async #interleave<C, S>(cases: readonly C[], servers: readonly S[], measure: (one: C, server: S) => Promise<void>) {
    for (let round = 0; round < this.#options.rounds; round++) {
      for (const one of cases) {
        for (const server of servers) await measure(one, server);
      }
    }
  }

  async #startAll(names: readonly ContenderName[], openssh: OpenSSH): Promise<Contender[]> {
    const contenders: Contender[] = [];
    for (const name of names) contenders.push(await this.#start(name, openssh));
    return contenders;
  }

  async #start(name: ContenderName, openssh: OpenSSH): Promise<Contender> {
    const contender = await (name === "sshd"
      ? startSshd(openssh, this.#workspace)
      : startNodeServer(name, this.#serversFolder, this.#workspace));
    this.contenders.add(`${name}: ${contender.description}`);
    return contender;
  }

  async #warmUp(session: Omit<Session, "command">): Promise<void> {
    if (warmsUp(session.contender)) await measureConnect(session, warmUpConnects);
  }

  #session(contender: Contender, openssh: OpenSSH, keyExchange: string) {
    return { contender, openssh, workspace: this.#workspace, keyExchange, cipher: usualCipher };
  }

  #add(caseName: string, unit: Unit, column: ColumnName, value: number): void {
    this.results.add(caseName, unit, column, value);
    log(`${caseName}  ${column}  ${value.toFixed(2)} ${unit}`);
  }
}

/** Node.js compiles what it runs often; sshd starts a process for each connection, the last like the first. */
function warmsUp(contender: Contender): boolean {
  return contender.name !== "sshd";
}

/** Progress: the table alone goes to standard output. */
function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
