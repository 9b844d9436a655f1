import { dirname } from "node:path";
import { behindRelay } from "./behind-relay.js";
import type {
  BenchCase,
  ConnectCase,
  ForwardCase,
  IdleCase,
  Path,
  ProgramCase,
  SFTPCase,
  ThroughputCase,
} from "./cases.js";
import { commonKeyExchange, usualCipher } from "./cases.js";
import type { Login } from "./client.js";
import { startForwardTarget } from "./forward-target-process.js";
import { measureConnect, measureSFTPConnect } from "./measure/connect.js";
import { measureForward } from "./measure/forward.js";
import { measureIdle } from "./measure/idle.js";
import { measureProgram, type ProgramCost } from "./measure/program.js";
import { measureSFTP } from "./measure/sftp.js";
import { measureThroughput, type Throughput } from "./measure/throughput.js";
import { newerOpenSSH, type OpenSSH, systemOpenSSH } from "./openssh.js";
import type { BenchOptions } from "./options.js";
import { type ColumnName, Results, type Unit } from "./results.js";
import type { Contender, ContenderName } from "./servers/contender.js";
import { startNodeServer } from "./servers/node-server.js";
import { startSshd } from "./servers/sshd.js";
import { createSFTPFiles } from "./sftp-files.js";
import { createWorkspace, type Workspace } from "./workspace.js";

/** Connections before the first that counts. */
const warmUpConnects = 50;
/** sshd's processes take megabytes per connection: few connections show it as well as many. */
const sshdIdleConnections = 30;
/** Milliseconds of the long path. */
const longRoundTrip = 100;

/** A server that has served a while. */
interface WarmServer {
  readonly by: Readonly<Record<Path, Contender>>;
  /** CPU seconds that one connection costs it. */
  readonly connectSeconds: number;
}

/** One run: starts the servers, measures the cases in interleaved rounds, keeps what came out. */
export class Bench {
  readonly results = new Results();
  /** Descriptions of all that took part. */
  readonly contenders = new Set<string>();
  readonly #options: BenchOptions;
  readonly #programsFolder: string;
  readonly #workspace: Workspace;
  readonly #system = systemOpenSSH();
  readonly #newer = newerOpenSSH();

  /** @param programsFolder where the compiled programs are */
  constructor(options: BenchOptions, programsFolder: string) {
    this.#options = options;
    this.#programsFolder = programsFolder;
    this.#workspace = createWorkspace(options.transferBytes);
  }

  async run(cases: readonly BenchCase[]): Promise<void> {
    await this.#runTransfers(cases.filter((benchCase) => benchCase.kind === "throughput"));
    await this.#runForwards(cases.filter((benchCase) => benchCase.kind === "forward"));
    await this.#runSFTP(cases.filter((benchCase) => benchCase.kind === "sftp"));
    await this.#runPrograms(cases.filter((benchCase) => benchCase.kind === "program"));
    for (const benchCase of cases) {
      if (benchCase.kind === "connect") await this.#runConnects(benchCase);
      if (benchCase.kind === "idle") await this.#runIdle(benchCase);
    }
  }

