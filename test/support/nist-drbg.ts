import { createCipheriv } from "node:crypto";

/** The generator behind NIST's post-quantum known-answer tests: CTR_DRBG with AES-256 (SP 800-90A §10.2.1). */
export class NistDrbg {
  #key = Buffer.alloc(32);
  #counter = 0n;

  /** @param seed 48 bytes */
  constructor(seed: Buffer) {
    this.#update(seed);
  }

  readonly bytes = (length: number): Buffer => {
    const output = this.#blocks(Math.ceil(length / 16)).subarray(0, length);
    this.#update(Buffer.alloc(48));
    return output;
  };

  #update(data: Buffer): void {
    const state = this.#blocks(3).map((byte, i) => byte ^ (data[i] ?? 0));
    this.#key = Buffer.from(state.subarray(0, 32));
    this.#counter =
      Buffer.from(state.subarray(32)).readBigUInt64BE(0) * 2n ** 64n + Buffer.from(state).readBigUInt64BE(40);
  }

  #blocks(count: number): Buffer {
    const cipher = createCipheriv("aes-256-ecb", this.#key, null).setAutoPadding(false);
    return Buffer.concat(
      Array.from({ length: count }, () => {
        this.#counter = (this.#counter + 1n) % 2n ** 128n;
        return cipher.update(this.#counter.toString(16).padStart(32, "0"), "hex");
      }),
    );
  }
}
