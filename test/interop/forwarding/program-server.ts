import { spawn } from "node:child_process";
import type { Channel, ForwardingOptions } from "../../../src/index.js";
import { SFTPServer } from "../../../src/sftp/index.js";
import { ForwardingServer } from "./forwarding-server.js";

/** Forwards, runs what clients ask for as programs of this machine without a terminal, and serves a folder by SFTP. */
export class ProgramServer extends ForwardingServer {
  readonly #home: string;

  /** @param home where programs start, and what SFTP serves */
  constructor(home: string, forwarding?: ForwardingOptions) {
    super(forwarding);
    this.#home = home;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): true {
    this.#run(channel, ["-c", `${command}`]);
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    this.#run(channel, []);
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: this.#home });
    return true;
  }

  #run(channel: Channel, parameters: readonly string[]): void {
    this.#start(channel, parameters).catch((error) => channel.destroy(error));
  }

  async #start(channel: Channel, parameters: readonly string[]): Promise<void> {
    await channel.agent?.listen();
    const variables = [...channel.environment].map(([name, value]) => [name, `${value}`]);
    // Told that it is the inner of two, bash does not read the user's .bashrc for each command.
    const env = { PATH: process.env.PATH, HOME: this.#home, SHLVL: "1", ...Object.fromEntries(variables) };
    const program = spawn("bash", parameters, { cwd: this.#home, env, signal: channel.signal });
    // The channel is gone, or the program has heard enough.
    for (const stream of [program, program.stdin]) stream.on("error", () => {});
    channel.pipe(program.stdin);
    program.stdout.pipe(channel, { end: false });
    program.stderr.pipe(channel.stderr, { end: false });
    program.on("close", (code) => {
      channel.sendExitStatus(code ?? 255);
      channel.close();
    });
  }
}
