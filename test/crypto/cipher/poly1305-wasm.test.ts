import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import wabt from "wabt";

/** After a change to poly1305.wat: `npx vitest run test/crypto/cipher/poly1305-wasm.test.ts -u` rewrites the module. */
it("ships the bytes that poly1305.wat assembles to", async () => {
  const directory = new URL("../../../src/crypto/cipher/", import.meta.url);
  const assembler = await wabt();
  const module = assembler.parseWat("poly1305.wat", readFileSync(new URL("poly1305.wat", directory), "utf8"));
  const bytes = Buffer.from(module.toBinary({}).buffer);
  const source = [
    "/** The module that poly1305.wat assembles to; written by test/crypto/cipher/poly1305-wasm.test.ts. */",
    "export const POLY1305_WASM =",
    `  "${bytes.toString("base64")}";`,
    "",
  ].join("\n");
  await expect(source).toMatchFileSnapshot(new URL("poly1305-wasm.ts", directory).pathname);
});
