import { finished } from "node:stream/promises";
import type { Channel } from "../../../src/index.js";
import { createTerminal, type SessionTerminal } from "../../../src/session/terminal/session-terminal.js";
import { GuideServer } from "../../support/server.js";

/** A program on a terminal, as a session runs it. */
export type TerminalApp = (session: TerminalSession) => Promise<number | undefined> | Promise<void>;

export interface TerminalSession {
  readonly terminal: SessionTerminal;
  readonly signal: AbortSignal;
  /** Resolves with the next signal that is typed. */
  nextSignal(): Promise<string>;
}

/** Runs a program of its own for each command. */
export class TerminalServer extends GuideServer {
  readonly #apps: Readonly<Record<string, TerminalApp>>;
  /** What programs have thrown. */
  readonly errors: unknown[] = [];

  constructor(apps: Readonly<Record<string, TerminalApp>>) {
    super();
    this.#apps = apps;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string): boolean {
    return name === "COLORTERM";
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const app = this.#apps[command.toString()];
    if (app === undefined || channel.pty === undefined) return false;
    void this.#run(app, channel);
    return true;
  }

  async #run(app: TerminalApp, channel: Channel): Promise<void> {
    const waiting: ((name: string) => void)[] = [];
    const terminal = createTerminal(channel, { signal: (name) => waiting.shift()?.(name) });
    const nextSignal = () => new Promise<string>((resolve) => waiting.push(resolve));
    let status = 1;
    try {
      status = (await app({ terminal, signal: channel.signal, nextSignal })) ?? 0;
    } catch (error) {
      this.errors.push(error);
    }
    terminal.restore();
    terminal.output.end();
    await finished(terminal.output).catch(() => {});
    if (channel.signal.aborted) return;
    channel.sendExitStatus(status);
    channel.close();
  }
}
