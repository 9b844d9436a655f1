import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TOOLS } from "./clients.js";
import { runOk } from "./tools.js";

const SETTINGS = `
set -g status off
set -g escape-time 0
set -g default-terminal tmux-256color
`;
/** What follows the command, so that its screen is still there when it has ended. */
const SCRIPT = '"$@"; printf "[status %s]" "$?"; exec cat';
/** Milliseconds between two looks at a screen. */
const LOOK_INTERVAL = 100;
const PATIENCE = 15_000;

/** A person at a terminal, whose screen is tmux: it shows what a terminal makes of a program's output. */
export class TmuxScreen implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts a command on a screen of 80 by 24. */
  static async start(program: string, parameters: readonly string[]): Promise<TmuxScreen> {
    const folder = await mkdtemp(join(tmpdir(), "spindlex-tmux-"));
    await writeFile(join(folder, "settings"), SETTINGS);
    const screen = new TmuxScreen(folder);
    await screen.#tmux("new-session", "-d", "-x", "80", "-y", "24", "sh", "-c", SCRIPT, "sh", program, ...parameters);
    return screen;
  }

  /** Text as it is typed. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Keys by their names in tmux(1): `Enter`, `Down`, `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** What the screen shows. */
  async text(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }

  /** What the screen shows once it matches. */
  async until(expected: string | RegExp): Promise<string> {
    return this.#until(`${expected}`, async () => {
      const text = await this.text();
      return (typeof expected === "string" ? text.includes(expected) : expected.test(text)) ? text : undefined;
    });
  }

  /** The value of formats of tmux(1): `#{cursor_flag}`. */
  async look(format: string): Promise<string> {
    return (await this.#tmux("display-message", "-p", format)).trimEnd();
  }

  /** The exit status of the command, once it has ended; the screen shows it, too. */
  async exitStatus(): Promise<number> {
    const text = await this.until(/\[status \d+\]/);
    return Number(/\[status (\d+)\]/.exec(text)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #until(what: string, look: () => Promise<string | undefined>): Promise<string> {
    for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await delay(LOOK_INTERVAL)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    throw new Error(`waited in vain for ${what}; the screen shows:\n${await this.text()}`);
  }

  #tmux(...command: readonly string[]): Promise<string> {
    const [settings, socket] = ["settings", "socket"].map((name) => join(this.#folder, name));
    return runOk(TOOLS.tmux, ["-f", `${settings}`, "-S", `${socket}`, ...command]);
  }
}
