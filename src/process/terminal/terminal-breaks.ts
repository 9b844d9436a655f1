import type { ChildProcess } from "node:child_process";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { ProcessGroup } from "../process-group.js";
import type { Pty } from "./pseudo-terminal.js";
import { stty } from "./stty.js";

/** What programs read for a break where the terminal makes no signal of it (termios(3)). */
const BREAK = Buffer.from([0]);
const MARKED_BREAK = Buffer.from([0xff, 0, 0]);

/** Breaks on a terminal. Its settings decide what becomes of one, as on a serial line. */
export class TerminalBreaks {
  readonly #pty: Pty;
  readonly #leader: ChildProcess;
  #isAsking = false;

  /** @param leader the program whose session the terminal belongs to */
  constructor(pty: Pty, leader: ChildProcess) {
    this.#pty = pty;
    this.#leader = leader;
  }

  /** One that comes before the last was dealt with is part of it. */
  send(): void {
    if (this.#isAsking || !this.#pty.output.isOpen) return;
    this.#isAsking = true;
    void readSettings(this.#pty.path).then((settings) => {
      this.#isAsking = false;
      if (this.#pty.output.isOpen) this.#act(settings);
    });
  }

  #act(settings: ReadonlySet<string>): void {
    if (settings.has("ignbrk")) return;
    if (settings.has("brkint")) this.#interrupt();
    else this.#pty.input.write(settings.has("parmrk") ? MARKED_BREAK : BREAK);
  }

  #interrupt(): void {
    const group = new ProcessGroup(this.#leader).ended ? undefined : foregroundGroup(this.#leader.pid);
    try {
      if (group !== undefined) process.kill(-group, "SIGINT");
    } catch {
      // It has ended meanwhile, or belongs to a user who cannot be reached.
    }
  }
}

/** The settings of a terminal that are on, as stty(1) names them; none where it does not tell. */
async function readSettings(path: string): Promise<ReadonlySet<string>> {
  let terminal: number | undefined;
  try {
    terminal = openSync(path, constants.O_RDONLY | constants.O_NOCTTY);
    return new Set((await stty(terminal, ["-a"])).split(/[\s;]+/));
  } catch {
    return new Set();
  } finally {
    if (terminal !== undefined) closeSync(terminal);
  }
}

/** The group that gets what is typed on the terminal of a session (`tpgid` in proc(5)); `undefined` where the system does not tell. */
function foregroundGroup(leader: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${leader}/stat`, "latin1");
    // The program's name, which is in parentheses, may hold anything.
    const group = Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[5]);
    return group > 1 ? group : undefined;
  } catch {
    return undefined;
  }
}
