import { POLY1305_WASM } from "./poly1305-wasm.js";

/** Writes the 16-byte tag of `data` under the one-time `key` (32 bytes) into `tag` (RFC 8439 §2.5). */
export type Poly1305 = (tag: Buffer, data: Buffer, key: Buffer) => void;

let ofProcess: Poly1305 | undefined;

/** Made when it is first used: where there is the addon, that is never. */
export const authenticate: Poly1305 = (tag, data, key) => {
  ofProcess ??= wasmPoly1305();
  ofProcess(tag, data, key);
};

/** Runs poly1305.wat: one instance for the process, with its memory grown to the longest message seen. */
function wasmPoly1305(): Poly1305 {
  const { memory, authenticate } = new WebAssembly.Instance(
    new WebAssembly.Module(Buffer.from(POLY1305_WASM, "base64")),
  ).exports;
  let bytes = Buffer.from(memory.buffer);
  return (tag, data, key) => {
    const missing = WASM_MESSAGE + data.length + WASM_SLACK - bytes.length;
    if (missing > 0) {
      memory.grow(Math.ceil(missing / WASM_PAGE));
      bytes = Buffer.from(memory.buffer);
    }
    bytes.set(key, WASM_KEY);
    bytes.set(data, WASM_MESSAGE);
    authenticate(data.length);
    bytes.copy(tag, 0, WASM_TAG, WASM_TAG + POLY1305_TAG_LENGTH);
  };
}

export const POLY1305_TAG_LENGTH = 16;

/** The places that poly1305.wat gives in its memory. */
const WASM_KEY = 0;
const WASM_TAG = 32;
const WASM_MESSAGE = 48;
/** The last block is padded in place. */
const WASM_SLACK = 16;
const WASM_PAGE = 65536;

/** The part of the WebAssembly interface used here; TypeScript knows it only together with the browser's types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
      readonly authenticate: (length: number) => void;
    };
  };
};

/** The 16-byte tag of `data` under the one-time `key` (32 bytes). */
export function poly1305(key: Buffer, data: Buffer): Buffer {
  const tag = Buffer.alloc(POLY1305_TAG_LENGTH);
  authenticate(tag, data, key);
  return tag;
}
