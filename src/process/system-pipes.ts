import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { packetPath } from "../crypto/cipher/packet-path.js";
import { openForDirectReads } from "../endpoint/direct-reads.js";
import type { ProgramPipes } from "./program-streams.js";

/**
 * The standard streams of a program as pipes of the system, which sshd gives programs, too. Node.js gives them sockets: these
 * cost more, and a program cannot open them again as `/dev/stdin`, `/dev/stdout` or `/dev/stderr`.
 */
export class SystemPipes {
  readonly #input: Ends;
  readonly #output: Ends;
  readonly #errorOutput: Ends;

  private constructor([input, output, errorOutput]: readonly [Ends, Ends, Ends]) {
    this.#input = input;
    this.#output = output;
    this.#errorOutput = errorOutput;
  }

  /**
   * @returns `undefined` where they cannot be had: without the addon, or on a system other than Linux
   * @throws {Error} where the system has no more descriptors
   */
  static open(): SystemPipes | undefined {
    const createPipe = packetPath().addon?.createPipe;
    if (createPipe === undefined) return undefined;
    const open: Ends[] = [];
    const create = () => {
      const [readEnd, writeEnd] = createPipe();
      const ends = { readEnd, writeEnd };
      open.push(ends);
      return ends;
    };
    try {
      return new SystemPipes([create(), create(), create()]);
    } catch (error) {
      for (const { readEnd, writeEnd } of open) closeAll(readEnd, writeEnd);
      throw error;
    }
  }

  /** Descriptors of the program's ends. */
  get ofProgram(): readonly [input: number, output: number, errorOutput: number] {
    return [this.#input.readEnd, this.#output.writeEnd, this.#errorOutput.writeEnd];
  }

  /** The program has its ends. @returns ours */
  connect(): ProgramPipes {
    closeAll(...this.ofProgram);
    return {
      input: new Socket({ fd: this.#input.writeEnd, readable: false, writable: true }),
      output: openForDirectReads(this.#output.readEnd),
      errorOutput: new Socket({ fd: this.#errorOutput.readEnd, readable: true, writable: false }),
    };
  }

  /** No program was started. */
  close(): void {
    closeAll(...this.ofProgram, this.#input.writeEnd, this.#output.readEnd, this.#errorOutput.readEnd);
  }
}

interface Ends {
  readonly readEnd: number;
  readonly writeEnd: number;
}

function closeAll(...descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
