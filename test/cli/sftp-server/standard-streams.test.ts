import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { StandardStreams } from "../../../src/cli/sftp-server/standard-streams.js";

/** Takes its time for each write. */
class Collector extends Writable {
  readonly #chunks: Buffer[] = [];

  get content(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    this.#chunks.push(chunk);
    setImmediate(written);
  }
}

describe("StandardStreams", () => {
  it("reads the one and writes the other", async () => {
    const input = new PassThrough();
    const output = new Collector();
    const streams = new StandardStreams(input, output);
    const question = once(streams, "data");
    input.write("question");
    expect(String(await question)).toBe("question");
    streams.cork();
    streams.write("an");
    streams.write("swer");
    streams.uncork();
    input.end();
    streams.end("!");
    await once(streams, "close");
    expect(output.content.toString()).toBe("answer!");
  });

  it("carries much, however slowly it is read", async () => {
    const input = new PassThrough();
    const output = new Collector();
    const streams = new StandardStreams(input, output);
    const data = Buffer.alloc(3_000_000, "0123456789");
    input.end(data);
    streams.pipe(streams);
    await once(streams, "close");
    expect(output.content.equals(data)).toBe(true);
  });

  it("takes no more than it is read", async () => {
    const input = new PassThrough();
    const streams = new StandardStreams(input, new PassThrough());
    for (let count = 0; count < 100; count++) input.write(Buffer.alloc(65_536));
    await expect.poll(() => streams.readableLength).toBeGreaterThan(0);
    expect(input.isPaused()).toBe(true);
    expect(streams.readableLength).toBeLessThan(1_000_000);
  });

  it("tells that a write is done only when the output has taken it", async () => {
    let take = () => {};
    const output = new Writable({
      write(_chunk, _encoding, written) {
        take = written;
      },
    });
    const streams = new StandardStreams(new PassThrough(), output);
    let done = false;
    const written = new Promise<void>((resolve) => {
      streams.write("data", () => {
        done = true;
        resolve();
      });
    });
    await new Promise(setImmediate);
    expect(done).toBe(false);
    take();
    await written;
  });

  it("fails when the output does", async () => {
    const output = new Writable({ write: (_chunk, _encoding, written) => written(new Error("EPIPE")) });
    const input = new PassThrough();
    const streams = new StandardStreams(input, output);
    streams.write("data");
    await expect(once(streams, "close")).rejects.toThrow("EPIPE");
    expect(input.destroyed).toBe(true);
  });

  it("keeps the status of the session", () => {
    const streams = new StandardStreams(new PassThrough(), new PassThrough());
    expect(streams.exitStatus).toBeUndefined();
    streams.sendExitStatus(0);
    expect(streams.exitStatus).toBe(0);
  });
});
