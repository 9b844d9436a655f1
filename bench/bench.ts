import { dirname } from "node:path";
import { behindRelay } from "./behind-relay.js";
import type {
  BenchCase,
  ConnectCase,
  CrowdCase,
  EchoCase,
  ForwardCase,
  IdleCase,
  Path,
  ProgramCase,
  ScaleCase,
  SFTPCase,
  ThroughputCase,
} from "./cases.js";
import { commonKeyExchange, usualCipher } from "./cases.js";
import { startForwardTarget } from "./forward-target-process.js";
import type { Login } from "./login.js";
import { measureConnect, measureSFTPConnect } from "./measure/connect.js";
import { measureCrowd } from "./measure/crowd.js";
import { type EchoResult, measureEcho } from "./measure/echo.js";
import { measureForward } from "./measure/forward.js";
import { measureIdle } from "./measure/idle.js";
import { measureProgram, type ProgramCost } from "./measure/program.js";
import { measureScale } from "./measure/scale.js";
import { measureSFTP } from "./measure/sftp.js";
import { measureThroughput, type Throughput } from "./measure/throughput.js";
import { newerOpenSSH, type OpenSSH, systemOpenSSH } from "./openssh.js";
import type { BenchOptions } from "./options.js";
import { type ColumnName, Results, type Unit } from "./results.js";
import { showInMemory, takesPart } from "./scale-cases.js";
import type { Contender, ContenderName, CpuUsage } from "./servers/contender.js";
import { startNodeServer } from "./servers/node-server.js";
import { startSshd } from "./servers/sshd.js";
import { createSFTPFiles } from "./sftp-files.js";
import { createWorkspace, type Identity, type Workspace } from "./workspace.js";

