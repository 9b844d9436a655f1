import {
  Z_BUF_ERROR,
  Z_OK,
  Z_PARTIAL_FLUSH,
  Z_SYNC_FLUSH,
  ZStream,
  zlibDeflate,
  zlibDeflateInit,
  zlibInflate,
  zlibInflateInit,
} from "pako";
import type { Steps } from "../../base/time-slices.js";
import { DisconnectReason } from "../../protocol/constants.js";
import { ProtocolError } from "../../protocol/errors.js";
import type { CompressionAlgorithm, Compressor, Decompressor } from "./compression.js";

/**
 * zlib as RFC 4253 §6.2 describes it, begun after authentication (OpenSSH PROTOCOL §1.2).
 *
 * `node:zlib` cannot keep a dictionary from one synchronous call to the next, so this is pako, used as one uses zlib
 * itself: its stream classes would also take gzip from the peer, and keep an output chunk per connection.
 */
export const zlibDelayed: CompressionAlgorithm = {
  name: "zlib@openssh.com",
  createCompressor: () => new ZlibCompressor(),
  createDecompressor: () => new ZlibDecompressor(),
};

/** The default of zlib itself. */
const LEVEL = 6;

/** Bytes that are inflated in one step: blocks that hold nothing but a code of their own take 3 µs each. */
const STEP_LENGTH = 2048;

/** Written and read within one call, so that one serves all connections. */
const output = new Uint8Array(65536);
const NOTHING = new Uint8Array(0);

class ZlibCompressor implements Compressor {
  readonly #stream = new ZStream();

  constructor() {
    zlibDeflateInit(this.#stream, LEVEL);
  }

  compress(payload: Buffer): Buffer {
    const stream = this.#stream;
    const chunks: Buffer[] = [];
    setInput(stream, payload);
    do {
      zlibDeflate(withFreshOutput(stream), Z_PARTIAL_FLUSH);
      chunks.push(Buffer.from(output.subarray(0, stream.next_out)));
    } while (stream.avail_out === 0);
    setInput(stream, NOTHING);
    return Buffer.concat(chunks);
  }
}

class ZlibDecompressor implements Decompressor {
  readonly #stream = new ZStream();

  constructor() {
    zlibInflateInit(this.#stream);
  }

  decompress(payload: Buffer, maximumLength: number): Steps<Buffer> {
    return this.#decompress(Buffer.from(payload), maximumLength);
  }

  *#decompress(compressed: Buffer, maximumLength: number): Steps<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for (let start = 0; start < compressed.length; start += STEP_LENGTH) {
      setInput(this.#stream, compressed.subarray(start, start + STEP_LENGTH));
      do {
        const chunk = this.#inflate();
        length += chunk.length;
        if (length > maximumLength) throw compressionError(`inflated to more than ${maximumLength} bytes`);
        chunks.push(chunk);
        yield;
      } while (this.#stream.avail_out === 0);
    }
    setInput(this.#stream, NOTHING);
    return Buffer.concat(chunks, length);
  }

  #inflate(): Buffer {
    const stream = this.#stream;
    const status = zlibInflate(withFreshOutput(stream), Z_SYNC_FLUSH);
    // Z_BUF_ERROR says that there was nothing left to do; the end of the stream is not the peer's to declare.
    if (status !== Z_OK && status !== Z_BUF_ERROR) throw compressionError(`cannot inflate: ${stream.msg || status}`);
    return Buffer.from(output.subarray(0, stream.next_out));
  }
}

function setInput(stream: ZStream, bytes: Uint8Array): void {
  stream.input = bytes;
  stream.next_in = 0;
  stream.avail_in = bytes.length;
}

function withFreshOutput(stream: ZStream): ZStream {
  stream.output = output;
  stream.next_out = 0;
  stream.avail_out = output.length;
  return stream;
}

function compressionError(message: string): ProtocolError {
  return new ProtocolError(message, DisconnectReason.COMPRESSION_ERROR);
}
