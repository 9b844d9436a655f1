import type { CompressionAlgorithm } from "./compression.js";

export const none: CompressionAlgorithm = {
  name: "none",
  createCompressor: () => undefined,
  createDecompressor: () => undefined,
};
