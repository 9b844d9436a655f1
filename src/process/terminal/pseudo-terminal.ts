import { closeSync, constants, fchownSync, fstatSync, openSync } from "node:fs";
import { requirePackage } from "../../base/optional-package.js";
import type { PseudoTerminal } from "../../session/session-channel.js";
import { ProgramStartError } from "../program-start-error.js";
import { keepFromPrograms } from "./open-terminals.js";
import { TerminalInput } from "./terminal-input.js";
import { TerminalOutput } from "./terminal-output.js";

const PACKAGE = "@lydell/node-pty";

const DEFAULT_WIDTH = 80;
const DEFAULT_HEIGHT = 24;

/** The system has 16 bits for the size of a terminal. */
const MAX_SIZE = 65_535;

/** The calls of the system that the package brings. The rest of it is made for programs that run as the server itself does. */
interface PtyCalls {
  /** openpty(3): the descriptors of both ends, and the path of the programs' end. */
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(master: number, columns: number, rows: number): void;
}

interface BinaryLoader {
  requireBinary(file: "pty.node"): PtyCalls;
}

interface KnownSize {
  readonly columns: number;
  readonly rows: number;
}

type Size = Pick<PseudoTerminal, "width" | "height">;

/** A pseudo-terminal of the system: pty(7). We have one end of it, programs have the other. */
export class Pty {
  readonly #calls: PtyCalls;
  readonly #descriptor: number;
  #size: KnownSize;
  #resizing: NodeJS.Immediate | undefined;

  /** Path of the programs' end. */
  readonly path: string;
  /** What is typed. */
  readonly input: TerminalInput;
  /** What programs show. */
  readonly output: TerminalOutput;

  /**
   * Opens a terminal for as long as `use` takes to start a program on it.
   *
   * @param uid the owner of the terminal, where that is not the user of this process
   * @param use gets the terminal, and a descriptor of the programs' end, which is closed afterwards
   * @throws {ProgramStartError} where the package for it is not installed, or the system has no more of them; or what `use` throws
   */
  static async start<T>(
    size: Size,
    uid: number | undefined,
    use: (pty: Pty, programsEnd: number) => Promise<T>,
  ): Promise<T> {
    const known = knownSize(size, { columns: DEFAULT_WIDTH, rows: DEFAULT_HEIGHT });
    const { calls, master, slave, path } = open(known);
    const pty = new Pty(calls, master, path, known);
    let programsEnd: number | undefined;
    try {
      programsEnd = reopen(slave, path);
      if (uid !== undefined) fchownSync(programsEnd, uid, fstatSync(programsEnd).gid);
      return await use(pty, programsEnd);
    } catch (error) {
      pty.destroy();
      throw error;
    } finally {
      if (programsEnd !== undefined) closeSync(programsEnd);
    }
  }

  private constructor(calls: PtyCalls, master: number, path: string, size: KnownSize) {
    this.#calls = calls;
    this.#descriptor = master;
    this.#size = size;
    this.path = path;
    this.output = new TerminalOutput(master);
    this.output.once("close", keepFromPrograms(master));
    this.input = new TerminalInput(master, () => this.output.isOpen);
  }

  /**
   * Programs hear of the latest size, however many come at a time. A width or height of 0, which clients send where they do not know
   * it, changes nothing.
   */
  resize(size: Size): void {
    this.#size = knownSize(size, this.#size);
    this.#resizing ??= setImmediate(() => {
      this.#resizing = undefined;
      if (this.output.isOpen) this.#calls.resize(this.#descriptor, this.#size.columns, this.#size.rows);
    });
  }

  /** Programs that are still there are hung up. */
  destroy(): void {
    this.input.destroy();
    this.output.destroy();
  }
}

function open({ columns, rows }: KnownSize) {
  try {
    const loader = requirePackage<BinaryLoader>(PACKAGE, "programs on a terminal", "requireBinary.js");
    const calls = loader.requireBinary("pty.node");
    const { master, slave, pty: path } = calls.open(columns, rows);
    return { calls, master, slave, path };
  } catch (error) {
    throw new ProgramStartError(error, "this server cannot give programs a terminal");
  }
}

/** Opens the programs' end so that writing blocks, as programs expect, and no other program of this process gets it. */
function reopen(slave: number, path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  } finally {
    closeSync(slave);
  }
}

function knownSize({ width, height }: Size, known: KnownSize): KnownSize {
  return {
    columns: width === 0 ? known.columns : Math.min(width, MAX_SIZE),
    rows: height === 0 ? known.rows : Math.min(height, MAX_SIZE),
  };
}
