/**
 * What `native/addon.c` exports: packets sealed and opened in place by the OpenSSL of the running Node.js, pipes, and entries of
 * directories. Every offset and length is checked there; a wrong one, or a wrong type, throws.
 */
export interface Addon {
  readonly Sealer: new (...keys: NativeKeys) => AddonSealer;
  readonly Opener: new (...keys: NativeKeys) => AddonOpener;
  /** Of OpenSSL, as it tells it. */
  readonly version: string;
  /**
   * Makes a pipe, pipe(2); on Linux. A program has no end of it unless it is given one.
   *
   * @returns descriptors
   * @throws {Error} with the system's text, such as "Too many open files"
   */
  readonly createPipe?: () => readonly [readEnd: number, writeEnd: number];
  /**
   * Looks at entries of a directory, statx(2); on Linux. No link is followed.
   *
   * @param descriptor of the directory; one opened with O_PATH will do
   * @param names each with a NUL behind it
   * @param fields room for 9 numbers of each: mode (0 where it cannot be looked at), links, user, group, size in bytes, and of
   *   the last access and the last change of content seconds since 1970 and nanoseconds
   * @param milliseconds of work, or of the clock where the disk is waited for, after which it looks at no more
   * @returns at how many it has looked before that: fewer than there are names wherever the time was over
   * @throws {RangeError} for a name with a slash, a last one without a NUL, too little room
   */
  readonly lookAtEntries?: (
    descriptor: number,
    names: Uint8Array,
    fields: Float64Array,
    milliseconds: number,
  ) => number;
}

/** How the addon calls the ciphers; the lengths of the keys say which AES and which hash. */
export type NativeCipher = "chacha20-poly1305" | "aes-gcm" | "aes-ctr encrypt-then-mac" | "aes-ctr encrypt-and-mac";

/** The keys are copied; `macKey` is empty for an AEAD. */
export type NativeKeys = readonly [cipher: NativeCipher, key: Uint8Array, iv: Uint8Array, macKey: Uint8Array];

export interface HoldsKeys {
  /** Overwrites the keys; nothing else can be called from then on. What is not destroyed is overwritten as garbage. */
  destroy(): void;
}

export interface AddonSealer extends HoldsKeys {
  seal(array: Uint8Array, offset: number, length: number, sequenceNumber: number): void;
}

export interface AddonOpener extends HoldsKeys {
  readLength(array: Uint8Array, offset: number, sequenceNumber: number): number;
  /** False where the tag is wrong: then no clear text is left, and the opener takes nothing more. */
  open(array: Uint8Array, offset: number, length: number, sequenceNumber: number): boolean;
}

/** The addon of a Node.js without an OpenSSL that it can use. */
export interface AddonWithoutOpenssl {
  /** The function that is missing, or does something else. */
  readonly missing: string;
}
