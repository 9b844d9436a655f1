import { Duplex } from "node:stream";

/** One end of a pipe in memory: what is written to it can be read at the other. */
class End extends Duplex {
  other: End | undefined;
  #taken: (() => void) | undefined;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#deliver(chunk, callback);
  }

  override _final(callback: () => void): void {
    this.#deliver(null, callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    setImmediate(() => this.other?.destroy());
  }

  #deliver(chunk: Buffer | null, callback: () => void): void {
    const { other } = this;
    if (other === undefined || other.destroyed || other.push(chunk) || chunk === null) setImmediate(callback);
    else other.#taken = callback;
  }
}

/** Two streams that are each other's peer, with back-pressure. */
export function duplexPair(): [Duplex, Duplex] {
  const [one, two] = [new End(), new End()];
  one.other = two;
  two.other = one;
  return [one, two];
}
