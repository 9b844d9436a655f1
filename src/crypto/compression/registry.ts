import type { CompressionAlgorithm } from "./compression.js";
import { none } from "./none.js";
import { zlibDelayed } from "./zlib.js";

/** Every compression, the preferred first. */
export const compressionAlgorithms: ReadonlyMap<string, CompressionAlgorithm> = new Map(
  [none, zlibDelayed].map((algorithm) => [algorithm.name, algorithm]),
);