  async #runTransfers(cases: readonly ThroughputCase[]): Promise<void> {
    const bytes = this.#options.transferBytes;
    const measure = ({ cipher, direction }: ThroughputCase, contender: Contender, connectSeconds: number) =>
      measureThroughput({ ...this.#usualLogin(contender), cipher }, direction, bytes, connectSeconds);
    await this.#onWarmServers(cases, measureConnect, measure, ({ name }, contender, result) => {
      this.#addThroughput(name, contender, result);
      if (contender === "sshd") {
        this.#add(name, "CPU s/GiB", "sshd + command", result.cpuSecondsPerGiB + result.commandSecondsPerGiB);
      }
    });
  }

  async #runForwards(cases: readonly ForwardCase[]): Promise<void> {
    if (cases.length === 0) return;
    const bytes = this.#options.transferBytes;
    const target = await startForwardTarget(this.#programsFolder, bytes);
    const measure = ({ direction }: ForwardCase, contender: Contender, connectSeconds: number) =>
      measureForward(this.#usualLogin(contender), direction, target, bytes, connectSeconds);
    await this.#onWarmServers(cases, measureConnect, measure, ({ name }, contender, result) =>
      this.#addThroughput(name, contender, result),
    );
    await target.stop();
  }

  async #runSFTP(cases: readonly SFTPCase[]): Promise<void> {
    if (cases.length === 0) return;
    const bytes = this.#options.transferBytes;
    createSFTPFiles(this.#workspace, bytes);
    this.contenders.add(`sftp: the files of both ends are in ${dirname(this.#workspace.servedFolder)}`);
    const measure = (benchCase: SFTPCase, contender: Contender, connectSeconds: number) =>
      measureSFTP(this.#usualLogin(contender), benchCase, connectSeconds);
    await this.#onWarmServers(cases, measureSFTPConnect, measure, (benchCase, contender, cost) => {
      const { name, operation } = benchCase;
      if (operation === "get" || operation === "put") {
        this.#add(name, "CPU s/GiB", contender, (cost.cpuSeconds / bytes) * 1024 ** 3);
        this.#add(name, "MB/s", contender, bytes / cost.seconds / 1e6);
      } else {
        this.#add(name, "CPU ms", contender, cost.cpuSeconds * 1000);
        this.#add(name, "ms", contender, cost.seconds * 1000);
      }
    });
  }

  async #runPrograms(cases: readonly ProgramCase[]): Promise<void> {
    const { transferBytes: bytes, connects } = this.#options;
    const measure = (benchCase: ProgramCase, contender: Contender) =>
      measureProgram(this.#usualLogin(contender), benchCase, bytes, connects);
    const report = ({ name, work }: ProgramCase, contender: ContenderName, cost: ProgramCost) => {
      if (work === "start") this.#add(name, "CPU ms", contender, cost.serverSeconds * 1000);
      else this.#add(name, "MB/s", contender, bytes / cost.seconds / 1e6);
    };
    // With ssh2, programs would be run by whoever writes the server.
    const contenders = this.#options.contenders.filter((name) => name !== "ssh2");
    await this.#onWarmServers(cases, measureConnect, measure, report, contenders);
  }

  /** Measures cases on servers that run already, and have done what the cases ask for, so that only work is measured. */
  async #onWarmServers<C extends { readonly path: Path }, R>(
    cases: readonly C[],
    connect: (login: Login, connects: number) => Promise<number>,
    measure: (benchCase: C, contender: Contender, connectSeconds: number) => Promise<R>,
    report: (benchCase: C, contender: ContenderName, result: R) => void,
    contenders: readonly ContenderName[] = this.#options.contenders,
  ): Promise<void> {
    if (cases.length === 0) return;
    const servers: WarmServer[] = [];
    for (const contender of await this.#startAll(contenders, this.#system)) {
      const login = this.#usualLogin(contender);
      if (warmsUp(contender)) await connect(login, warmUpConnects);
      const connectSeconds = await connect(login, this.#options.connects);
      const relayed = await behindRelay(contender, this.#programsFolder, longRoundTrip);
      servers.push({ by: { loopback: contender, "100 ms": relayed }, connectSeconds });
    }
    for (const benchCase of cases) {
      for (const { by } of servers) if (warmsUp(by.loopback)) await measure(benchCase, by.loopback, 0);
    }
    await this.#interleave(cases, servers, async (benchCase, { by, connectSeconds }) => {
      const contender = by[benchCase.path];
      report(benchCase, contender.name, await measure(benchCase, contender, connectSeconds));
    });
    for (const { by } of servers) await by["100 ms"].stop();
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
      if (warmsUp(contender)) await measureConnect(this.#login(contender, openssh, keyExchange), warmUpConnects);
    }
    await this.#interleave([benchCase], contenders, async ({ name }, contender) => {
      const login = this.#login(contender, openssh, keyExchange);
      const seconds = await measureConnect(login, this.#options.connects);
      this.#add(name, "CPU ms", contender.name, seconds * 1000);
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
      : startNodeServer(name, this.#programsFolder, this.#workspace));
    this.contenders.add(`${name}: ${contender.description}`);
    return contender;
  }

  #usualLogin(contender: Contender): Login {
    return this.#login(contender, this.#system, commonKeyExchange);
  }

  #login(contender: Contender, openssh: OpenSSH, keyExchange: string): Login {
    return { contender, openssh, workspace: this.#workspace, keyExchange, cipher: usualCipher };
  }

  #addThroughput(caseName: string, column: ColumnName, result: Omit<Throughput, "commandSecondsPerGiB">): void {
    this.#add(caseName, "CPU s/GiB", column, result.cpuSecondsPerGiB);
    this.#add(caseName, "MB/s", column, result.megabytesPerSecond);
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
