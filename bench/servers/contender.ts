/** The servers that are compared, in the order of each round. */
export const contenderNames = ["spindlex", "ssh2", "sshd"] as const;
export type ContenderName = (typeof contenderNames)[number];

/** What an echoing command says first: what is sent before that, a terminal may echo itself. */
export const echoIsReady = "R";

/** On a terminal that passes every byte at once and echoes none. */
export const rawTerminalEcho = `stty raw -echo; printf ${echoIsReady}; cat`;

export interface CpuUsage {
  /** Seconds of the SSH server itself. */
  readonly server: number;
  /** Seconds of the programs it ran for its clients; 0 for servers that answer commands themselves. */
  readonly commands: number;
}

/** A running server, whichever it is, as the measurements see it. */
export interface Contender {
  readonly name: ContenderName;
  /** Versions, and what makes a difference to its speed. */
  readonly description: string;
  readonly port: number;
  /** A command that writes so many bytes and exits 0. */
  outputCommand(bytes: number): string;
  /** The same, by writes of 1 KiB. */
  smallOutputCommand(bytes: number): string;
  /** A command that waits for a line, writes so many bytes, and waits for another. */
  laterOutputCommand(bytes: number): string;
  /** A command that says `echoIsReady`, and then sends back what comes until the end. */
  echoCommand(): string;
  /** A program of the machine that does the same on a terminal. */
  terminalEchoCommand(): string;
  /** A command that reads to the end, prints a line that contains the number of bytes, and exits 0. */
  inputCommand(): string;
  /** A command that has a program of the machine write so many bytes; with 0 it only starts and ends. */
  programCommand(bytes: number): string;
  /** CPU used since the server was started, for connections that are closed by now. */
  cpu(): Promise<CpuUsage>;
  /** CPU seconds used since then with those of the commands, for connections that are still open, too. */
  runningCpuSeconds(): Promise<number>;
  /** KiB of memory the server holds now: only differences between two values mean something. */
  memoryKiB(): Promise<number>;
  stop(): Promise<void>;
}
