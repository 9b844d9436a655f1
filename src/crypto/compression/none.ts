import type { CompressionAlgorithm } from "./compression.js";

export const none: CompressionAlgorithm = {
  name: "none",
  delayed: false,
  createCompressor: () => undefined,
  createDecompressor: () => undefined,
};
