import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { TRIED_SSHS } from "../../support/clients.js";
import type { ServerFixture } from "../../support/server-fixture.js";
import { ExternalProcess, type ProcessResult, run } from "../../support/tools.js";

export const SSH_LOGIN = { user: "admin", keyType: "ed25519" } as const;

export type SshName = "ssh" | "ssh10";
export const SSH_NAMES: readonly SshName[] = TRIED_SSHS;

/** An `ssh` without a session, once it forwards; it can be told by `-O` to forward more, or less. */
export class SshForwards implements Disposable {
  readonly process: ExternalProcess;
  /** How to run ssh on its connection. */
  readonly command: readonly string[];

  private constructor(process: ExternalProcess, command: readonly string[]) {
    this.process = process;
    this.command = command;
  }

  /**
   * @param folder of its control socket
   * @param options of ssh, one at least of which has the server listen, so that its answer tells that ssh is ready
   */
  static async start(fixture: ServerFixture, client: SshName, folder: string, options: readonly string[]) {
    const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, SSH_LOGIN);
    const control = ["-S", join(await mkdtemp(join(folder, "control-")), "socket")];
    const settings = ["-v", "-M", "-N", "-o", "ExitOnForwardFailure=yes", ...options, "127.0.0.1"];
    const process = new ExternalProcess(program, [...parameters, ...control, ...settings], { environment });
    await process.untilOutput("all expected forwarding replies received");
    return new SshForwards(process, [program, ...control]);
  }

  /** The port that the server has chosen for `-R 0:…`. */
  get allocatedPort(): number {
    return Number(/Allocated port (\d+)/.exec(this.process.errorOutput)?.[1]);
  }

  control(command: "forward" | "cancel" | "exit", ...forwards: readonly string[]): Promise<ProcessResult> {
    const [program = "", ...options] = this.command;
    return run(program, [...options, "-O", command, ...forwards, "127.0.0.1"]);
  }

  /** By its control socket: ssh 9.2 does not notice a signal that comes just before it waits for something to happen. */
  async end(): Promise<void> {
    await this.control("exit");
    await this.process.finished;
  }

  [Symbol.dispose](): void {
    this.process.kill();
  }
}
