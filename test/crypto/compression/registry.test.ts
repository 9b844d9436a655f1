import { expect, it } from "vitest";
import { compressionAlgorithms } from "../../../src/crypto/compression/registry.js";

it("holds every algorithm under its own name, none before zlib", () => {
  expect([...compressionAlgorithms.keys()]).toEqual(["none", "zlib@openssh.com"]);
  for (const [name, algorithm] of compressionAlgorithms) expect(algorithm.name).toBe(name);
});

it("has nothing to do for none", () => {
  expect(compressionAlgorithms.get("none")?.createCompressor()).toBeUndefined();
  expect(compressionAlgorithms.get("none")?.createDecompressor()).toBeUndefined();
});