/** How often each case runs before it counts: V8 compiles code anew until it has run for some gigabytes. */
const warmUpRuns = 3;
/** sshd's processes take megabytes per connection: few connections show it as well as many. */
const sshdIdleConnections = 30;
/** A write costs more than its bytes: this part of a transfer is enough of them. */
const smallOutputPart = 4;
/** Each client of a crowd gets this part of a transfer. */
const crowdPart = 4;
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
    await this.#runCrowds(cases.filter((benchCase) => benchCase.kind === "crowd"));
    await this.#runEchoes(cases.filter((benchCase) => benchCase.kind === "echo"));
    await this.#runForwards(cases.filter((benchCase) => benchCase.kind === "forward"));
    await this.#runSFTP(cases.filter((benchCase) => benchCase.kind === "sftp"));
    await this.#runPrograms(cases.filter((benchCase) => benchCase.kind === "program"));
    for (const benchCase of cases) {
      if (benchCase.kind === "connect") await this.#runConnects(benchCase);
      if (benchCase.kind === "idle") await this.#runIdle(benchCase);
    }
    await this.#runScale(cases.filter((benchCase) => benchCase.kind === "scale"));
  }

  async #runTransfers(cases: readonly ThroughputCase[]): Promise<void> {
    const { transferBytes } = this.#options;
    const measure = ({ cipher, transfer }: ThroughputCase, contender: Contender, connectSeconds: number) => {
      const bytes = transfer === "small output" ? transferBytes / smallOutputPart : transferBytes;
      return measureThroughput({ ...this.#usualLogin(contender), cipher }, transfer, bytes, connectSeconds);
    };
    await this.#onWarmServers(cases, measureConnect, measure, ({ name }, contender, result) =>
      this.#addThroughput(name, contender, result),
    );
  }

  async #runCrowds(cases: readonly CrowdCase[]): Promise<void> {
    const { transferBytes } = this.#options;
    const measure = ({ clients, compression }: CrowdCase, contender: Contender, connectSeconds: number) => {
      const login = { ...this.#usualLogin(contender), compression };
      return measureCrowd(login, clients, transferBytes / crowdPart, connectSeconds);
    };
    await this.#onWarmServers(cases, measureConnect, measure, ({ name }, contender, result) =>
      this.#addThroughput(name, contender, result),
    );
  }

  async #runEchoes(cases: readonly EchoCase[]): Promise<void> {
    const measure = (benchCase: EchoCase, contender: Contender) =>
      measureEcho(this.#usualLogin(contender), benchCase, this.#options.echoes, this.#programsFolder);
    const report = ({ name }: EchoCase, contender: ContenderName, result: EchoResult) => {
      this.#add(name, "µs median", contender, result.median);
      this.#add(name, "µs 99th", contender, result.percentile99);
      if (result.megabytesPerSecond !== undefined) this.#add(name, "MB/s", contender, result.megabytesPerSecond);
    };
    await this.#onWarmServers(
      cases.filter(({ on }) => on === "pipes"),
      measureConnect,
      measure,
      report,
    );
    const terminals = cases.filter(({ on }) => on === "terminal");
    await this.#onWarmServers(terminals, measureConnect, measure, report, this.#programContenders());
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
    const warm = cases.filter(({ server }) => server === "warm");
    await this.#onWarmServers(warm, measureSFTPConnect, measure, ({ name, operation }, contender, cost) => {
      if (operation === "get" || operation === "put") {
        this.#add(name, "CPU s/GiB", contender, (cost.cpuSeconds / bytes) * 1024 ** 3);
        this.#add(name, "MB/s", contender, bytes / cost.seconds / 1e6);
      } else {
        this.#add(name, "CPU ms", contender, cost.cpuSeconds * 1000);
        this.#add(name, "ms", contender, cost.seconds * 1000);
      }
    });
    const cold = cases.filter(({ server }) => server === "cold");
    await this.#interleave(cold, this.#options.contenders, async (benchCase, contenderName) => {
      const contender = await this.#start(contenderName, this.#system);
      const { seconds } = await measure(benchCase, contender, 0);
      this.#add(benchCase.name, "ms", contenderName, seconds * 1000);
      await contender.stop();
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
    await this.#onWarmServers(cases, measureConnect, measure, report, this.#programContenders());
  }

  /** With ssh2, programs would be run by code of the server's author. */
  #programContenders(): readonly ContenderName[] {
    return this.#options.contenders.filter((name) => name !== "ssh2");
  }

  /** Measures cases on servers that run already, and have done what the cases ask for, so that only work is measured. */
  async #onWarmServers<C extends { readonly path: Path }, R>(
    cases: readonly C[],
    connect: (login: Login, connects: number) => Promise<CpuUsage>,
    measure: (benchCase: C, contender: Contender, connectSeconds: number) => Promise<R>,
    report: (benchCase: C, contender: ContenderName, result: R) => void,
    contenders: readonly ContenderName[] = this.#options.contenders,
  ): Promise<void> {
    if (cases.length === 0) return;
    const servers: WarmServer[] = [];
    for (const contender of await this.#startAll(contenders, this.#system)) {
      const login = this.#usualLogin(contender);
      if (warmsUp(contender)) await connect(login, this.#warmUpConnects());
      const { server: connectSeconds } = await connect(login, this.#options.connects);
      const relayed = await behindRelay(contender, this.#programsFolder, longRoundTrip);
      servers.push({ by: { loopback: contender, "100 ms": relayed }, connectSeconds });
    }
    for (let run = 0; run < warmUpRuns; run++) {
      for (const benchCase of cases) {
        for (const { by } of servers) if (warmsUp(by.loopback)) await measure(benchCase, by.loopback, 0);
      }
    }
    const measureOne = async (benchCase: C, { by, connectSeconds }: WarmServer) => {
      const contender = by[benchCase.path];
      report(benchCase, contender.name, await measure(benchCase, contender, connectSeconds));
    };
    const isNear = ({ path }: C) => path === "loopback";
    await this.#interleave(cases.filter(isNear), servers, measureOne);
    // Windows decide here, and they are always the same; a round takes minutes.
    await this.#interleave(
      cases.filter((benchCase) => !isNear(benchCase)),
      servers,
      measureOne,
      1,
    );
    for (const { by } of servers) await by["100 ms"].stop();
  }

  async #runConnects(benchCase: ConnectCase): Promise<void> {
    const { keyExchange, clients } = benchCase;
    const openssh = [this.#system, this.#newer].find((installed) => installed?.keyExchanges.has(keyExchange));
    if (openssh === undefined) {
      log(`${benchCase.name}: no ssh here knows it, left out`);
      return;
    }
    const identity = benchCase.identity && this.#workspace.identities[benchCase.identity];
    // A client may be installed without its server; ssh2 knows no post-quantum exchange and no certificate, and OpenSSH does
    // not read rsa-sha2-512 in its list of algorithms, where a comma is missing.
    const knownToSsh2 = keyExchange === commonKeyExchange && [undefined, "rsa-sha2-256"].includes(identity?.algorithm);
    const knows = { spindlex: true, ssh2: knownToSsh2, sshd: openssh.server !== undefined };
    const contenders = await this.#startAll(
      this.#options.contenders.filter((name) => knows[name]),
      openssh,
    );
    const login = (contender: Contender) => this.#login(contender, openssh, keyExchange, identity);
    for (const contender of contenders) {
      if (warmsUp(contender)) await measureConnect(login(contender), this.#warmUpConnects(), clients);
    }
    await this.#interleave([benchCase], contenders, async ({ name }, contender) => {
      const { server, commands } = await measureConnect(login(contender), this.#options.connects, clients);
      this.#add(name, "CPU ms", contender.name, server * 1000);
      if (contender.name === "sshd") this.#add(name, "CPU ms", "sshd + command", (server + commands) * 1000);
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

  async #runScale(cases: readonly ScaleCase[]): Promise<void> {
    const { transferBytes, contenders } = this.#options;
    await this.#interleave(cases, contenders, async (scaleCase, contenderName) => {
      if (!takesPart(contenderName, scaleCase)) return;
      const { name, connections, channels } = scaleCase;
      const contender = await this.#start(contenderName, this.#system);
      const cost = await measureScale(contender, this.#workspace, scaleCase, transferBytes, this.#programsFolder);
      await contender.stop();
      // What sshd starts for a channel cannot be told apart while it runs.
      const column = contenderName === "sshd" ? "sshd + command" : contenderName;
      this.#add(name, "CPU ms", contenderName, cost.connectSeconds * 1000);
      this.#add(name, "CPU s/GiB", column, (cost.transferSeconds / transferBytes) * 1024 ** 3);
      if (showInMemory(contenderName, connections))
        this.#add(name, "KiB/connection", contenderName, cost.connectionKiB);
      if (showInMemory(contenderName, connections * channels)) this.#add(name, "KiB/channel", column, cost.channelKiB);
    });
  }

  /** Each worker has seen as many as a process by itself, which has compiled its code then. */
  #warmUpConnects(): number {
    return this.#options.warmUpConnects * Math.max(1, this.#options.workers);
  }

  /** In rounds, so that whatever else the machine does meets all contenders alike. */
  async #interleave<C, S>(
    cases: readonly C[],
    servers: readonly S[],
    measure: (one: C, server: S) => Promise<void>,
    rounds = this.#options.rounds,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++) {
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
      : startNodeServer(name, this.#programsFolder, this.#workspace, this.#options.workers));
    this.contenders.add(`${name}: ${contender.description}`);
    return contender;
  }

  #usualLogin(contender: Contender): Login {
    return this.#login(contender, this.#system, commonKeyExchange);
  }

  #login(contender: Contender, openssh: OpenSSH, keyExchange: string, identity?: Identity): Login {
    const login = { contender, openssh, workspace: this.#workspace, keyExchange, cipher: usualCipher };
    return identity === undefined ? login : { ...login, identity };
  }

  #addThroughput(caseName: string, column: ContenderName, result: Throughput): void {
    this.#add(caseName, "CPU s/GiB", column, result.cpuSecondsPerGiB);
    this.#add(caseName, "MB/s", column, result.megabytesPerSecond);
    if (column === "sshd" && result.commandSecondsPerGiB > 0) {
      this.#add(caseName, "CPU s/GiB", "sshd + command", result.cpuSecondsPerGiB + result.commandSecondsPerGiB);
    }
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
