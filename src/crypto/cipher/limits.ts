/**
 * Packets under one set of keys: half of the 32-bit sequence numbers, which enter nonces and MACs and so must never
 * repeat; the other half is left for the key exchange to finish in (RFC 4344 §3.1).
 */
export const MAXIMUM_PACKETS = 2 ** 31;

/** Bytes under one key of a cipher with 128-bit blocks: 2^(128/4) blocks (RFC 4344 §3.2). */
export const MAXIMUM_BYTES_OF_128_BIT_BLOCKS = 2 ** 32 * 16;
